"""Whoever reads sees what they did a moment ago, though rows are written behind requests."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.recording.journal import Journal


class Keeps(Protocol):
    """A stage whose rows go through a journal."""

    journal: Journal


async def caught_up(gateway: Gateway, kind: type[Keeps]) -> None:
    """Wait until this process's rows of that stage are written, as far as their store takes them."""
    with suppress(Refusal), gateway.stages() as (_, stages):  # one that starts or ends has nothing more to write
        for stage in stages:
            if isinstance(stage, kind):
                await stage.journal.caught_up()
