"""Numbers of payment cards."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.checksums import digits_of, luhn
from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.entities.pattern import FREE, PatternEntity, number_ends

_LEFT = 32
_LABEL = Label(
    r"cards?|credit ?card|debit|visa|master ?card|maestro|amex|american express|discover|diners|jcb|unionpay|pan|cc|cvv"
    r"|(?:kredit)?karten?(?:nummer)?|carte|tarjeta|carta",
    left=_LEFT,
)
_ISSUERS = re.compile(
    r"4(?:\d{12}|\d{15}|\d{18})"  # Visa
    r"|(?:5[1-5]|222[1-9]|22[3-9]\d|2[3-6]\d\d|27[01]\d|2720)\d+(?<=^.{16})"  # Mastercard
    r"|3[47]\d{13}"  # American Express
    r"|(?:30[0-5]|3095|3[689])\d+(?<=^.{14})"  # Diners Club
    r"|(?:6011|64[4-9]|65\d)\d{12,16}"  # Discover
    r"|35(?:2[89]|[3-8]\d)\d{12,15}|(?:2131|1800)\d{11}"  # JCB
    r"|62\d{14,17}"  # UnionPay
    r"|(?:5018|5020|5038|5[6-8]\d\d|0604|6304|6390|6759|676[1-3])\d{8,15}"  # Maestro
    r"|220[0-4]\d{12,15}"  # Mir
    r"|(?:508[5-9]|60[68]\d|8[12]\d\d)\d{12}"  # RuPay
    r"|(?:50609[89]|5061\d\d|6500\d\d)\d{10,13}"  # Verve
)
_DIVIDED = re.compile(r"(?:\d{2,6}[ .\-/])+\d{1,6}")


def credit_card() -> PatternEntity:
    """12 to 19 digits, undivided or with single spaces, dots, hyphens or slashes between groups, whose Luhn digit is
    right **and** that begin as an issuer's do, in its length, or stand after a word such as `card`. The check digit
    alone flags a tenth of all timestamps and every IMEI."""
    return PatternEntity(
        "CREDIT_CARD",
        "pii",
        rf"[0-9]{FREE}(?:[ .\-/]?[0-9]){{11,18}}(?![A-Za-z0-9_])",
        trigger=r"[0-9](?:[ .\-/]?[0-9]){11}",
        live=r"[0-9](?:[ .\-/]?[0-9])*[ .\-/]?",
        max_length=37,
        left=_LEFT,
        check=_card,
        ends=number_ends,
    )


def _card(text: str, start: int, end: int) -> bool:
    value = text[start:end]
    digits = digits_of(value)
    if not 12 <= len(digits) <= 19 or not luhn(digits) or len(set(digits)) == 1:
        return False
    return _issued(text, start, value, digits) or _LABEL.before(text, start)


def _issued(text: str, start: int, value: str, digits: str) -> bool:
    """Whether it looks like a card without a word that says so. The digits behind a decimal point do not."""
    if value == digits:
        fraction = start >= 2 and text[start - 1] == "." and text[start - 2].isdigit()
        return not fraction and _ISSUERS.fullmatch(digits) is not None
    return _DIVIDED.fullmatch(value) is not None and _ISSUERS.fullmatch(digits) is not None
