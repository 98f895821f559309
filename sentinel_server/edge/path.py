"""One canonical path: what a proxy in front compared is what is routed here (reliability 0.13, H10).

RFC 3986 section 6.2.2 allows many spellings of one path; this gateway answers only to one of them.
"""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from sentinel_core.decoding import is_utf8
from sentinel_core.errors import Refusal

_PLAIN = re.compile(rb"(?:/[A-Za-z0-9_~!$&'()*+,=:@-][A-Za-z0-9_.~!$&'()*+,=:@-]*)+/?|/")
"""Segments that start with no dot and need no decoding: nearly every request."""
_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})|%(?:2[DdEe]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee])")
"""Two digits are missing, or they stand for what needs no escape: a letter, a digit, `-`, `.`, `_` or `~`."""
_FORBIDDEN = re.compile(rb"[\x00-\x1f\x7f\\;]")
_ESCAPED_SLASH = re.compile(rb"%2f", re.IGNORECASE)
_MODEL = b"/v1/models/"


def check_path(raw: bytes, root: bytes = b"") -> None:
    """Raise `Refusal` (invalid_path) unless `raw`, the target's path as it came, is canonical.

    Refused: absolute form, a fragment, empty and dot segments, `;`, `\\`, control characters, text that is not UTF-8,
    escapes of what needs none, and an escaped slash, except in a model's id, where clients must escape it
    (`/v1/models/meta%2Fllama`). `root` is the prefix under which the application is mounted.
    """
    if _PLAIN.fullmatch(raw):
        return
    model = raw[len(root) :].startswith(_MODEL) if raw.startswith(root) else False
    if b"#" in raw or _ESCAPE.search(raw) or (not model and _ESCAPED_SLASH.search(raw)):
        raise Refusal("invalid_path")
    decoded = unquote_to_bytes(raw)
    if not decoded.startswith(b"/") or _FORBIDDEN.search(decoded) or not is_utf8(decoded):
        raise Refusal("invalid_path")
    segments = decoded[1:].split(b"/")
    if any(segment in (b".", b"..") for segment in segments) or b"" in segments[:-1]:
        raise Refusal("invalid_path")
