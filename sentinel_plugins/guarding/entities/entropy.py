"""How much chance is in a string."""

from __future__ import annotations

import math
from collections import Counter
from typing import Final

LEAST_BITS: Final = 2.0
"""What a placeholder such as `sk-xxxxxxxx` does not have."""


def bits_per_character(text: str) -> float:
    """Shannon's entropy of its characters: words have about 3, random letters and digits of forty characters about 4.7,
    `xxxx` has 0."""
    length = len(text)
    return -sum(times / length * math.log2(times / length) for times in Counter(text).values())
