"""Private keys, those among them that are longer than what a stream holds back."""

from __future__ import annotations

import base64
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entities.private_key import MAX_LENGTH, PrivateKey
from sentinel_plugins.guarding.finder import Together
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.transducer import Transducer
from sentinel_plugins.guarding.written import PlainText
from tests.plugins.guarding.test_transducer import cut
from tests.properties import promised

KEY = PrivateKey()
BEGIN, END = "-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"


def block(body: int, *, end: str = END, newline: str = "\n") -> str:
    """A key of so many characters of base64."""
    text = base64.b64encode(Random(body).randbytes(body)).decode()[:body]
    lines = newline.join(text[at : at + 64] for at in range(0, len(text), 64))
    return f"{BEGIN}{newline}{lines}{newline}{end}"


def through(pieces: list[str]) -> str:
    finder = Together([Scanner([KEY])])
    transducer = Transducer(
        finder, lambda _: 1, lambda cluster, value: redacted(cluster.first, value), overlong={KEY.name: KEY}
    )
    text = PlainText(transducer)
    return "".join([*(text.feed(piece) for piece in pieces), text.feed("", end=True)])


@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n"])
@pytest.mark.parametrize("body", [64, 3_000, 7_900, 8_000, 8_100, 8_192, 9_000, 20_000])
def test_nothing_of_a_key_is_left_however_long_it_is(body: int, newline: str) -> None:
    key = block(body, newline=newline)
    assert through([f"It is {key} (do not share it)."]) == "It is [PRIVATE_KEY] (do not share it)."


@promised()
@given(st.integers(7_500, 8_300), st.lists(st.integers(0, 8_500), max_size=8))
def test_p6_where_a_long_key_is_cut_changes_nothing(body: int, places: list[int]) -> None:
    text = f"It is {block(body)} (do not share it)."
    assert through(cut(text, places)) == through([text])


def test_a_long_key_without_an_end_goes_as_far_as_it_can() -> None:
    key = block(20_000, end="")
    assert through([f"{key}(cut off)"]) == "[PRIVATE_KEY](cut off)"


def test_prose_behind_a_beginning_is_left() -> None:
    prose = "A block begins so, and nothing of it follows but words of a text " * 200
    assert through([f"{BEGIN} {prose}"]) == f"{BEGIN} {prose}"


def test_so_many_characters_only_of_what_goes_on() -> None:
    for body in range(8_000, 8_200, 7):
        (found,) = KEY.find(block(body))
        whole = len(block(body))
        assert (found.end - found.start == MAX_LENGTH) is (whole >= MAX_LENGTH)
        assert found.end == min(whole, MAX_LENGTH)
