"""The kit's tests, run on something that is wrong."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sentinel_core.stage import Stage
from sentinel_core.testing import StageConformance


async def found_by(
    stage: type[Stage],
    check: str,
    *,
    prompts: Sequence[str] = StageConformance.prompts,
    replies: Sequence[str] = StageConformance.replies,
) -> str:
    """What the kit's test of that name says of the stage. Fails where it finds nothing."""
    kit = type("Of", (StageConformance,), {"stage": stage, "prompts": prompts, "replies": replies})()
    with pytest.raises(AssertionError) as found:
        await getattr(kit, check)()
    return str(found.value)
