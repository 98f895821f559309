"""What a text says once its disguises are off. Views are for scoring only: what is forwarded is the text as it came."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import unquote

import re2

from sentinel_plugins.injection.alphabet import ByLetter
from sentinel_plugins.injection.words import LONGEST

MOST_CHARS: Final = 65_536
"""Characters of one view that was decoded, and of a text that is read backwards, rotated or respelled."""
LONG_RUN: Final = 20
"""Letters and digits in a row, from which on a text is searched for encoded runs."""

_SIGNS = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff"
    "\uffa0\U000e0000-\U000e0fff"
)
_MARKS = "\u0300-\u036f"
_UNSEEN = re.compile(f"[{_MARKS}{_SIGNS}]+")
"""Zero-width characters, controls of direction, tags, selectors, and accents once they stand alone."""
_RUN_OF_SIGNS = re.compile(f"[{_SIGNS}]+")
_PARTED = re.compile(f"[\\w{_MARKS}{_SIGNS}]+")
_PART: Final = 4
_PARTS: Final = 3
"""Letters of a long part, and how many of them are words: what is hyphenated or joined has short ones, or two."""
_TAGS = re.compile("[\U000e0020-\U000e007e]+")
_SELECTORS = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{4,}")
_HIDES = re2.compile(f"[{_SIGNS}]".encode())
"""Most texts of any script have none of them."""
_DIRECTION = re.compile("[\u202d\u202e\u2066-\u2068]")
_PERCENT = re.compile("%[0-9A-Fa-f]{2}")
_LETTER_IN_PERCENT = re.compile(r"%(?:25)?(?:[46][1-9A-Fa-f]|[57][0-9Aa])")
_LETTER_IN_ESCAPE = re.compile(r"\\(?:u\{?(?:00)?|x)(?:[46][1-9A-Fa-f]|[57][0-9Aa])")
_ESCAPE = re.compile(r"\\(?:u\{?([0-9A-Fa-f]{2,6})\}?|x([0-9A-Fa-f]{2}))")
_LETTER_IN_HTML = re.compile(r"&(?:amp;|#38;|#x26;)*#")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{20,}={0,6}")
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE32 = re.compile(r"[A-Z2-7]+={0,6}")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LOOKALIKES = str.maketrans(
    "аәвԁеёҽһіїјкӏмнорԛгѕтѵԝѡхуүзспиαβγεηικνορσςτυχωϲϳ",
    "aebdeeehiijklmhopqrstvwwxyy3cnuabyenikvopoctuxwcj",
)
"""Letters of Cyrillic and Greek that are taken for Latin ones (Unicode TR39, the lower-case ones after folding)."""
_SIGNS = "013457@$!|"
_LEET = str.maketrans(_SIGNS, "oieastasil")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_BETWEEN_LETTERS = re.compile(r"(?<=\b\w)[\W_](?=\w\b)")


def folded(text: str) -> str:
    """The text in lower case, in compatibility form, without accents and without what nobody sees."""
    if text.isascii():
        return text.lower()
    return _FOLDING(text)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", _UNSEEN.sub("", unicodedata.normalize("NFKD", text).lower()))


_FOLDING: Final = ByLetter(_folded)


def opened(text: str) -> str:
    """The text without percent, HTML and backslash escapes, if letters are among what they hide: nobody need write
    those so. Else the same object."""
    if "%" in text and _LETTER_IN_PERCENT.search(text):
        text = unquote(text, errors="replace")
    if "&" in text and _LETTER_IN_HTML.search(text):
        text = html.unescape(text)
    if "\\" in text and _LETTER_IN_ESCAPE.search(text):
        text = _ESCAPE.sub(_escaped, text)
    return text


def decoded(text: str, *, runs: bool) -> Iterator[str]:
    """What the text holds in addresses, in tags and selectors, and with `runs` in base64, base32 and hex: a view
    each, of at most `MOST_CHARS` characters. Also all of it backwards, or with spaces for what nobody sees."""
    if "%" in text and _PERCENT.search(text):
        yield unquote("\n".join(word for word in text.split() if "%" in word)[:MOST_CHARS], errors="replace")
    if not text.isascii():
        yield from _unseen(text)
    if runs and (found := list(_encoded(text))):
        yield "\n".join(found)[:MOST_CHARS]


def lookalike(text: str) -> str | None:
    """The folded text in Latin letters, if it has any that only look like them."""
    if text.isascii() or not _GREEK_OR_CYRILLIC.search(text):
        return None
    return _LIKENESS(text)


def _alike(text: str) -> str:
    return text.translate(_LOOKALIKES)


_LIKENESS: Final = ByLetter(_alike)


def rotated(text: str) -> str:
    """The folded text, or words of it, rotated by 13."""
    return _ROTATION(text[:MOST_CHARS])


def backwards(text: str) -> str:
    """The folded text, or words of it, from its end to its beginning."""
    return text[:MOST_CHARS][::-1]


def spelled_out(text: str) -> str | None:
    """The folded text with digits and signs read as letters, if it has any that are used for some."""
    text = text[:MOST_CHARS]
    return _SPELLING(text) if any(sign in text for sign in _SIGNS) else None


def _rotated(text: str) -> str:
    return text.translate(_ROT13)


def _spelled(text: str) -> str:
    return text.translate(_LEET)


_ROTATION: Final = ByLetter(_rotated)
_SPELLING: Final = ByLetter(_spelled)


def closed_up(text: str) -> str:
    """The folded text with letters that stand apart put together."""
    return _BETWEEN_LETTERS.sub("", text[:MOST_CHARS])


def _unseen(text: str) -> Iterator[str]:
    if _HIDES.search(text.encode("utf-8", "surrogatepass")) is None:
        return
    if tags := _TAGS.findall(text):
        yield "".join(chr(ord(character) - 0xE0000) for character in "".join(tags)[:MOST_CHARS])
    if selectors := "".join(_SELECTORS.findall(text))[:MOST_CHARS]:
        yield bytes(map(_selected, selectors)).decode("utf-8", "replace")
    if _DIRECTION.search(text):
        yield text[::-1]
    if any(_is_several(word) for word in _PARTED.findall(text)):
        yield _RUN_OF_SIGNS.sub(" ", text)


def _is_several(parted: str) -> bool:
    """Whether what unseen characters part are words, and no syllables of one."""
    parts = [len(part) for part in _RUN_OF_SIGNS.split(parted) if len(part) >= _PART]
    return len(parts) >= _PARTS and sum(parts) > LONGEST


def _selected(selector: str) -> int:
    """The byte that a variation selector stands for (P. Butler, Smuggling arbitrary data through an emoji, 2025)."""
    code = ord(selector)
    return code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16


def _escaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def _encoded(text: str) -> Iterator[str]:
    for run in _RUN.findall(text):
        for shape, decode in _ENCODINGS:
            if shape is None or shape.fullmatch(run):
                plain = _printable(_tried(decode, run))
                if plain:
                    yield plain


def _tried(decode: Callable[[str], bytes], run: str) -> bytes:
    try:
        return decode(run)
    except (binascii.Error, ValueError):  # a run that only looks encoded, as most do
        return b""


def _of_base32(run: str) -> bytes:
    run = run.rstrip("=")
    return base64.b32decode(run[: len(run) // 8 * 8] if len(run) % 8 in (1, 3, 6) else run + "=" * (-len(run) % 8))


def _of_base64(run: str) -> bytes:
    run = run.rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(run[: len(run) - 1] if len(run) % 4 == 1 else run + "=" * (-len(run) % 4))


def _printable(data: bytes) -> str:
    """The bytes as text, or nothing if that is not what they are."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() or sum(map(str.isprintable, text)) > 0.9 * len(text) else ""


_ENCODINGS: Final[tuple[tuple[re.Pattern[str] | None, Callable[[str], bytes]], ...]] = (
    (_HEX, bytes.fromhex),
    (_BASE32, _of_base32),
    (None, _of_base64),
)
