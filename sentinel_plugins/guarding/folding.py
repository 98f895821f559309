"""Characters that look like others, and characters that are not seen at all."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import accumulate, chain

import re2

from sentinel_plugins.guarding.origins import Origins, Same, Stretches
from sentinel_plugins.guarding.tail import utf8

_LOOKS = str.maketrans(
    "авсԁеѕіјӏһкмпорԛгтуѵԝхьАВСЕНІЈКМОРЅТУХҮԌԚԜ"
    "αβγεηικνορτυχωϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
    "ıɑɡɩʏʟɴʀꞮ"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\u2024\u3002\uff61\u2215\u2044\u02d0\u2236\ufe55",
    "abcdesijlhkmnopqrtyvwxbABCEHIJKMOPSTYXYGQWabyenikvoptuxwcjABEZHIKMNOPTYXiagiylnrI--------...//:::",
)
"""Cyrillic, Greek and others in Latin's shape, after Unicode's confusables (UTS 39), and punctuation that addresses and
numbers are divided with. What NFKC folds anyway (full width, mathematical, circled) is not repeated."""


_QUIET = (
    r"\x00-\x{9f}\x{a1}-\x{ac}\x{ae}-\x{24f}\x{1e00}-\x{1eff}\x{2018}-\x{201f}\x{2026}\x{20a0}-\x{20bf}"
    r"\x{2e80}-\x{a4cf}\x{ac00}-\x{d7af}\x{ff01}-\x{ff0d}\x{ff0f}\x{ff1a}-\x{ff1f}\x{1f300}-\x{1faff}"
)
"""What stands beside Latin letters in honest texts and is no disguise: letters with marks, quotes, Chinese, emoji."""
DISGUISE = (
    rf"[A-Za-z0-9@][^{_QUIET}]|[^{_QUIET}][A-Za-z0-9@]"
    r"|[\x{2100}-\x{214f}\x{2460}-\x{24ff}\x{ff10}-\x{ff19}\x{ff20}-\x{ff3a}\x{ff41}-\x{ff5a}"
    r"\x{1d400}-\x{1d7ff}\x{1f100}-\x{1f1ad}]|\pN[^0-9]{0,2}[^\x00-\x7f\PN]"
)
"""Where folding can matter: a disguised character beside a plain one, a letter that is only there for disguise, numbers
of other scripts. A text without any is not folded, since that takes a tenth of a microsecond per character."""
_DISGUISE = re2.compile(DISGUISE.encode())


class _Folds(dict[int, str]):
    """Per character what it is read as; worked out when it is met first. Bounded by the number of characters."""

    def __init__(self) -> None:
        super().__init__((code, chr(code)) for code in range(128))
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if len(folded) != 1:
            self.uneven.add(chr(code))
        self[code] = folded
        return folded


class _Folded:
    """The way back, where characters may have become none or several; worked out once, when it is first asked for."""

    __slots__ = ("_text", "_way")

    def __init__(self, text: str) -> None:
        self._text = text
        self._way: Origins | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """See `Origins`."""
        if self._way is None:
            self._way = _way_back(self._text)
        return self._way.span(start, end)


def _way_back(text: str) -> Origins:
    if _folds.uneven.isdisjoint(text):
        return Same()
    ends = list(accumulate(len(_folds[code]) for code in map(ord, text)))
    return Stretches(ends, range(1, len(ends) + 1))


def _fold(character: str) -> str:
    """NFKC's reading without marks, in Latin where it looks Latin, digits of any script as those of ASCII. Format
    characters (zero-width, bidi, tags), variation selectors and fillers are nothing."""
    if character in "\u115f\u1160\u3164\uffa0\u00ad" or unicodedata.category(character) == "Cf":
        return ""
    parts = unicodedata.normalize("NFKD", character).translate(_LOOKS)
    return "".join(map(_digit, filter(_base, parts)))


def _base(character: str) -> bool:
    return unicodedata.category(character) not in ("Mn", "Me")


def _digit(character: str) -> str:
    digit = unicodedata.digit(character, -1)
    return character if digit < 0 else str(digit)


_folds = _Folds()


def folded(text: str) -> tuple[str, Origins]:
    """The text as a person reads it who knows Latin letters only, and the way back."""
    if text.isascii() or _DISGUISE.search(utf8(text)) is None:
        return text, Same()
    return folded_anyway(text)


def folded_anyway(text: str) -> tuple[str, Origins]:
    """Of the beginning of a text, which may become a disguise by what follows."""
    if text.isascii():
        return text, Same()
    return _CHANGED.sub(_read, text), _Folded(text)


def _read(found: re.Match[str]) -> str:
    return found[0].translate(_folds)


def _kept() -> Iterator[str]:
    """Those that are read as what they are, among the characters that stand in most texts without ASCII."""
    for code in chain(range(0x80, 0x530), range(0x2000, 0x2070), range(0x3000, 0x3100)):
        if _folds[code] == chr(code):
            yield re.escape(chr(code))


_OTHERS = r"\x00-\x7f\u3400-\u4dbf\u4e00-\u9fff"
_CHANGED = re.compile(f"[^{_OTHERS}{''.join(_kept())}][^{_OTHERS}]*")
"""Where something may be read as something else. ASCII, Chinese and the rest need not be looked up one by one."""
