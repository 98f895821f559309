"""What a principal may ask for: patterns of names of models and of routes.

In a pattern `*` stands for any characters, and `&` joins patterns that must all match. None permits every name, an
empty tuple none.
"""

from __future__ import annotations

from typing import TypeAlias

Patterns: TypeAlias = tuple[str, ...] | None


def permits(patterns: Patterns, name: str) -> bool:
    """Whether one of the patterns matches the whole name. Linear in their lengths, whatever they hold."""
    return patterns is None or any(_all_match(pattern, name) for pattern in patterns)


def both(first: Patterns, second: Patterns) -> Patterns:
    """Patterns that permit exactly what both permit."""
    if first is None or second is None:
        return second if first is None else first
    joined = (_joined(one, other) for one in first for other in second)
    return tuple(dict.fromkeys(joined))


def within(patterns: Patterns, bound: Patterns) -> bool:
    """Whether all that `patterns` permit is surely permitted by `bound`. False where that cannot be told."""
    if bound is None:
        return True
    return patterns is not None and all(any(_implies(one, other) for other in bound) for one in patterns)


def _all_match(pattern: str, name: str) -> bool:
    if "*" not in pattern and "&" not in pattern:
        return pattern == name
    return all(_matches(part, name) for part in pattern.split("&"))


def _matches(pattern: str, name: str) -> bool:
    """Prefix and suffix in place, and what is between two stars found in order, each as early as possible."""
    first, *rest = pattern.split("*")
    if not rest:
        return first == name
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


def _joined(one: str, other: str) -> str:
    """The weaker of two patterns is left out where it is known to be."""
    if _implies(one, other):
        return one
    return other if _implies(other, one) else f"{one}&{other}"


def _implies(pattern: str, bound: str) -> bool:
    """Every name that matches `pattern` matches `bound`: so it is if `bound` matches the pattern's own text, because
    only the stars of `bound` can have taken its stars."""
    return all(any(_matches(limit, part) for part in pattern.split("&")) for limit in bound.split("&"))
