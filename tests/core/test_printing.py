"""What commands print is in columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.printing import as_json, table

CELLS = st.text("abcdef.0123", max_size=12)


def test_columns_are_as_wide_as_what_is_in_them() -> None:
    assert table(("NAME", "N"), [("a", "1"), ("longer", "12")]) == "NAME    N\na       1\nlonger  12"


def test_numbers_are_flush_right() -> None:
    assert table(("NAME", "N"), [("a", "1"), ("b", "12")], left=1) == "NAME   N\na      1\nb     12"


def test_without_rows_there_is_the_head() -> None:
    assert table(("NAME", "N"), []) == "NAME  N"


@given(st.lists(st.tuples(CELLS, CELLS, CELLS), max_size=5), st.integers(0, 3))
def test_every_cell_is_in_its_line_and_every_column_begins_or_ends_in_one_place(
    rows: list[tuple[str, str, str]], left: int
) -> None:
    lines = table(("A", "B", "C"), rows, left=left).split("\n")
    assert len(lines) == len(rows) + 1
    for line, row in zip(lines[1:], rows, strict=True):
        assert line.split() == [cell for cell in row if cell]


def test_json_is_indented() -> None:
    assert as_json({"a": [1]}) == '{\n  "a": [\n    1\n  ]\n}'
