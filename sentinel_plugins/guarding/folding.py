"""Characters that look like others, and characters that are not seen at all."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import accumulate
from typing import TypeAlias

from sentinel_plugins.guarding.origins import Origins, Same, Stretches
from sentinel_plugins.guarding.tail import holding
from sentinel_plugins.guarding.unseen import UNSEEN

_LOOKS = str.maketrans(
    "авсԁеѕіјӏһкмпорԛгтуѵԝхьАВСЕНІЈКМОРЅТУХҮԌԚԜ"
    "αβγεηικνορτυχωϲϳΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
    "ıɑɡɩʏʟɴʀꞮ"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\u00b7\u2022\u2219\u22c5\u30fb\u2024\u3002\uff61\u2215\u2044\u02d0"
    "\u2236\ufe55",
    "abcdesijlhkmnopqrtyvwxbABCEHIJKMOPSTYXYGQWabyenikvoptuxwcjABEZHIKMNOPTYXiagiylnrI-------------...//:::",
)
"""Cyrillic, Greek and others in Latin's shape, after Unicode's confusables (UTS 39), and punctuation that addresses and
numbers are divided with; dots in the middle divide numbers only. What NFKC folds anyway (full width, mathematical,
circled) is not repeated."""


_QUIET = (
    r"\x{a1}-\x{ac}\x{ae}-\x{24f}\x{1e00}-\x{1eff}\x{2018}-\x{201f}\x{2026}\x{20a0}-\x{20bf}\x{2e80}-\x{a4cf}"
    r"\x{ac00}-\x{d7af}\x{ff01}-\x{ff0d}\x{ff0f}\x{ff1a}-\x{ff1f}\x{1f300}-\x{1faff}"
)
"""What stands beside Latin letters in honest texts and is no disguise: letters with marks, quotes, Chinese, emoji."""
_STRANGE = rf"[^\x00-\x{{9f}}{_QUIET}]"
_WIDE = r"\x{3000}\x{3002}\x{309b}\x{309c}\x{3200}-\x{33ff}\x{ff02}-\x{ff0b}\x{ff0d}\x{ff0f}\x{ff1a}\x{ff1c}-\x{ff1e}"
"""Signs of Chinese and Japanese that may divide a value: a disguise where letters or digits stand on both sides. Beside
one only, as in Chinese text with numbers, they are how people write."""
_BESIDE = rf"[^\x00-/:-?\[-`{{-\x{{9f}}{_QUIET}]"
_SIGNS = rf"[ -/:-?\[-`{{-~{_WIDE}]{{0,3}}"
_SPACE_OR_COLON = r"[\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{2d0}\x{2236}\x{fe13}\x{fe55}]"
_DASH = r"\x{2010}-\x{2015}\x{2212}\x{fe58}\x{fe63}\x{ff0d}"
DISGUISE = "|".join((
    rf"[A-Za-z0-9@]{_STRANGE}|{_STRANGE}[A-Za-z0-9@]",
    rf"[A-Za-z@][-_./:+=]{{1,3}}{_STRANGE}|{_STRANGE}[-_./:+=]{{1,3}}[A-Za-z0-9@]",
    rf"[ -~](?:{UNSEEN}|{_SPACE_OR_COLON})",
    rf"{_BESIDE}{_SIGNS}[{_WIDE}]{_SIGNS}{_BESIDE}",
    # dots between digits, a comma before a year
    r"[0-9][\x{b7}\x{30fb}][0-9]|[0-9a-z]\x{ff0c}[ \x{3000}]?[0-9]{4}",
    # with nothing on the other side: a plus and a bracket of a telephone number, dashes around a key
    r"\x{ff0b}[ \x{3000}]?[(\x{ff08}]?[0-9]|\x{ff08}[0-9]{1,5}\)",
    rf"[{_DASH}][{_DASH}-]{{0,4}}(?:BEGIN|END)|(?:KEY|BLOCK)[{_DASH}-]{{0,4}}[{_DASH}]",
    # wherever they stand
    r"[\x{2100}-\x{214f}\x{2460}-\x{24ff}\x{ff20}-\x{ff3a}\x{ff41}-\x{ff5a}\x{1d400}-\x{1d7ff}\x{1f100}-\x{1f1ad}]",
    r"[^\x00-\x7f\P{Nd}]|\pN[^0-9]{0,2}[^\x00-\x7f\PN]",
))  # fmt: skip
"""Where folding can matter: a disguised character beside a plain one, a letter that is only there for disguise, numbers
of other scripts. A text without any is not folded, which would take several times as long as to search it; of one with
some, what is found near them counts: see `disguised`."""
_in_disguise = holding(DISGUISE)
LEFT = 64
"""Characters before a value that may say together what stands there: an escape in another one, a word in disguise."""


class _Folds(dict[int, str]):
    """Per character what it is read as; worked out when it is met first. Bounded by the number of characters. What one
    is read as is read as itself, so it makes no difference which is replaced first."""

    def __init__(self) -> None:
        super().__init__((code, chr(code)) for code in range(128))
        self.kept = set(self.values())
        self.uneven: set[str] = set()

    def __missing__(self, code: int) -> str:
        folded = _fold(chr(code))
        if folded == chr(code):
            self.kept.add(folded)
        elif len(folded) != 1:
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
_MANY = 32
"""Different characters that are read otherwise. Up to so many, each is replaced wherever it stands, which takes less
time than to look at one character after the other."""


Fold: TypeAlias = Callable[[str], tuple[str, Origins]]


def may_matter(text: str) -> bool:
    """Whether folding can make a difference that counts."""
    return not text.isascii() and _in_disguise(text)


def disguised(text: str, start: int, end: int) -> bool:
    """Whether one of these characters is in disguise, or one of those that decide about them. What stands further away
    has no say: a stream does not know it any more, or not yet."""
    return may_matter(text[max(0, start - LEFT) : end + 1])


def folded(text: str) -> tuple[str, Origins]:
    """The text as a person reads it who knows Latin letters only, and the way back."""
    read, even = _read(text)
    return read, Same() if even else _Folded(text)


class Folding:
    """`folded` for a text that grows: of what it began with when it was asked last, it folds nothing again."""

    __slots__ = ("_even", "_read", "_text")

    def __init__(self) -> None:
        self._text = self._read = ""
        self._even = True

    def __call__(self, text: str) -> tuple[str, Origins]:
        """See `folded`."""
        if not text.startswith(self._text):
            self._text, self._read, self._even = "", "", True
        if len(text) > len(self._text):
            read, even = _read(text[len(self._text) :])
            self._text, self._read, self._even = text, self._read + read, self._even and even
        return self._read, Same() if self._even else _Folded(text)


def _read(text: str) -> tuple[str, bool]:
    """What a text is read as, and whether every character as one."""
    if text.isascii():
        return text, True
    others = set(text) - _folds.kept
    read = text
    if len(others) > _MANY:
        read = text.translate(_folds)
    else:
        for character in others:
            read = read.replace(character, _folds[ord(character)])
    return read, _folds.uneven.isdisjoint(others)
