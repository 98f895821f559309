"""What a principal may ask for: patterns of names of models and of routes.

In a pattern `*` stands for any characters. None permits every name, an empty tuple none.
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec


class Both(msgspec.Struct, frozen=True):
    """What two of them permit, kept apart: the pairs of a hundred patterns and a hundred are ten thousand."""

    first: Patterns
    second: Patterns


Patterns: TypeAlias = tuple[str, ...] | Both | None


def permits(patterns: Patterns, name: str) -> bool:
    """Whether one of the patterns matches the whole name. Linear in their lengths, whatever they hold."""
    if isinstance(patterns, Both):
        return permits(patterns.first, name) and permits(patterns.second, name)
    return patterns is None or name in patterns or any(_matches(pattern, name) for pattern in patterns)


def both(first: Patterns, second: Patterns) -> Patterns:
    """Patterns that permit exactly what both permit."""
    if first is None or second is None:
        return second if first is None else first
    return Both(first, second)


def within(patterns: Patterns, bound: Patterns) -> bool:
    """Whether all that `patterns` permit is surely permitted by `bound`. False where that cannot be told.

    Every name that matches a pattern matches `bound` if the pattern's own text does, because only the stars of `bound`
    can have taken its stars.
    """
    if isinstance(bound, Both):
        return within(patterns, bound.first) and within(patterns, bound.second)
    if bound is None:
        return True
    if isinstance(patterns, Both):
        return within(patterns.first, bound) or within(patterns.second, bound)
    return patterns is not None and all(permits(bound, pattern) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    """Prefix and suffix in place, and what is between two stars found in order, each as early as possible."""
    if "*" not in pattern:
        return pattern == name
    first, *rest = pattern.split("*")
    last = rest.pop()
    if not (name.startswith(first) and name.endswith(last)) or len(first) + len(last) > len(name):
        return False
    at, end = len(first), len(name) - len(last)
    for piece in rest:
        found = name.find(piece, at, end)
        if found < 0:
            return False
        at = found + len(piece)
    return True
