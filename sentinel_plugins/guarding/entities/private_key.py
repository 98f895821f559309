"""Private keys in blocks."""

from __future__ import annotations

from sentinel_plugins.guarding.entities.pattern import PatternEntity
from sentinel_plugins.guarding.tail import opening

_LINES = r"(?:[A-Za-z0-9+/=\s\\:,.]|(?<=[A-Za-z0-9])-(?=[A-Za-z0-9]))"
_FULL = r"(?:[A-Za-z0-9+/=\s\\:,.]|[A-Za-z0-9]-[A-Za-z0-9])*[A-Za-z0-9]?"


def private_key() -> PatternEntity:
    """A block of PEM (RFC 7468) or of OpenPGP that says PRIVATE KEY, to its end; without one, as far as lines of base64
    go: a key that was cut off is half a key. Line breaks may be written as `\\n`."""
    begin = r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
    end = r"-----END [A-Z0-9 ]{0,24}PRIVATE KEY(?: BLOCK)?-----"
    return PatternEntity(
        "PRIVATE_KEY",
        "secret",
        rf"{begin}(?:{_LINES}{{0,8000}}+{end}|(?:(?:\s|\\[nr]){{0,4}}[A-Za-z0-9+/=]{{16,80}}+){{1,90}}+)",
        trigger=r"-----BEGIN [A-Z0-9 ]{0,24}PRIVATE KEY",
        live=opening(
            "-----BEGIN ",
            r"[A-Z0-9 ]*(?:PRIVATE KEY(?: BLOCK)?-{1,5}" + rf"|PRIVATE KEY(?: BLOCK)?-----{_FULL}(?:-{{1,5}}"
            r"|-----E(?:N(?:D(?: [A-Z0-9 ]*-{0,5})?)?)?)?)?",
        ),
        max_length=8192,
        left=0,
    )
