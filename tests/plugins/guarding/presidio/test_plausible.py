"""What of a model's guess can be a name."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.presidio.plausible import plausible


def names(guess: str) -> list[str]:
    text = f"by {guess} and"
    return [text[start:end] for start, end in plausible(text, 3, 3 + len(guess))]


@pytest.mark.parametrize(
    ("guess", "left"),
    [
        ("Ann Smith", ["Ann Smith"]),
        ("J.R.R. Tolkien", ["J.R.R. Tolkien"]),
        ("Seán O'Brien-Żak", ["Seán O'Brien-Żak"]),
        ("12 Main St. 4", ["12 Main St. 4"]),
        (" Ann Smith\n", ["Ann Smith"]),
        ("Ann Smith\nAddress", ["Ann Smith", "Address"]),
        ("Berlin/Germany", ["Berlin", "Germany"]),
        ("Ann (Smith", ["Ann", "Smith"]),
        ("王", []),
        ("王芳", ["王芳"]),
        ("conn.read", []),
        ("assert self._read_fut", []),
        ("// 4", []),
    ],
)
def test_brackets_stand_between_names_and_code_is_none(guess: str, left: list[str]) -> None:
    assert names(guess) == left


@given(st.text(max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_parts_are_in_order_inside_the_guess_and_begin_and_end_with_something(text: str, start: int, end: int) -> None:
    at = start
    for first, last in plausible(text, start, end):
        assert at <= first < last <= end
        assert text[first:last] == text[first:last].strip()
        at = last
