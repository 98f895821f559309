"""How short a value of a pattern can be. RE2 does not tell."""

from __future__ import annotations

import re
import warnings
from typing import Any


def shortest(pattern: str) -> int:
    """Characters of the shortest text that an RE2 pattern matches, as far as Python reads the pattern as RE2 does; else
    0. Where they read one differently, as `[[:alpha:]]`, Python warns."""
    parser: Any = re._parser  # type: ignore[attr-defined]  # what `re.compile` uses; it has no stubs
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        try:
            least: int = parser.parse(pattern).getwidth()[0]
        except (re.error, FutureWarning):
            return 0
    return least
