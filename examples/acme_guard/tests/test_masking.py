"""The search for words, apart from any chain."""

from __future__ import annotations

import pytest
from acme_guard.masking import WordMask
from hypothesis import given
from hypothesis import strategies as st

WORDS = ["abc", "ab", "bcd", "ca", "İx"]
TEXTS = st.text(alphabet="abcdABCx İé", max_size=30)


def in_pieces(mask: WordMask, pieces: list[str]) -> str:
    """What a stream of these pieces becomes."""
    out, held = "", ""
    for piece in pieces:
        masked, held = mask.split(held + piece)
        out += masked
    return out + mask.whole(held)


@given(pieces=st.lists(TEXTS, max_size=8))
def test_the_cuts_between_pieces_change_nothing(pieces: list[str]) -> None:
    mask = WordMask(WORDS, "***")
    assert in_pieces(mask, pieces) == mask.whole("".join(pieces))


@given(text=TEXTS)
def test_masking_what_is_masked_changes_nothing(text: str) -> None:
    mask = WordMask(WORDS, "***")
    assert mask.whole(mask.whole(text)) == mask.whole(text)


@given(text=TEXTS)
def test_no_more_is_held_than_a_word_can_need(text: str) -> None:
    _, held = WordMask(WORDS, "***").split(text)
    assert any(len(held) < len(word) and word.lower().startswith(held.lower()) for word in WORDS)


@pytest.mark.parametrize(
    ("text", "masked"),
    [("Rosebud", "***"), ("rosebuds", "***s"), ("rose bud", "rose bud"), ("RoSeBuDXANADU", "******"), ("", "")],
)
def test_words_are_found_in_any_case_and_inside_of_others(text: str, masked: str) -> None:
    assert WordMask(["Rosebud", "Xanadu"], "***").whole(text) == masked


def test_what_cannot_become_a_word_any_more_leaves_at_once() -> None:
    mask = WordMask(["Rosebud"], "***")
    assert mask.split("a rose") == ("a ", "rose")
    assert mask.split("a rosette") == ("a rosette", "")
