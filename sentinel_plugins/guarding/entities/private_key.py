"""Private keys in blocks."""

from __future__ import annotations

import re

from sentinel_plugins.guarding.entities.pattern import PatternEntity, match_end
from sentinel_plugins.guarding.tail import opening

MAX_LENGTH = 8192

_LINES = r"(?:[A-Za-z0-9+/=\s\\:,.]|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9]))"
_FULL = r"(?:[A-Za-z0-9+/=\s\\:,.]|[A-Za-z0-9]-[A-Za-z0-9])*[A-Za-z0-9]?"
_BREAKS = r"(?:\s|\\[nr]){0,4}"
_BODY = re.compile(_LINES + "*+")
_BASE64 = re.compile(rf"(?:{_BREAKS}[A-Za-z0-9+/=]{{16,80}}+)++")
_INSIDE = re.compile(
    rf"[A-Za-z0-9+/=]{{0,80}}(?:{_BREAKS}[A-Za-z0-9+/=]{{16,80}}+)*+{_BREAKS}[A-Za-z0-9+/=]{{0,80}}{_BREAKS}"
)
_END = re.compile(r"-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----")
_ON = re.compile(r"[A-Za-z0-9+/=\s\\:,.-]*+")
_LOOKED_AT = 2048
"""Characters that must be lines of base64 for a block without an end in sight to be a key, and no prose."""


class PrivateKey(PatternEntity):
    """A block of PEM (RFC 7468) or of OpenPGP that says PRIVATE KEY, to its end; without one, as far as lines of base64
    go: a key that was cut off is half a key. Line breaks may be written as `\\n`.

    Of one that is longer than `max_length`, so many characters are found, and `rest` says how far it goes on.
    """

    def __init__(self) -> None:
        super().__init__(
            "PRIVATE_KEY",
            "secret",
            r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----",
            trigger=r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY",
            live=opening(
                "-----BEGIN ",
                r"[A-Z0-9 ]*(?:PRIVATE KEY(?: BLOCK)?-{1,5}" + rf"|PRIVATE KEY(?: BLOCK)?-----{_FULL}(?:-{{1,5}}"
                r"|-----E(?:N(?:D(?: [A-Z0-9 ]*-{0,5})?)?)?)?)?",
            ),
            max_length=MAX_LENGTH,
            left=0,
        )

    def longest(self, text: str, start: int, end: int) -> int | None:
        """To the end of the block, or of what there is of it."""
        most = start + self.max_length
        body = match_end(_BODY, text, end, most)
        closing = _END.match(text, body)
        if closing is not None and closing.end() < most:
            return closing.end()
        if (body == most or closing is not None) and _INSIDE.fullmatch(text, body - _LOOKED_AT, body):
            return most
        lines = match_end(_BASE64, text, end, most - 1)
        return lines if lines > end else None

    def rest(self, text: str) -> int:
        """See `Overlong`: to its end, or to the first character that cannot stand in a block."""
        on = match_end(_ON, text, 0, len(text))
        closing = _END.search(text, 0, on)
        if closing is not None:
            return closing.end()
        return -1 if on == len(text) else on
