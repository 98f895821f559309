"""JSON web tokens."""

from __future__ import annotations

import base64
import binascii

from sentinel_plugins.guarding.entities.pattern import PatternEntity
from sentinel_plugins.guarding.tail import opening

_PART = "[A-Za-z0-9_-]"


def json_web_token() -> PatternEntity:
    """RFC 7519 in its compact form, signed: three parts, of which the first decodes to an object that names `alg`."""
    return PatternEntity(
        "JSON_WEB_TOKEN",
        "secret",
        rf"(?<![A-Za-z0-9])eyJ{_PART}{{10,1000}}\.eyJ{_PART}{{2,2500}}\.{_PART}{{16,700}}(?!{_PART})",
        trigger=rf"eyJ{_PART}{{10}}",
        live=opening("eyJ", rf"{_PART}*(?:\.(?:{opening('eyJ', rf'{_PART}*(?:[.]{_PART}*)?')})?)?"),
        max_length=4096,
        check=_signed,
    )


def _signed(text: str, start: int, end: int) -> bool:
    head = text[start:end].partition(".")[0]
    try:
        return b'"alg"' in base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except binascii.Error:
        return False
