"""Values of a finite kind: one draw takes any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import product
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def products(make: Callable[..., T], *fields: Iterable[object]) -> st.SearchStrategy[T]:
    """What `make` makes of every combination of these fields, as `st.builds` would, which draws each field."""
    made = [make(*chosen) for chosen in product(*fields)]
    return st.integers(0, len(made) - 1).map(lambda number: made[number])  # whose repr is short
