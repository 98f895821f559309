"""Telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeAlias

import phonenumbers

from sentinel_plugins.guarding.entities.amount import AMOUNT_BEGUN
from sentinel_plugins.guarding.entities.checksums import digits_of
from sentinel_plugins.guarding.entities.numbering import abroad, plan
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity, number_ends
from sentinel_plugins.guarding.entities.phone_form import (
    AMERICAN,
    AMERICAN_BEGUN,
    DATED,
    LEFT,
    NATIONAL_BEGUN,
    SPACED,
    counted,
    goes_on,
    postal,
    written,
)
from sentinel_plugins.guarding.entities.phone_words import PERHAPS, PHONE
from sentinel_plugins.guarding.tail import opening

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT")
"""Whose national numbers are found where a configuration names no others. With a country code, all are."""
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension)[ .]{0,2}[0-9]{1,6}\Z")
_FEWEST_DIGITS = 7
_MOST_CHARACTERS = 48
_READ = _MOST_CHARACTERS + 12
"""With what follows a number and may tell that it is none."""
_MOST_ENDS = 4
"""Of a candidate these are tried, which bounds the work: a few groups of other digits may follow a number."""
_DIVIDERS = ("-", ".", "/")
"""Before more digits, they say that a number goes on."""
_TWO_ZEROS = re.compile("00[1-9]")
"""In front of a number that is no country's: written at home, one of them too many."""
_DECIMAL = re.compile(r"(?:0|[1-9][0-9]*)\.[0-9]+")
_OPERAND = re.compile(r"[A-Za-z0-9_)\]][ \t]{0,8}\Z")
_SPACED_OUT = re.compile(r"\+ \(?[0-9]{1,3}\)?[ -]\(?[0-9]+\)?(?:[ -][0-9]+)+")
"""As nobody writes what is added: `+ 44 20 7946 0958`."""
_LEFT_OPEN = re.compile(r"\+ ?\([^)]*\Z")
_GAP = r"(?:[ ().\-/]|\x{a0})"
_EXTENDING = f"(?:x|{opening('extension')}|ext\\.)"
_BETWEEN = "[ ().\\-/\u00a0]{0,3}"
_START = rf"[+(0-9]{FREE}(?<![+].)(?<![0-9][.,:/'-].)"
_CANDIDATE = (
    rf"(?:(?<=[+]) ?\(?[0-9]|(?<=[(])[0-9]{{1,5}}(?=\))|(?<=[0-9]))(?:{_BETWEEN}[0-9]){{4,16}}"
    r"(?:[ ,]{0,2}(?:x|ext\.?|extension)[ .]{0,2}[0-9]{1,6})?(?![A-Za-z0-9])"
)
_ABROAD = rf"\+|00{_BETWEEN}[1-9]"
_NORTH_AMERICA = plan(1)
_IN_FRONT = "(?<![0-9] .)(?<![0-9][A-Fa-f] .)(?<![0-9A-Fa-f]{2} [A-Fa-f]{2} .)(?<!-.)"
_BEHIND_OTHERS = re.compile(r"(?:-|[0-9][A-Fa-f]? |[0-9A-Fa-f]{2} [A-Fa-f]{2} )\Z")
"""Before the later groups of a longer number, bytes of a dump, and a figure with its sign."""

IsOne: TypeAlias = Callable[[int, str, str], bool]
"""Whether what ends at this place is a number: itself, and its digits, without an extension."""


class PhoneNumber(PatternEntity):
    """With a country code, of a length that the country has; in the form of North America; else valid in one of the
    regions and divided as people do it, with the 0 in front where a country writes one; or after a word such as `call`.
    Undivided digits without such a word are left alone: order numbers look the same."""

    def __init__(self, regions: Sequence[str] = REGIONS) -> None:
        """Of these regions, national numbers."""
        super().__init__(
            "PHONE_NUMBER",
            "pii",
            _START + _CANDIDATE,
            trigger=rf"[0-9](?:{_GAP}{{0,3}}[0-9]){{6}}",
            live=rf"(?:[0-9]|\+ ?\(?|\()(?:{_GAP}|[0-9]){{0,{_READ - 1}}}"
            rf"(?:[ ,:]{{0,2}}{_EXTENDING}?[ .]{{0,2}}[0-9]{{0,6}}[./-]?)?|{AMOUNT_BEGUN}",
            max_length=_READ,
            left=LEFT,
        )
        self._unlabelled = re.compile(
            rf"{_START}(?:(?<=(?={_ABROAD}|{AMERICAN_BEGUN}).)|{_IN_FRONT}(?<=(?={NATIONAL_BEGUN}).)){_CANDIDATE}"
        )
        self._plans = {region: plan(phonenumbers.country_code_for_region(region)) for region in regions}
        self._american = _NORTH_AMERICA in self._plans.values()
        self._written = [home for home in self._plans.values() if home is not _NORTH_AMERICA]

    def pattern_for(self, text: str) -> re.Pattern[str]:
        """Where no word says what they are, most groups of digits need no closer look."""
        return self._pattern if PERHAPS.may_be_in(text) else self._unlabelled

    def longest(self, text: str, start: int, end: int) -> int | None:
        """The candidate may have something behind the number. As many shorter ones are tried as `_MOST_ENDS` says."""
        if _added(text, start, end) and not PHONE.before(text, start):
            return None
        labelled = text[start] != "+" and PHONE.before(text, start)
        if text.startswith(("+", "00"), start):
            found = _end_abroad(text, start, end)
            if found is not None or not labelled:
                return found
        if postal(text, start):
            return None
        if labelled:
            return _first(text, start, end, lambda at, value, digits: self._called(value, digits))
        if _BEHIND_OTHERS.search(text, max(0, start - 6), start):
            at = self._american_end(text, start, end)
            return None if at is None or counted(text[start:at], text, start, at) else at
        return _first(text, start, end, lambda at, value, digits: self._alone(text, start, at, value, digits))

    def _american_end(self, text: str, start: int, end: int) -> int | None:
        number = AMERICAN.match(text, start, end) if self._american else None
        return number.end() if number and (number.end() == end or not text[number.end()].isalnum()) else None

    def _called(self, value: str, digits: str) -> bool:
        """Behind a word that says so, whatever may be dialled."""
        if self._american and AMERICAN.fullmatch(value):
            return True
        if DATED.fullmatch(value) or _DECIMAL.fullmatch(value):
            return False
        if _TWO_ZEROS.match(digits):
            value = digits = digits[1:]
        return any(home.may_be_dialled(digits) and _possible(value, region) for region, home in self._plans.items())

    def _alone(self, text: str, start: int, end: int, value: str, digits: str) -> bool:
        """Behind no such word, what is written as numbers are and is one of a region."""
        if len(value) == end - start and counted(value, text, start, end):
            return False
        if self._american and AMERICAN.fullmatch(value):
            return True
        if goes_on(value, text, end) and len(value) == end - start:
            return False
        if self._american and SPACED.fullmatch(value):
            return True
        return written(value) and any(home.written(digits) for home in self._written)


def _added(text: str, start: int, end: int) -> bool:
    """Whether a plus sign stands in a sum: with something before it, and apart from what follows."""
    if not text.startswith(("+ ", "+("), start) or not _OPERAND.search(text, max(0, start - 9), start):
        return False
    return _SPACED_OUT.match(text, start, end) is None


def _first(text: str, start: int, end: int, is_one: IsOne) -> int | None:
    """Where the longest candidate ends that is one."""
    for at in number_ends(text, start, end, _MOST_CHARACTERS)[:_MOST_ENDS]:
        value = text[start:at]
        if "x" in value:
            value = _EXTENSION.sub("", value)
        digits = digits_of(value)
        if len(digits) < _FEWEST_DIGITS:
            return None
        divided = text[at : at + 1] in _DIVIDERS and text[at + 1 : at + 2].isdigit()
        if not divided and is_one(at, value, digits):
            return at
    return None


def _end_abroad(text: str, start: int, end: int) -> int | None:
    """With `+` or `00`: behind that only what is assigned, except in North America, where it is divided."""
    called = abroad(_dialled(text[start:end]))
    if called is None:
        return None
    country, rest = called
    if text[start] == "0" and not (rest[:1] > "1" if country is _NORTH_AMERICA else country.begins_valid(rest)):
        return None
    return _first(text, start, end, lambda at, value, digits: _worldwide(value, digits))


def _worldwide(value: str, digits: str) -> bool:
    number = _dialled(value)
    called = abroad(number)
    if called is None:
        return False
    country, rest = called
    if _LEFT_OPEN.match(value):
        return False
    if value[0] == "+" or (country is _NORTH_AMERICA and value != digits):
        return country.possible(rest)
    return country.valid(rest)


def _dialled(value: str) -> str:
    """From the calling code on, without what is only dialled at home: `+44 (0)20`."""
    return digits_of(value.replace("(0)", "")).removeprefix("00")


def _possible(number: str, region: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
