"""Credentials as they are kept: in stores as HMAC-SHA256 with a pepper that is kept elsewhere, in this process keyed
with bytes that end with it."""

from __future__ import annotations

import hmac
import secrets

from sentinel_core.config import Secret
from sentinel_core.keyed_cache import KeyedHash


class Digests:
    """Without a pepper, one of this process's own: enough to compare, not to keep."""

    __slots__ = ("_pepper",)

    def __init__(self, pepper: Secret | None) -> None:
        self._pepper = pepper.reveal().encode() if pepper is not None else secrets.token_bytes(32)

    def of(self, text: str) -> bytes:
        """The digest of a whole key or token: those that share a beginning share nothing else (Z09)."""
        return hmac.digest(self._pepper, text.encode("ascii"), "sha256")


class Fingerprints:
    """What this process remembers credentials by: a hash of its own, in a quarter of the time of an HMAC."""

    __slots__ = ("_hash",)

    def __init__(self) -> None:
        self._hash = KeyedHash(32)

    def of(self, text: str) -> bytes:
        """32 bytes of the whole text, which must be ASCII."""
        return self._hash.of(text.encode("ascii"))
