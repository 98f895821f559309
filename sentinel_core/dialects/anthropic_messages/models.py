"""What Claude models take that differs by model, told by the model's name.

Sampling parameters, forms of thinking and answer lengths have changed with the generations. A Claude name that is newer
than this table is treated as the newest; a name that is not Claude's is left alone.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_OLD = re.compile(r"claude-(?:instant|2|3)")
_THREE = re.compile(r"claude-3-(?:opus|sonnet|haiku)")
_FOUR = re.compile(r"claude-(?:opus|sonnet|haiku)-4(?:-(\d{1,2}))?(?!\d)")


class Abilities(NamedTuple):
    """What one model takes. `thinking` is `none`, `budget` or `adaptive`."""

    max_tokens: int = 32_000
    """The answer's length where the client gives none: the format requires one."""
    sampling: bool = True
    both_samplings: bool = True
    thinking: str = "adaptive"
    schema: bool = True


def abilities(model: str) -> Abilities:
    """What this model takes."""
    name = model.lower().rpartition("/")[2]
    if "claude" not in name:
        return Abilities()
    if _OLD.search(name):
        budget = "budget" if "3-7" in name else "none"
        length = 4096 if _THREE.search(name) or not name.startswith("claude-3") else 8192
        return Abilities(max_tokens=length, thinking=budget, schema=False)
    four = _FOUR.search(name)
    if four is None:
        return Abilities(sampling=False)
    minor = int(four[1] or 0)
    if minor >= 7:
        return Abilities(sampling=False)
    thinking = "adaptive" if minor >= 6 else "budget"
    return Abilities(both_samplings=False, thinking=thinking, schema=minor >= 5 or (minor == 1 and "opus" in name))
