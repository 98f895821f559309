"""Whether the limits that are stated here bind: another stage counts what is used."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.stage import Stage

UNCOUNTED = "limits of keys, tenants and users bind nobody, since no stage counts them: add [stages.rate_limit]"


def counted(chain: Iterable[type[Stage]]) -> bool:
    """Whether a stage of the chain counts: then it reserves."""
    return any(stage.reserves for stage in chain)
