"""JSON web tokens."""

from __future__ import annotations

import base64
import binascii
import re

from sentinel_plugins.guarding.entities.open_ended import open_end
from sentinel_plugins.guarding.entities.pattern import PatternEntity, match_end
from sentinel_plugins.guarding.tail import opening

MAX_LENGTH = 8192
"""What servers take in a header, as a rule. Those that list somebody's groups have more."""

_PART = "[A-Za-z0-9_-]"
_SIGNED = re.compile(rf"{_PART}{{2,}}+[.]{_PART}{{16,}}+")
_ON = re.compile(rf"{_PART}*+(?:[.]{_PART}*+)?")
_REST = re.compile("[A-Za-z0-9_.-]*+")


class JsonWebToken(PatternEntity):
    """RFC 7519 in its compact form, signed: three parts, of which the first decodes to an object that names `alg`.

    Of one that is longer than `max_length`, so many characters are found, and `rest` says how far it goes on.
    """

    def __init__(self) -> None:
        super().__init__(
            "JSON_WEB_TOKEN",
            "secret",
            rf"(?<![A-Za-z0-9])eyJ{_PART}{{10,2048}}+[.]eyJ",
            trigger=rf"eyJ{_PART}{{10}}",
            live=opening("eyJ", rf"{_PART}*(?:\.(?:{opening('eyJ', rf'{_PART}*(?:[.]{_PART}*)?')})?)?"),
            max_length=MAX_LENGTH,
            check=_names_alg,
        )

    def longest(self, text: str, start: int, end: int) -> int | None:
        """To the end of the signature; of a long token, as far as it may be one."""
        if super().longest(text, start, end) is None:
            return None
        most = start + self.max_length
        if match_end(_ON, text, end, most) == most:
            return most
        signed = match_end(_SIGNED, text, end, most)
        return signed if signed > end else None

    def rest(self, text: str) -> int:
        """See `Overlong`: what is left of its three parts."""
        return open_end(_REST, text)


def _names_alg(text: str, start: int, end: int) -> bool:
    head = text[start:end].partition(".")[0]
    try:
        return b'"alg"' in base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except binascii.Error:
        return False
