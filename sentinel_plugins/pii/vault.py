"""The values that were taken out of one request, and what stands for each."""

from __future__ import annotations

import hmac
import re
from bisect import bisect_left
from collections.abc import Set as AbstractSet
from hashlib import sha256
from typing import NoReturn

from sentinel_core.keys import Key
from sentinel_plugins.pii.placeholder import nonce, placeholder, upper

_ESCAPED = re.compile(r'["\\\x00-\x1f]')


class Vault:
    """Lives as long as its request, and tells a value only to who knows what stands for it.

    What that is follows from the value and the conversation's key alone: it is the same in all texts of a request, and
    in all requests of a conversation. Once the request was looked through, nothing is added any more.
    """

    __slots__ = ("_key", "_ordered", "_placeholders", "_values", "nonce")

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._placeholders: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self._ordered: list[str] = []
        self.nonce = nonce(hmac.digest(key, b"nonce", sha256))

    def __repr__(self) -> str:
        return f"<Vault of {len(self._values)} values>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a vault is written nowhere")

    def put(self, value: str) -> str:
        """What stands for the value from now on."""
        if value not in self._placeholders:
            attempt = 0
            while (drawn := self._drawn(value, attempt)) in self._values:
                attempt += 1
            self._placeholders[value], self._values[drawn] = drawn, value
            self._ordered = []
        return self._placeholders[value]

    def placeholder(self, value: str) -> str | None:
        """What stands for the value, if anything does."""
        return self._placeholders.get(value)

    def value(self, text: str) -> str | None:
        """What this text in capitals stands for, if anything."""
        return self._values.get(text)

    def begins(self, text: str) -> bool:
        """Whether something that stands for a value begins so, in capitals."""
        if not self._ordered:
            self._ordered = sorted(self._values)
        at = bisect_left(self._ordered, text)
        return at < len(self._ordered) and self._ordered[at].startswith(text)

    def stands_in(self, text: str) -> bool:
        """Whether there is something in the text that stands for a value."""
        read = upper(text)
        return self.nonce in read and any(placeholder in read for placeholder in self._values)

    @property
    def placeholders(self) -> AbstractSet[str]:
        """All that stands for something."""
        return self._values.keys()

    @property
    def needs_escapes(self) -> bool:
        """Whether JSON writes one of the values otherwise than it is."""
        return any(map(_ESCAPED.search, self._placeholders))

    def _drawn(self, value: str, attempt: int) -> str:
        message = f"{attempt}:{value}".encode("utf-8", "surrogatepass")
        return placeholder(self.nonce, hmac.digest(self._key, message, sha256))


VAULT: Key[Vault] = Key("vault")
"""Written by `pii` on requests out of which it took values that are put back."""
