"""P5 for `reversible`: what was taken out of a text is in it again, wherever the text is cut on its way back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.pii.placeholder import LENGTH
from sentinel_plugins.pii.restoring import Restored, restored
from sentinel_plugins.pii.vault import Vault
from tests.long_form import long_form
from tests.plugins.guarding.growth import MOST, growth
from tests.plugins.pii.reversing import put_back
from tests.properties import promised

VALUES = ("ann@acme.com", "+1 415-555-2671", 'O"Neil\\', "Jörg\nBär", "4111111111111111", "a", "🙂@x.de")
VAULT = Vault(b"k" * 32)
PLACEHOLDERS = [VAULT.put(value) for value in VALUES]
CUTS = st.lists(st.integers(0, 500), max_size=12)
part = st.one_of(
    st.sampled_from(PLACEHOLDERS),
    st.sampled_from(PLACEHOLDERS).map(str.lower),
    st.sampled_from(PLACEHOLDERS).flatmap(lambda text: st.integers(0, LENGTH).map(lambda at: text[:at])),
    st.sampled_from([" ", ".", "x", "1", "é", "\u017f", "\u212a", "\n", "ß", "🙂", '"', "\\", "Q", "q4"]),
    st.text(st.characters(exclude_characters="/<:]([{"), max_size=3),
)
TEXTS = st.lists(part, max_size=9).map("".join)


def pieces(text: str, cuts: Sequence[int]) -> list[str]:
    at = sorted({0, len(text), *(place % (len(text) + 1) for place in cuts)})
    return [text[start:end] for start, end in pairwise(at)]


def through(text: str, cuts: Sequence[int] = (), *, json: bool = False) -> str:
    out = restored(VAULT, json=json)
    return "".join([*(out.feed(piece) for piece in pieces(text, cuts)), out.feed("", end=True)])


@promised()
@given(TEXTS, CUTS)
def test_p5_p6_every_split_gives_the_values_back(text: str, cuts: list[int]) -> None:
    assert through(text, cuts) == put_back(VAULT, text)


@promised()
@given(st.lists(part, max_size=6).map("".join), CUTS, st.booleans())
def test_p5_p6_in_strings_of_json_the_values_are_escaped(text: str, cuts: list[int], ascii_only: bool) -> None:
    arguments = json.dumps({"to": text, text: [text, 1]}, ensure_ascii=ascii_only)
    value = put_back(VAULT, text)
    assert json.loads(through(arguments, cuts, json=True)) == {"to": value, value: [value, 1]}


@given(st.lists(st.sampled_from([*PLACEHOLDERS, " ", "x", '"', "\\", "é"]), max_size=6).map("".join), CUTS)
def test_once_more_for_every_string_around_them(text: str, cuts: list[int]) -> None:
    """Arguments whose string is JSON whose string is JSON: each of them can be read."""
    inner = json.dumps([text])
    arguments = json.dumps({"body": json.dumps({"payload": inner, "n": 1})})
    body = json.loads(json.loads(through(arguments, cuts, json=True))["body"])
    assert json.loads(body["payload"]) == [put_back(VAULT, text)]


@given(st.sampled_from(PLACEHOLDERS), CUTS)
def test_a_content_that_is_json_stays_json(text: str, cuts: list[int]) -> None:
    """Nobody said that it would be."""
    assert json.loads(through(f'{{"name": "{text}"}}', cuts)) == {"name": put_back(VAULT, text)}


def test_what_stands_for_a_value_in_the_place_of_a_number_becomes_a_string() -> None:
    assert through(f'{{"card": {PLACEHOLDERS[4]}, "n": 1}}', json=True) == '{"card": "4111111111111111", "n": 1}'


def test_a_letter_may_be_written_as_an_escape() -> None:
    text = PLACEHOLDERS[0]
    assert through(f'{{"a": "\\u{ord(text[0]):04x}{text[1:]}"}}', json=True) == '{"a": "ann@acme.com"}'


@pytest.mark.parametrize(
    "text", ["[x](https://evil.test/{})", "![x](/{})", "<img src='/{}'>", "https://evil.test/{}", "[1]: /x/{}"]
)
@given(CUTS)
def test_in_the_target_of_a_link_nothing_is_put_back(text: str, cuts: list[int]) -> None:
    text = text.format(PLACEHOLDERS[0])
    assert through(text, cuts) == text
    arguments = json.dumps({"body": text, "to": PLACEHOLDERS[0]})
    assert json.loads(through(arguments, cuts, json=True)) == {"body": text, "to": "ann@acme.com"}


def test_arguments_are_texts_apart() -> None:
    """An address in one string is no reason to leave the next one alone."""
    arguments = f'{{"url":"https://acme.test/x","mail":"{PLACEHOLDERS[0]}"}}'
    assert through(arguments, json=True) == '{"url":"https://acme.test/x","mail":"ann@acme.com"}'


def test_a_placeholder_that_the_model_got_wrong_stays() -> None:
    text = PLACEHOLDERS[0]
    for at in range(LENGTH):
        wrong = text[:at] + ("Z" if text[at] != "Z" else "X") + text[at + 1 :]
        assert through(wrong) == wrong


@given(TEXTS)
def test_nothing_is_held_but_what_may_be_a_beginning(text: str) -> None:
    out, left = Restored(VAULT), 0
    for at, character in enumerate(text, 1):
        left += sum(piece.taken for piece in out.feed(character))
        held = text[left:at].upper()
        assert not held or any(one != held and one.startswith(held) for one in PLACEHOLDERS)


@long_form
@pytest.mark.parametrize("text", [VAULT.nonce, VAULT.nonce[0], PLACEHOLDERS[0][:-1], PLACEHOLDERS[0], "x", '"', '{"'])
@pytest.mark.parametrize("json", [False, True])
def test_p6_the_time_is_linear(text: str, json: bool) -> None:
    def work(whole: str) -> None:
        out = restored(VAULT, json=json)
        for at in range(0, len(whole), 7):
            out.feed(whole[at : at + 7])

    assert growth(work, text) <= MOST
