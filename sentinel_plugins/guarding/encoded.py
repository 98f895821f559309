"""Text inside tokens of base64, base32 and hexadecimal digits."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from sentinel_plugins.guarding.origins import Making, Origins
from sentinel_plugins.guarding.tail import holding

LONGEST_TOKEN = 8_192
"""Characters of the longest token that is decoded. What is longer is a file, which no guard for text looks into."""
_SHORTEST_TOKEN = 12
MAY_HOLD = rf"[A-Za-z0-9+/_-]{{{_SHORTEST_TOKEN}}}"
"""An RE2 pattern that matches in every text that holds one."""
BEGUN = r"[A-Za-z0-9+/_-]+=*"
"""One that matches the beginning of a token at the end of a text, and more: see `begun`."""
_may_hold = holding(MAY_HOLD)
_TOKEN = re.compile(rf"[A-Za-z0-9+/_-]{{{_SHORTEST_TOKEN},}}+={{0,6}}")
_HEXADECIMAL = re.compile(r"(?:[0-9A-Fa-f]{2})+")
_BASE32 = re.compile(r"[A-Z2-7]+={0,6}")
_APART = (re.compile(rf"[^/]{{{_SHORTEST_TOKEN},}}"), re.compile(rf"[^_-]{{{_SHORTEST_TOKEN},}}"))
"""Parts of what is no token as a whole: those of an address or a path, and what stands behind a name."""
_NO_WORDS = re.compile("(?<![A-Za-z0-9+])(?=[a-z]*+[A-Z0-9])[A-Za-z0-9+]{8}")
"""What addresses and names of words in small letters do not have."""
_NUMBERS = ("0x", "0X")
_CHARACTERS = string.ascii_letters + string.digits + "+/_-"

_Meaning: TypeAlias = tuple[int, int, str]
"""From where to where in the text, and what it says there."""


def begun(text: str) -> int:
    """Where, at the end of the text, a token begins that may go on; the length of the text where none does."""
    start = len(text.rstrip("=").rstrip(_CHARACTERS))
    return max(start, len(text) - LONGEST_TOKEN)


def decoded(text: str) -> tuple[str, Origins] | None:
    """What the tokens say that are text when decoded, each on a line of its own, and the way back: a part of a line
    comes from the whole token. None where there is none."""
    if not _may_hold(text):
        return None
    making, any_ = Making(), False
    for found in _TOKEN.finditer(text):
        for start, end, meant in _meanings(found.group(), found.start()):
            any_ = True
            making.add("\n", start)
            making.add(meant, end)
    return making.done() if any_ else None


def _meanings(token: str, start: int) -> Iterable[_Meaning]:
    """What a token says; where that is nothing, what its parts say."""
    if len(token) > LONGEST_TOKEN:
        return ()
    meant = _meant(token)
    if meant is not None:
        return ((start, start + len(token), meant),)
    if (token.isalnum() and not token.startswith(_NUMBERS)) or not _NO_WORDS.search(token):  # as a rule
        return ()
    return max([*_parts(token, start, *_APART)], [*_parts(token, start, *_APART[1:])], key=_characters)


def _characters(meanings: Iterable[_Meaning]) -> int:
    return sum(end - start for start, end, _ in meanings)


def _parts(token: str, start: int, apart: re.Pattern[str], *further: re.Pattern[str]) -> Iterator[_Meaning]:
    for part in apart.finditer(token):
        begins = part.start() + (2 if token.startswith(_NUMBERS, part.start()) else 0)
        value = token[begins : part.end()]
        meant = _meant(value) if _SHORTEST_TOKEN <= len(value) < len(token) else None
        if meant is not None:
            yield start + begins, start + part.end(), meant
        elif further:
            yield from _parts(value, start + begins, *further)


def _meant(token: str) -> str | None:
    """The first of its readings that is text."""
    for form, read in _READINGS:
        if form is None or form.fullmatch(token):
            text = _text(read, token)
            if text is not None:
                return text
    return None


def _hexadecimal(token: str) -> bytes:
    return bytes.fromhex(token)


def _base64(token: str) -> bytes:
    plain = token.rstrip("=").translate(_URL_SAFE)
    return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)


def _base32(token: str) -> bytes:
    plain = token.rstrip("=")
    return base64.b32decode(plain + "=" * (-len(plain) % 8))


_URL_SAFE = str.maketrans("-_", "+/")
_READINGS: tuple[tuple[re.Pattern[str] | None, Callable[[str], bytes]], ...] = (
    (_HEXADECIMAL, _hexadecimal),
    (_BASE32, _base32),
    (None, _base64),
)
"""How a token may be read, and the form that it must have: to try and fail costs more."""


def _text(read: Callable[[str], bytes], token: str) -> str | None:
    """What it says, if that is text: UTF-8 without control characters. By chance, twelve characters hardly are."""
    try:
        text = read(token).decode()
    except (binascii.Error, ValueError):
        return None
    return text if text.replace("\n", "").replace("\r", "").replace("\t", "").isprintable() else None
