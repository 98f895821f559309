"""`Health`: counts what requests came to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.context import Context, Outcome
from sentinel_core.hookspecs import hookimpl
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.observations import Observations, observations_of


class Health(Stage):
    """Notes every exchange's ending, its attempts and its failover for the monitor, the metrics and the incidents.

    It looks at numbers only, never at text, and touches nothing.
    """

    name: ClassVar[str] = "health"
    Config: ClassVar[type[HealthConfig]] = HealthConfig
    observer: ClassVar[bool] = True

    def __init__(self, config: HealthConfig, observations: Observations) -> None:
        super().__init__(config)
        self._observations = observations

    @classmethod
    @asynccontextmanager
    async def open(cls, config: HealthConfig, services: Services) -> AsyncIterator[Self]:
        """The stage with the process's observations; with its own where no gateway shares any."""
        yield cls(config, observations_of(services))

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> None:
        """Note one exchange."""
        self._observations.note(ctx, outcome)
