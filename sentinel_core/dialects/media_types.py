"""Media types and the bytes that they are of, as clients write them, and as APIs that check them take them."""

from __future__ import annotations

import re
from typing import NamedTuple

_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)(?:;[^;,]*)*;base64,(.*)", re.ASCII | re.DOTALL | re.IGNORECASE)
"""RFC 2397, of the kind with base64. Parameters of the type, such as `charset`, are nobody's concern."""

_REGISTERED = {"image/jpg": "image/jpeg"}
"""Names that no registry knows and many programs write (https://www.iana.org/assignments/media-types)."""


def registered(name: str) -> str:
    """The name under which the type is registered."""
    return _REGISTERED.get(name, name)


class Inline(NamedTuple):
    """Bytes within a request: under which name their type is registered, and they in base64."""

    media_type: str
    data: str


def inline(url: str) -> Inline | None:
    """The bytes that a `data:` URI holds; None for another address, and for data that is not in base64."""
    found = _DATA_URI.fullmatch(url)
    return Inline(registered(found[1].lower()), found[2]) if found is not None else None
