"""Letters, and the marks that are characters of their own behind them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.marks import precomposed

texts = st.text("aueиǰ \u0300\u0306\u0308\u0323\u3099か\u1112\u1161\u11ab1", max_size=12)


@given(texts)
def test_a_letter_and_its_marks_are_one_character_as_unicode_has_it(text: str) -> None:
    read, whole = precomposed(text)[0], unicodedata.normalize("NFC", text)
    assert unicodedata.normalize("NFC", read) == whole
    assert len(read) == len(whole)


@given(texts)
def test_what_is_composed_leads_back_to_the_letter_and_its_marks(text: str) -> None:
    read, origins = precomposed(text)
    for at, letter in enumerate(read):
        start, end = origins.span(at, at + 1)
        assert letter in unicodedata.normalize("NFC", text[start:end])


@pytest.mark.parametrize("text", ["plain", "Café", "पहाड़", "שָׁלוֹם", "ที่", "\u0308 a"])
def test_other_texts_stay(text: str) -> None:
    assert precomposed(text)[0] == text


@pytest.mark.parametrize("text", ["1\u0323\u0300", "1\u0300\u0323"])
def test_marks_that_make_no_character_stay_as_they_came(text: str) -> None:
    assert precomposed(text)[0] == text
