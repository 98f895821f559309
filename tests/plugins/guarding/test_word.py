"""Words, and the places between them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.word import cuts, last_border, next_border

texts = st.text("ab1é_ -号か한ก٣", max_size=20)


@given(texts, st.integers(0, 20))
def test_the_next_border_is_the_first_place_that_cuts_nothing(text: str, at: int) -> None:
    borders = [place for place in range(at + 1, len(text) + 1) if not cuts(text, place)]
    assert at >= len(text) or next_border(text, at) == borders[0]


@given(texts, st.data())
def test_the_last_border_is_the_last_place_that_cuts_nothing(text: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(0, len(text)), "end")
    start = data.draw(st.integers(0, end), "start")
    borders = [place for place in range(start, end + 1) if not cuts(text, place)]
    assert last_border(text, start, end) == max(borders, default=start)


@pytest.mark.parametrize("text", ["ab", "a1", "éb", "яa", "٣4", "αβ", "पन", "אב"])
def test_a_place_between_letters_and_digits_cuts_a_word(text: str) -> None:
    assert cuts(text, 1)
    assert not cuts(text, 0)
    assert not cuts(text, 2)


@pytest.mark.parametrize("text", ["a ", "-a", "a_", "号a", "1号", "号码", "한국", "a한", "กa", "ｱa", "𠮷1"])
def test_no_place_beside_another_sign_or_a_letter_of_a_script_without_spaces_does(text: str) -> None:
    assert not cuts(text, 1)
