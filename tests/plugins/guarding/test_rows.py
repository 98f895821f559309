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


@pytest.mark.parametrize(
    ("entity", "value", "text"),
    [
        ("US_SSN", "123 45 6789", "SSN {} 12"),
        ("US_SSN", "123.45.6789", "SSN version {}"),
        ("US_SSN", "128 64 1024", "my SSN: {}"),
        ("US_SSN", "101-12-2023", "version {} 12"),
        ("US_SSN", "123/45/6789", "{} (12)"),
        ("UK_NHS", "943 476 5919", "NHS no. {} 12"),
        ("DE_TAX_ID", "86 095 742 719", "Steuer-ID {} 3"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "card {} 5476"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "17 {} 0429"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "{} 2026 123"),
        ("CREDIT_CARD", "4111 1111 1111 1111", "30 Nov 2026 {}"),
        ("PHONE_NUMBER", "640 480 320", "tel. {}"),
        ("PHONE_NUMBER", "612 345 678", "Tel. {} €"),
        ("PHONE_NUMBER", "612 345 678", "tengo {} europeo"),
        ("PHONE_NUMBER", "612 345 678", "tengo {}, 3 veces"),
        ("PHONE_NUMBER", "612 345 678", "[{}](tel)"),
        ("PHONE_NUMBER", "612\u00a0345\u00a0678", "{}\u00a0o"),
        ("PHONE_NUMBER", "212 555 0143", "{}, 12"),
        ("PHONE_NUMBER", "212.555.0143", "{}, version 2"),
        ("PHONE_NUMBER", "300-200-1000", "phone {}"),
    ],
)
def test_a_number_is_found_behind_its_word_and_by_itself(entity: str, value: str, text: str) -> None:
    written = text.format(value)
    assert (entity, value) in {(found.entity, written[found.start : found.end]) for found in SCANNER.find(written)}


@pytest.mark.parametrize("unit", ["euros", "EUR", "Kč", "рублей", "€", "1", "personas", "]"])
@pytest.mark.parametrize("gap", [" ", "\u00a0", "\u202f"])
def test_an_amount_is_held_until_it_is_told_from_a_number(gap: str, unit: str) -> None:
    amount = f"612 345 678{gap}{unit}"
    assert [SCANNER.live_from(f"es {amount[:cut]}") for cut in range(4, len(amount))] == [3] * (len(amount) - 4)


@pytest.mark.parametrize("unit", ["Kč", "zł", "рублей"])
@pytest.mark.parametrize("behind", [" now", "[OPENAI_KEY]", "sk-proj-abc"])
def test_a_unit_is_one_whether_a_key_behind_it_was_replaced_or_not(unit: str, behind: str) -> None:
    for gap in (" ", "\u202f"):
        assert not SCANNER.find(f"612{gap}345{gap}678 {unit}{behind}")
