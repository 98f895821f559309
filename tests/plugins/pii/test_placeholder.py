"""What stands for a value: recognised when it is whole, by nobody taken for a value."""

from __future__ import annotations

import hashlib
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.views import Reader
from sentinel_plugins.pii.placeholder import LENGTH, LETTERS, is_placeholder, nonce, placeholder, upper
from tests.properties import promised

placeholders = st.binary(min_size=32, max_size=32).map(
    lambda digest: placeholder(nonce(hashlib.sha256(digest).digest()), digest)
)
EVERYTHING = Reader(Scanner([*structured_pii(), *secrets()]))


@given(placeholders)
def test_letters_and_digits_of_one_length(text: str) -> None:
    assert is_placeholder(text)
    assert len(text) == LENGTH
    assert text.isascii()
    assert text.isalnum()
    assert text == text.upper()


@given(placeholders)
def test_one_wrong_character_or_two_that_changed_places_are_noticed(text: str) -> None:
    for at, sign in enumerate(text):
        for other in LETTERS + "0123456789":
            assert is_placeholder(text[:at] + other + text[at + 1 :]) == (other == sign)
    for first, second in combinations(range(LENGTH), 2):
        signs = list(text)
        signs[first], signs[second] = signs[second], signs[first]
        if text[first] != text[second]:
            assert not is_placeholder("".join(signs))


@promised()
@given(placeholders, st.sampled_from(["", "card no. ", "call ", "SSN: ", "born ", "from ", "Steuer-ID ", "a@b.com, "]))
def test_p5_no_guard_takes_one_for_a_value(text: str, before: str) -> None:
    """Words that make a random token a secret are the one exception, and guards are told of that."""
    for written in (text, text.lower()):
        found = EVERYTHING.find(f"{before}{written} and more")
        assert all(one.end <= len(before) for one in found)


@given(st.text())
def test_capitals_move_no_character(text: str) -> None:
    read = upper(text)
    assert len(read) == len(text)
    for was, now in zip(text, read, strict=True):
        assert now == (was.upper() if was.isascii() else was)
