"""Which of an upstream's numbers are counts of tokens."""

from __future__ import annotations

from typing import Final, TypeGuard

from sentinel_core.json_types import JsonValue

MAX_COUNT: Final = 1 << 53
"""Every integer up to here is itself as a double, which is what most of JSON's readers have."""


def is_count(value: JsonValue) -> TypeGuard[int]:
    """Whether a provider's number of tokens makes sense (U26)."""
    return type(value) is int and 0 <= value <= MAX_COUNT
