"""Names of media types as clients write them, and as APIs that check them take them."""

from __future__ import annotations

_REGISTERED = {"image/jpg": "image/jpeg"}
"""Names that no registry knows and many programs write (https://www.iana.org/assignments/media-types)."""


def registered(name: str) -> str:
    """The name under which the type is registered."""
    return _REGISTERED.get(name, name)
