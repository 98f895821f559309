"""Letters changed one by one, in one pass over bytes: as they change in a whole text."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.injection.alphabet import CYRILLIC, LATIN, WESTERN, ByLetter
from sentinel_plugins.injection.views import folded, lookalike
from sentinel_plugins.injection.words import LONGEST, words_of

CODES = (LATIN, WESTERN, CYRILLIC)
LETTERS = {code: [letter for byte in range(256) if (letter := bytes([byte]).decode(code, "ignore"))] for code in CODES}
MARKS = re.compile("[\u00ad\u0300-\u036f]")
"""Of what folding drops, whatever letters of these alphabets are taken apart into."""
TEXTS = st.one_of(
    [st.text(st.sampled_from([*LETTERS[code], *"aeiou  ..__"])) for code in CODES]
    + [st.text(st.sampled_from([*LETTERS[WESTERN], "\x85", "\x93", "\x9c"]), max_size=6)]
    + [st.text(st.sampled_from([letter for code in CODES for letter in LETTERS[code]])), st.text()]
)


def taken_apart(text: str) -> str:
    """The text in lower case and compatibility form, without accents: the long way round."""
    return unicodedata.normalize("NFC", MARKS.sub("", unicodedata.normalize("NFKD", text).lower()))


@pytest.mark.parametrize("code", CODES)
def test_folding_asks_for_no_neighbours(code: str) -> None:
    """Every letter of a code beside every other one, before it and behind it."""
    for first in LETTERS[code]:
        text = "".join(first + second for second in LETTERS[code])
        assert folded(text) == taken_apart(text)


@given(TEXTS)
def test_a_change_by_letters_is_the_change_of_the_text(text: str) -> None:
    def swapped(text: str) -> str:
        others = {"a": "", "e": "éè", "й": "и", "€": "Ω", ".": "…", "Œ": "œ", "™": "t", "“": ""}
        return "".join(others.get(letter, letter) for letter in text)

    assert ByLetter(swapped)(text) == swapped(text)


@given(TEXTS)
def test_words_are_runs_of_letters_and_digits_in_any_alphabet(text: str) -> None:
    assert words_of(text) == re.findall(rf"[^\W_]{{1,{LONGEST}}}", text)


@pytest.mark.parametrize("code", CODES)
def test_texts_of_one_alphabet_go_the_short_way(code: str) -> None:
    text = "".join(LETTERS[code])
    assert ByLetter(str).of(text) == text


@pytest.mark.parametrize("text", ["日本", "é日", "čo", "γνώση", "ж Œ"])
def test_texts_of_other_alphabets_or_of_several_do_not(text: str) -> None:
    assert ByLetter(str).of(text) is None


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("\u0456gn\u043ere \u0430ll", "ignore all"),
        ("ign\u03bfre", "ignore"),
        ("привет", "npubet"),
        ("日本 ign\u043ere", "日本 ignore"),
        ("ignore", None),
        ("où est-ce", None),
    ],
)
def test_letters_that_look_latin_are_read_so(text: str, latin: str | None) -> None:
    assert lookalike(text) == latin
