"""What a text says once its disguises are off. Views are for scoring only: what is forwarded is the text as it came."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from typing import Final
from urllib.parse import unquote

import re2

from sentinel_plugins.guarding.unseen import UNSEEN
from sentinel_plugins.injection.alphabet import ByLetter
from sentinel_plugins.injection.words import LONGEST

MOST_CHARS: Final = 65_536
"""Characters of one view that was decoded, and of a text that is read backwards, rotated or respelled."""
LONG_RUN: Final = 20
"""Characters of the shortest run that is decoded."""

_SIGNS = UNSEEN.strip("[]")
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
_RUN = re2.compile(f"[A-Za-z0-9+/_-]{{{LONG_RUN},}}={{0,6}}".encode())
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE32 = re.compile(r"[A-Z2-7]+={0,6}")
_BASE64 = re.compile(r"[^A-Z]*[A-Z].*")
"""Of no text all letters are small ones, as in most runs that are none."""
_HEX_WITHIN = re.compile(rf"[0-9A-Fa-f]{{{LONG_RUN},}}")
_STRETCH: Final = 12
"""Characters of the shortest text that is taken out of the middle of a run: so many random bytes are seldom one."""
_READABLE = bytes(byte if byte in b"\t\n" or 0x20 <= byte < 0x7F else 1 for byte in range(256))
"""What of ASCII is no text becomes a one, and so does all beyond it."""
_STRETCHES = re2.compile(rb"[^\x01]" * _STRETCH + rb"[^\x01]*")
_GREEK_OR_CYRILLIC = re.compile("[\u0370-\u03ff\u0400-\u052f]")
_LOOKALIKES = str.maketrans(
    "аәвԁеёҽһіїјкӏмнорԛгѕтѵԝѡхуүзспиαβγεηικνορσςτυχωϲϳ",
    "aebdeeehiijklmhopqrstvwwxyy3cnuabyenikvopoctuxwcj",
)
"""Letters of Cyrillic and Greek that are taken for Latin ones (Unicode TR39, the lower-case ones after folding)."""
_SPELLED_WITH = "013457@$!|"
_LEET = str.maketrans(_SPELLED_WITH, "oieastasil")
_ROT13 = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_BETWEEN_LETTERS = re.compile(r"(?<=[^\W_])(?<![^\W_]{2})[\W_](?=[^\W_](?![^\W_]))")


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


def decoded(text: str, known: Container[str] = (), longest: int = MOST_CHARS) -> Iterator[str]:
    """What the text holds in addresses, in tags and selectors, and in base64, base32 and hex: a view each, of at most
    `MOST_CHARS` characters. Also all of it backwards, or with spaces for what nobody sees, where that parts words that
    are `known` or long. `longest` is the longest of its words, which are cut at `LONGEST` characters."""
    if "%" in text and _PERCENT.search(text):
        yield unquote("\n".join(word for word in text.split() if "%" in word)[:MOST_CHARS], errors="replace")
    if not text.isascii():
        yield from _unseen(text, known)
    if _may_hold_runs(text, longest) and (found := list(_encoded(text))):
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
    return _SPELLING(text) if any(sign in text for sign in _SPELLED_WITH) else None


def _rotated(text: str) -> str:
    return text.translate(_ROT13)


def _spelled(text: str) -> str:
    return text.translate(_LEET)


_ROTATION: Final = ByLetter(_rotated)
_SPELLING: Final = ByLetter(_spelled)


def closed_up(text: str) -> str:
    """The folded text with letters that stand apart put together."""
    return _BETWEEN_LETTERS.sub("", text[:MOST_CHARS])


def _unseen(text: str, known: Container[str]) -> Iterator[str]:
    if _HIDES.search(text.encode("utf-8", "surrogatepass")) is None:
        return
    if tags := _TAGS.findall(text):
        yield "".join(chr(ord(character) - 0xE0000) for character in "".join(tags)[:MOST_CHARS])
    if selectors := "".join(_SELECTORS.findall(text))[:MOST_CHARS]:
        yield bytes(map(_selected, selectors)).decode("utf-8", "replace")
    if _DIRECTION.search(text):
        yield text[::-1]
    if any(_is_several(word, known) for word in _PARTED.findall(text)):
        yield _RUN_OF_SIGNS.sub(" ", text)


def _is_several(parted: str, known: Container[str]) -> bool:
    """Whether what unseen characters part are words, and no syllables of one."""
    parts = _RUN_OF_SIGNS.split(parted)
    long = [len(part) for part in parts if len(part) >= _PART]
    return (len(long) >= _PARTS and sum(long) > LONGEST) or _are_known([part for part in parts if part], known)


def _are_known(parts: Sequence[str], known: Container[str]) -> bool:
    """Whether each is a word, and together they are none."""
    return len(parts) > 1 and all(folded(part) in known for part in parts) and folded("".join(parts)) not in known


def _selected(selector: str) -> int:
    """The byte that a variation selector stands for (P. Butler, Smuggling arbitrary data through an emoji, 2025)."""
    code = ord(selector)
    return code - 0xFE00 if code < 0xFE10 else code - 0xE0100 + 16


def _escaped(match: re.Match[str]) -> str:
    code = int(match[1] or match[2], 16)
    return chr(code) if code < 0x110000 else match[0]


def _may_hold_runs(text: str, longest: int) -> bool:
    """Whether a run may be there that is long enough: a word, or several with signs between them."""
    if longest >= min(LONG_RUN, LONGEST) or not text.isascii():
        return True
    return "-" in text or "/" in text or "_" in text or "+" in text


def _encoded(text: str) -> Iterator[str]:
    runs: list[bytes] = _RUN.findall(text.encode("utf-8", "surrogatepass"))
    for run in map(bytes.decode, runs):
        tried = [_printable(_tried(decode, run)) for shape, decode in _ENCODINGS if shape.fullmatch(run)]
        yield from [plain for plain in tried if plain] or _within(run)


def _within(run: str) -> Iterator[str]:
    """What is encoded in a part of a run: behind the path of an address, a prefix or the beginning of another code."""
    for part in _HEX_WITHIN.findall(run):
        yield from _readable(_of_hex(part[start:]) for start in range(2))
    if _BASE64.match(run):
        run = run.rstrip("=")
        yield from _readable(_of_base64(run[start:]) for start in range(4))


def _readable(several: Iterable[bytes]) -> Iterator[str]:
    """The stretches of bytes that are ASCII, also in UTF-16."""
    found: list[bytes] = _STRETCHES.findall(b"\x01".join(several).translate(_READABLE, b"\0"))
    return map(bytes.decode, found)


def _tried(decode: Callable[[str], bytes], run: str) -> bytes:
    try:
        return decode(run)
    except (binascii.Error, ValueError):  # a run that only looks encoded, as most do
        return b""


def _of_hex(run: str) -> bytes:
    return bytes.fromhex(run[: len(run) // 2 * 2])


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


_ENCODINGS: Final[tuple[tuple[re.Pattern[str], Callable[[str], bytes]], ...]] = (
    (_HEX, _of_hex),
    (_BASE32, _of_base32),
    (_BASE64, _of_base64),
)
