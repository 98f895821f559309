"""`[stages.injection]`."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from sentinel_core.config import Count
from sentinel_core.stage import StageConfig

Share = Annotated[float, Meta(gt=0, le=1, description="a score above 0 and up to 1")]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z", description="a SHA-256 digest as 64 lower-case hex digits")]
Action: TypeAlias = Literal["flag", "block"]


class InjectionConfig(StageConfig, frozen=True, kw_only=True):
    """What becomes of a request that looks like an attempt to take over the model, and from which score on it does."""

    action: Action = "flag"
    """`flag` lets the request pass, with the verdict `monitored` and its score in the audit; `block` refuses it."""
    threshold: Share = 0.5
    """The score from which on a text counts as an attempt. At 0.5 less than 1 % of the benign requests it was fixed
    on are flagged; raise it before blocking. A tenant's preference `injection_threshold` takes its place."""
    system_action: Literal["ignore", "flag", "block"] = "flag"
    """The same for system prompts and descriptions of tools, which give orders by nature."""
    system_threshold: Share = 0.95
    """The threshold for those."""
    trusted_system: tuple[Sha256, ...] = ()
    """Digests of the system prompts and tool descriptions that you wrote yourself: they are not scored."""
    cache_entries: Count = 4_096
    """Scores that are remembered, so that a growing conversation is scored once. No text is kept."""
