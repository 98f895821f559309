"""What commands print is in columns."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.printing import as_json, printable, table

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


HOSTILE = "a\x1b[2K\r\n\x9b\u2028\u202eb"
SHOWN = r"a\u001b[2K\r\n\u009b\u2028\u202eb"


def test_a_cell_forges_no_row_and_says_nothing_to_the_terminal() -> None:
    assert table(("NAME", "N"), [(HOSTILE, "1")]).split("\n")[1] == f"{SHOWN}  1"


def test_json_says_nothing_to_the_terminal_and_stays_the_same() -> None:
    text = as_json({"name": HOSTILE})
    assert all(map(str.isprintable, text.split("\n")))
    assert json.loads(text) == {"name": HOSTILE}


@given(st.text())
def test_text_becomes_printable_and_printable_text_stays(text: str) -> None:
    assert printable(text).isprintable()
    assert printable(printable(text)) == printable(text)
    assert not text.isprintable() or printable(text) == text
