"""Numbers of payment cards."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sentinel_plugins.guarding.entities.checksums import digits_of, luhn_prefixes
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity

_LEFT = 32
_LABEL = Label(
    r"cards|credit ?card|debit|visa|master ?card|maestro|amex|american express|discover|diners|jcb|unionpay|cvv"
    r"|(?:kredit)?karten?(?:nummer)?|carte|tarjeta|carta",
    left=_LEFT,
    names="Card|C[Cc]|P(?:an|AN)",
)
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d+(?<=^.{16})"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:30[0-5]|3095|3[689])\d+(?<=^.{14})"  # Diners Club
    r"|(?:6011|64[4-9]|65\d)\d{12,16}"  # Discover
    r"|35\d{14}|35(?:2[89]|[3-8]\d)\d{13,15}|(?:2131|1800)\d{11}"  # JCB; of 16 digits all, IMEIs have 15
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5[6-8]\d\d|0604|6304|6390|6759|676[1-3])\d{8,15}"  # Maestro
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:508[5-9]|60[68]\d|8[12]\d\d)\d{12}"  # RuPay
    r"|(?:50609[89]|5061\d\d|6500\d\d)\d{10,13}"  # Verve
)
_BEGIN = "(?:[3-6]|1800|2[1-7]|0604|8[12])"
"""How the numbers of issuers begin: most candidates are dismissed by it."""
_SIGN = r"[ .\-/]"
_PRINTED = re.compile(
    rf"[0-9]{{4}}({_SIGN})(?:(?:[0-9]{{4}}\1)+[0-9]{{1,7}}|[0-9]{{6}}\1[0-9]{{4,5}}|[0-9]{{3}}\1[0-9]{{3}}\1[0-9]{{3}})"
    rf"|[0-9]{{6}}{_SIGN}[0-9]{{13}}"
)
"""In fours, as 4-6-5 or 4-6-4, in 13 digits also as 4-3-3-3, in 19 as 6-13; with one kind of sign."""
_FOURS = re.compile(rf"[0-9]{{4}}({_SIGN})[0-9]{{4}}(?:\1[0-9]{{4}}){{1,2}}")
_FIGURE = "(?<![0-9])(?!(?:19|20)[0-9]{2}|(?:0[1-9]|1[0-2])[2-4][0-9])[0-9]{4}(?![0-9])"
"""No year and no month that a card is good for."""
_MORE, _COLUMN = re.compile(_FIGURE), re.compile(rf"{_FIGURE}\Z")
_WORTH_A_LOOK = rf"(?<=(?={_BEGIN}).)(?=[0-9]{{11}}|[0-9]{{3}}{_SIGN}[0-9]{{3,6}}{_SIGN}|[0-9]{{5}}{_SIGN}[0-9]{{13}})"
_FIRST = rf"[0-9]{FREE}"
_REST = rf"(?:{_SIGN}?[0-9]){{11,18}}(?![A-Za-z0-9])"


class CreditCard(PatternEntity):
    """12 to 19 digits whose Luhn digit is right **and** that begin as an issuer's do, in its length, undivided or as
    issuers print them; or that stand after a word such as `card`, with single spaces, dots, hyphens or slashes in them.
    The check digit alone flags every IMEI, and a tenth of all timestamps and of what stands in columns: figures
    of four digits are no card where one more stands beside them, without such a word."""

    def __init__(self) -> None:
        super().__init__(
            "CREDIT_CARD",
            "pii",
            _FIRST + _REST,
            trigger=rf"[0-9](?:{_SIGN}?[0-9]){{11}}",
            live=rf"[0-9](?:{_SIGN}?[0-9]){{0,19}}{_SIGN}?",
            max_length=37,
            left=_LEFT,
        )
        self._unlabelled = re.compile(_FIRST + _WORTH_A_LOOK + _REST)

    def pattern_for(self, text: str) -> re.Pattern[str]:
        """Where no word says what they are, most groups of digits need no closer look."""
        return self._pattern if _LABEL.may_be_in(text) else self._unlabelled

    def longest(self, text: str, start: int, end: int) -> int | None:
        """The candidate may have something behind the number, such as a year: every place where a number ends."""
        digits = digits_of(text[start:end])
        issued = _ISSUERS.match(digits) is not None and _stands_alone(text, start)
        if not (issued or _LABEL.before(text, start)):
            return None
        right = luhn_prefixes(digits)
        for at, count in _ends(text, start, end):
            if count < 12:
                return None
            if right[count] and self._card(text, start, at, digits[:count], issued):
                return at
        return None

    def _card(self, text: str, start: int, end: int, digits: str, issued: bool) -> bool:
        if len(set(digits)) == 1:
            return False
        whole = end - start == len(digits) or _PRINTED.fullmatch(text, start, end) is not None
        right = issued and whole and _ISSUERS.fullmatch(digits) is not None
        return (right and not _in_columns(text, start, end)) or _LABEL.before(text, start)


def _in_columns(text: str, start: int, end: int) -> bool:
    """Whether one more figure of four digits stands beside those of a card."""
    fours = _FOURS.fullmatch(text, start, end)
    if fours is None:
        return False
    if text.startswith(fours[1], end) and _MORE.match(text, end + 1):
        return True
    return text.startswith(fours[1], max(0, start - 1), start) and bool(
        _COLUMN.search(text, max(0, start - 6), start - 1)
    )


def _stands_alone(text: str, start: int) -> bool:
    """Neither the digits behind a decimal point nor single digits in a row are a card, unless a word says so."""
    fraction = start >= 2 and text[start - 1] == "." and text[start - 2].isdigit()
    return text[start + 1].isdigit() and not (fraction and text[start : start + 12].isdigit())


def _ends(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Where a number ends, and how many digits it has then; the longest first."""
    groups = text[start:end]
    count = len(digits_of(groups))
    while count >= 12:
        yield start + len(groups), count
        last = len(groups) - 1 - max(map(groups.rfind, " .-/"))
        count -= last
        groups = groups[: -last - 1]
