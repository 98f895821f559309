"""Rows of figures are no values and cost little, however long they are and however they come."""

from __future__ import annotations

from collections.abc import Sequence

import phonenumbers
import pytest

from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.entities import structured_pii
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.views import Reader
from tests.plugins.guarding.test_spots import PII

ROWS = {
    "bytes of zero": "00 ",
    "words of zero": "0000 ",
    "octets of bits": "0100 0011 0000 0001 ",
    "a matrix of zeros": "0 ",
    "numbers with a zero in front": "001 002 010 0049 ",
    "brackets": "(00) (1) ",
    "integers": "512 87 4 733 90 ",
    "floats": "0.1775 87.1405 3.9012 ",
    "years": "1937-1975, 2001-2010, ",
    "a dump": "00000010  00 00 00 00 00 00 00 00  |........|\n",
    "dates": "2025-04-28 14:11 ",
}
CHARS = 2000
SCANNER = Scanner(structured_pii())


def row(name: str) -> str:
    return (ROWS[name] * CHARS)[:CHARS]


@pytest.mark.parametrize("name", ROWS)
def test_nothing_is_found_in_a_row(name: str) -> None:
    assert not SCANNER.find(row(name))


@pytest.mark.parametrize("name", ROWS)
def test_a_row_is_held_no_further_than_a_value_goes(name: str) -> None:
    longest = max(entity.max_length for entity in structured_pii() if entity.name in ("PHONE_NUMBER", "CREDIT_CARD"))
    assert SCANNER.live_from(row(name)) >= CHARS - longest - len("  extension  123456/")


@pytest.mark.parametrize("name", ROWS)
def test_nobody_is_asked_whether_a_row_is_a_telephone_number(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer of the library takes fifty times as long as a look at the groups."""
    asked: list[str] = []
    monkeypatch.setattr(phonenumbers, "parse", lambda number, region=None: asked.append(number))
    SCANNER.find(row(name))
    assert not asked


class Counting:
    """A finder that counts the characters that it searches."""

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self.max_length, self.left = finder.max_length, finder.left
        self.searched = 0

    def find(self, text: str) -> Sequence[Found]:
        self.searched += len(text)
        return self._finder.find(text)

    def live_from(self, text: str) -> int:
        return self._finder.live_from(text)

    def following(self) -> Finder:
        return self


@pytest.mark.parametrize("name", ROWS)
@pytest.mark.parametrize("size", [1, 4, 13])
def test_a_row_that_is_streamed_is_not_searched_anew_for_each_event(name: str, size: int) -> None:
    text, finder = row(name), Counting(Reader(SCANNER))
    stream = PII.text(kind="content", finder=finder)
    left = "".join(stream.feed(text[at : at + size]) for at in range(0, CHARS, size)) + stream.feed("", end=True)
    assert left == text
    assert not PII.changes([TextSlot(("messages", 0, "content"), text, "user", "content")])
    assert finder.searched <= 40 * CHARS


def test_a_row_leaves_while_it_goes_on() -> None:
    stream = PII.text(kind="content")
    left = [stream.feed("0000 ") for _ in range(100)]
    assert sum(map(len, left)) >= 400
