"""Any JSON, as deep and as wide as a test asks."""

from __future__ import annotations

from hypothesis import strategies as st

from sentinel_core.json_types import JsonValue


def json_values(
    scalars: st.SearchStrategy[JsonValue], names: st.SearchStrategy[str], *, levels: int = 2, width: int = 2
) -> st.SearchStrategy[JsonValue]:
    """Scalars, and lists and objects of up to `width` members, one in another up to `levels` deep.

    Every level is a strategy of its own: `st.recursive` counts leaves, and throws away what has too many.
    """
    values = scalars
    for _ in range(levels):
        values = st.lists(values, max_size=width) | st.dictionaries(names, values, max_size=width) | scalars
    return values
