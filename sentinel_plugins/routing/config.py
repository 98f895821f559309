"""`[stages.routing]`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

from sentinel_core.stage import StageConfig

Weight = Annotated[int, Meta(ge=0)]


class RoutingConfig(StageConfig, frozen=True, kw_only=True):
    """How a model's targets are ordered, and what makes the next one take over."""

    strategy: Literal["ordered", "weighted"] = "ordered"
    """`ordered` keeps the order of `targets`. `weighted` draws it anew for each request, by `weights`."""
    weights: Mapping[str, Weight] = {}
    """Shares by `provider/model`, or by `provider` for all its models; 1 where nothing is said, 0 for a last resort."""
    diversify: bool | None = None
    """After a failure, whether a target of another provider comes before one of the same. Left out, `weighted` plans do
    so, and `ordered` ones keep your order; set it where a list was not written with outages in mind."""
    fallback_also_on: tuple[Literal["context_length", "content_policy"], ...] = ()
    """Refusals of a prompt that another target may take: one with a larger context window, or another policy."""

    @property
    def diverse(self) -> bool:
        """Whether plans are made so."""
        return self.strategy == "weighted" if self.diversify is None else self.diversify

    def __post_init__(self) -> None:
        if self.weights and self.strategy != "weighted":
            raise ValueError('weights: need strategy = "weighted"')
