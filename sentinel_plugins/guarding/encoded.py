"""Text inside tokens of base64, base32 and hexadecimal digits."""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Callable

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
_CHARACTERS = string.ascii_letters + string.digits + "+/_-"


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
    for token in _TOKEN.finditer(text):
        meant = _meant(token.group())
        if meant is not None:
            any_ = True
            making.add("\n", token.start())
            making.add(meant, token.end())
    return making.done() if any_ else None


def _meant(token: str) -> str | None:
    if len(token) > LONGEST_TOKEN:
        return None
    readings = (read for form, read in _READINGS if form is None or form.fullmatch(token))
    return next((text for read in readings if (text := _text(read, token)) is not None), None)


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
