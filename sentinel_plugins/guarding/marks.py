"""Letters, and the marks that are characters of their own behind them."""

from __future__ import annotations

import re
import unicodedata

from sentinel_plugins.guarding.origins import Making, Origins, Same

MARK = "[\u0300-\u036f\u0653-\u0655\u1161-\u1175\u11a8-\u11c2\u3099\u309a]"
"""For RE2 as well: of Latin, Greek, Cyrillic, Arabic and Japanese; and what makes syllables of Korean letters."""
_MARKED = re.compile(rf"[^{MARK[1:-1]}]{MARK}+")


def precomposed(text: str) -> tuple[str, Origins]:
    """The text with each letter and its marks as one character, where Unicode has one (NFC), and the way back. Marks of
    a letter for which it has none stay in their order."""
    if _MARKED.search(text) is None:
        return text, Same()
    making, at = Making(), 0
    for marked in _MARKED.finditer(text):
        making.add(text[at : marked.start()], marked.start())
        apart, one = marked.group(), unicodedata.normalize("NFC", marked.group())
        making.add(one if len(one) < len(apart) else apart, marked.end())
        at = marked.end()
    making.add(text[at:], len(text))
    return making.done()
