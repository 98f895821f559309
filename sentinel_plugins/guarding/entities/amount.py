"""Amounts of eight digits and more, which are written as telephone numbers are in Spain: `812 456 789 euros`."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.label import Label
from sentinel_plugins.guarding.folding import folded
from sentinel_plugins.guarding.tail import opening

_LEFT = 32
_CODES = (
    "EUR", "USD", "GBP", "CHF", "SEK", "NOK", "DKK", "CZK", "PLN", "HUF", "RON", "BGN", "RUB", "UAH", "TRY", "JPY",
    "CNY", "INR", "BRL", "MXN", "CAD", "AUD", "Kč", "Ft",
)  # fmt: skip
_UNITS = (
    "euros", "euro", "dollars", "dollari", "dólares", "pounds", "livres", "francs", "franken", "pesos", "yen", "kr",
    "kronor", "kroner", "korun", "zł", "złotych", "forint", "lei", "leva", "percent", "people", "inhabitants",
    "habitants", "habitantes", "abitanti", "einwohner", "personnes", "personas", "persone", "bytes", "octets", "rows",
    "records", "lines", "tokens", "requests", "views",
    "рублей", "рубля", "рубль", "руб", "гривень", "грн", "человек", "осіб",  # noqa: RUF001 - as they are written
)  # fmt: skip
_READ = tuple(sorted({read for unit in (*_CODES, *_UNITS) for read in (unit, folded(unit)[0])} - {*_UNITS}))
"""In capitals as they are, and what the folded readings of a text make of all that is not in plain Latin."""
_OPEN = frozenset(read for unit in (*_CODES, *_UNITS) if not unit[-1].isascii() for read in (unit, folded(unit)[0]))
"""Those behind which anything may stand: what is no letter of ASCII parts words for keys, which another guard replaces,
and whoever reads what that left must find the same."""
_SIGNS = "€$£¥₽₴₹₺₩₪%‰"
_GAP = "[ \u00a0\u202f]"
_UNIT = "|".join(
    form if unit in _OPEN else rf"{form}(?!\w)"
    for unit, form in [*((read, read) for read in _READ), *((unit, f"(?i:{unit})") for unit in _UNITS)]
)
_BEHIND = re.compile(rf"{_GAP}?(?:[{_SIGNS}]|{_UNIT})|{_GAP}[0-9]")
"""A currency, what is counted, or a further group."""
_BEFORE = re.compile(rf"(?:[{_SIGNS}]{_GAP}?|[0-9][ \u00a0\u202f,.])\Z")
_WORDS = Label(
    r"amount|balance|budget|cost|count|gdp|income|population|price|profit|revenue|sum|total|turnover"
    r"|betrag|bilanzsumme|bip|gewinn|preis|summe|umsatz"
    r"|b[ée]n[ée]fice|chiffre d'affaires|co[ûu]t|montant|pib|prix|r[ée]sultat(?: net)?|somme"
    r"|beneficio|coste|importe|ingresos|precio|fatturato|importo|pil|prezzo|ricavi|выручка",
    left=_LEFT,
    adjacent=True,
)
AMOUNT_BEGUN = (
    r"[1-9][0-9]{1,2}(?:[ \x{a0}][0-9]{3}){2,3}"
    rf"(?:[ \x{{a0}}\x{{202f}}]?(?:{'|'.join(map(opening, _READ))}|(?i:{'|'.join(map(opening, _UNITS))}))?|\])"
)
"""All that may be one, for RE2, as far as it is read."""


def is_amount(text: str, start: int, end: int) -> bool:
    """Whether groups of three digits are money or things that were counted."""
    if _BEHIND.match(text, end) or _BEFORE.search(text, max(0, start - 2), start):
        return True
    return _WORDS.before(text, start)
