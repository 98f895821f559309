"""Keys as they are kept: HMAC-SHA256 with a pepper that is kept elsewhere."""

from __future__ import annotations

import hmac
import secrets

from sentinel_core.config import Secret


class Digests:
    """Without a pepper, one of this process's own: enough to compare, not to keep."""

    __slots__ = ("_pepper",)

    def __init__(self, pepper: Secret | None) -> None:
        self._pepper = pepper.reveal().encode() if pepper is not None else secrets.token_bytes(32)

    def of(self, text: str) -> bytes:
        """The digest of a whole key or token: those that share a beginning share nothing else (Z09)."""
        return hmac.digest(self._pepper, text.encode("ascii"), "sha256")
