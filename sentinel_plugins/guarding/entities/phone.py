"""Telephone numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import islice

import phonenumbers

from sentinel_plugins.guarding.entities.checksums import digits_of
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity, number_ends
from sentinel_plugins.guarding.tail import opening

REGIONS = ("US", "GB", "DE", "FR", "ES", "IT")
"""Whose national numbers are found where a configuration names no others. With a country code, all are."""
_LEFT = 32
_LABEL = Label(
    r"(?:tele)?(?:ph|f)one?s?|tel|call|mobile?|cell|cellphone|handy|fax|sms|text(?: me)?|whats ?app|dial|ring"
    r"|rufnummer|t[ée]l(?:[ée]phone)?|portable|tel[ée]fono|m[óo]vil|cellulare|phone (?:number|no)|contact(?: number)?"
    r"|reach me(?: at| on)?",
    left=_LEFT,
)
_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\([0-9]{3}\) ?|[0-9]{3}([-. ]))[0-9]{3}[-. ][0-9]{4}")
_EXTENSION = re.compile(r"[ ,]{0,2}(?:x|ext\.?|extension)[ .]{0,2}[0-9]{1,6}\Z")
_NO_PHONE = re.compile(
    r"(?:[0-9]{1,2}([./-])[0-9]{1,2}\1(?:[0-9]{2}|[0-9]{4})|[0-9]{1,2} [0-9]{1,2} [0-9]{4}"
    r"|[0-9]{4}([./ -])[0-9]{2}\2[0-9]{2})(?: .*)?|[0-9]{3}-[0-9]{2}-[0-9]{4}"
)
"""Dates, with a time or without, and the form of social security numbers."""
_THOUSANDS = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+|[0-9]+[.,][0-9]+")
_FEWEST_DIGITS = 7
_MOST_ENDS = 4
"""Of a candidate these are tried, which bounds the work: a few groups of other digits may follow a number."""
_DIVIDERS = ("-", ".", "/")
"""Before more digits, they say that a number goes on."""
_TWO_ZEROS = re.compile("00[1-9]")
"""In front of a number that is no country's: written at home, one of them too many."""
_FOURS = re.compile(r"[0-9]{4}(?:[ -][0-9]{4})+")
_GAP = r"(?:[ ().\-/]|\x{a0})"
_EXTENDING = f"(?:x|{opening('extension')}|ext\\.)"
_MORE = "(?:[ ().\\-/\u00a0]{0,3}[0-9])"


class PhoneNumber(PatternEntity):
    """With a country code, of a length that the country has; in the form of North America; else valid in one of the
    regions and divided, with the 0 in front where a country writes one; or after a word such as `call`. Undivided
    digits without such a word are left alone: order numbers look the same."""

    def __init__(self, regions: Sequence[str] = REGIONS) -> None:
        """Of these regions, national numbers."""
        super().__init__(
            "PHONE_NUMBER",
            "pii",
            rf"[+(0-9]{FREE}(?<![+].)(?<![0-9][.,:/-].)"
            rf"(?:(?<=[+]) ?\(?[0-9]|(?<=[(])[0-9]{{1,5}}(?=\))|(?<=[0-9])){_MORE}{{4,16}}"
            r"(?:[ ,]{0,2}(?:x|ext\.?|extension)[ .]{0,2}[0-9]{1,6})?(?![A-Za-z0-9_])",
            trigger=rf"[0-9](?:{_GAP}{{0,3}}[0-9]){{6}}",
            live=rf"(?:[0-9]|\+ ?\(?|\()(?:{_GAP}|[0-9])*(?:[ ,]{{0,2}}{_EXTENDING}?[ .]{{0,2}}[0-9]{{0,6}})?",
            max_length=48,
            left=_LEFT,
        )
        self._regions = tuple(regions)
        self._plans = [(region, plan) for region in regions if (plan := _written(region)) is not None]
        self._american = any(phonenumbers.country_code_for_region(region) == 1 for region in regions)

    def longest(self, text: str, start: int, end: int) -> int | None:
        """The candidate may have something behind the number. As many shorter ones are tried as `_MOST_ENDS` says."""
        if end - start < _FEWEST_DIGITS or len(digits_of(text[start:end])) < _FEWEST_DIGITS:
            return None
        international = text.startswith(("+", "00"), start)
        later = not international and _goes_on(text, start)
        labelled = text[start] != "+" and _LABEL.before(text, start)
        if later and not labelled:
            return self._american_end(text, start, end)
        found = self._end(text, start, end, _worldwide if international else partial(self._national, labelled))
        if found is None and international and labelled:
            found = self._end(text, start, end, partial(self._national, True))
        return found

    def _end(self, text: str, start: int, end: int, is_one: Callable[[str, str], bool]) -> int | None:
        """Where the longest candidate ends that is one."""
        for at in islice(number_ends(text, start, end), _MOST_ENDS):
            value = text[start:at]
            if "x" in value:
                value = _EXTENSION.sub("", value)
            digits = digits_of(value)
            if len(digits) < _FEWEST_DIGITS:
                return None
            divided = text[at : at + 1] in _DIVIDERS and text[at + 1 : at + 2].isdigit()
            if divided or at - start > self.max_length:
                continue
            if is_one(value, digits):
                return at
        return None

    def _american_end(self, text: str, start: int, end: int) -> int | None:
        number = _AMERICAN.match(text, start, end) if self._american else None
        return number.end() if number and (number.end() == end or not text[number.end()].isalnum()) else None

    def _national(self, labelled: bool, value: str, digits: str) -> bool:
        if self._american and _AMERICAN.fullmatch(value):
            return True
        if labelled and not _NO_PHONE.fullmatch(value):
            number = digits[1:] if _TWO_ZEROS.match(digits) else value
            return any(_possible(number, region) for region in self._regions)
        return self._divided(value, digits)

    def _divided(self, value: str, digits: str) -> bool:
        if value == digits or _NO_PHONE.fullmatch(value) or _THOUSANDS.fullmatch(value) or _FOURS.fullmatch(value):
            return False
        return any(plan.fullmatch(digits) and _valid(digits, region) for region, plan in self._plans)


def _worldwide(value: str, digits: str) -> bool:
    """With `+` or `00` (behind that, only what is assigned), and maybe what is only dialled at home: `+44 (0)20`."""
    number = "+" + digits_of(value.replace("(0)", "")).removeprefix("00")
    american = number.startswith("+1") and value != digits
    return _possible(number, None) if value[0] == "+" or american else _valid(number, None)


def _goes_on(text: str, start: int) -> bool:
    """Whether these are the later groups of a longer number."""
    return start >= 2 and text[start - 1] in " ./-" and text[start - 2].isdigit()


def _written(region: str) -> re.Pattern[str] | None:
    """How numbers of the region begin where they are written at home: with its trunk prefix, if it has one. None for
    North America, whose numbers are told by their form."""
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(region)
    if metadata is None or metadata.general_desc is None or metadata.national_prefix == "1":
        return None
    return re.compile(f"{metadata.national_prefix or ''}(?:{metadata.general_desc.national_number_pattern})")


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _possible(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
