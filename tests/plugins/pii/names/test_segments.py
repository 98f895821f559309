"""Where texts are cut for a model: the same places, whatever pieces they come in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.pii.names.segments import LONGEST, Segments
from tests.plugins.guarding.test_streams import pieces
from tests.plugins.pii.names.naive import segments
from tests.properties import promised

WORDS = ("Ann", "Dr", "Dr.", "J", "e.g", ".", "...", "!", "?!", '"', ")", "*", "\u201d", " ", "\n", "\t", "\u3002", "x")
LONG = ("." * 399, "." * 401, "word" * 90, "word " * 72, "word " * 69, "x" * 349, "x" * 351)
TEXTS = st.lists(st.sampled_from(WORDS) | st.sampled_from(LONG) | st.text(max_size=3), max_size=20).map("".join)
PLACES = st.lists(st.integers(0, 5_000), max_size=20)


def cut(*parts: str) -> list[str]:
    made = Segments()
    return [segment for part in parts for segment in made.take(part)] + made.take("", end=True)


@promised()
@given(TEXTS, PLACES)
def test_p6_segments_do_not_depend_on_the_pieces(text: str, places: list[int]) -> None:
    assert cut(*pieces(text, places)) == cut(text) == segments(text)
    assert "".join(cut(text)) == text


@promised()
@given(TEXTS)
def test_p6_a_segment_ends_with_its_last_character_and_waits_for_no_other(text: str) -> None:
    made = Segments()
    for segment in cut(text)[:-1]:
        assert made.take(segment) == [segment]
        assert made.open == 0


@given(TEXTS)
def test_no_segment_is_longer_than_the_longest(text: str) -> None:
    assert all(0 < len(segment) <= LONGEST for segment in cut(text))


@pytest.mark.parametrize(
    ("text", "cuts"),
    [
        ("One. Two! Three", ["One. ", "Two! ", "Three"]),
        ("Mr. J. R. Smith, Prof. Ann vs. Bob. Now", ["Mr. J. R. Smith, Prof. Ann vs. Bob. ", "Now"]),
        ('He said "no." Then', ['He said "no." ', "Then"]),
        ("Wait... what?! Yes", ["Wait... ", "what?! ", "Yes"]),
        ("v1.2 at example.com is 3.5", ["v1.2 at example.com is 3.5"]),
        ("- one\n- two\n", ["- one\n", "- two\n"]),
        ("\u6211\u662f\u738b\u3002\u4f60\u597d", ["\u6211\u662f\u738b\u3002", "\u4f60\u597d"]),
        ("The Doctor. Then", ["The Doctor. ", "Then"]),
    ],
)
def test_where_a_sentence_ends(text: str, cuts: list[str]) -> None:
    assert cut(text) == cuts


def test_a_long_sentence_is_cut_between_words() -> None:
    first, *_ = cut("word " * 100)
    assert first == "word " * 71
