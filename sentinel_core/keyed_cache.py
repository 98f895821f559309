"""What is known of texts that were seen before, without the texts."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from typing import Final, Generic, TypeVar

Fact = TypeVar("Fact")

DIGEST_BYTES: Final = 16


class KeyedHash:
    """A keyed BLAKE2b (RFC 7693). The key is drawn when it is made and never leaves: its hashes are of use to nobody
    else. May be used on any thread."""

    __slots__ = ("_keyed",)

    def __init__(self, size: int) -> None:
        """`size` is the bytes of a hash."""
        self._keyed = blake2b(key=secrets.token_bytes(32), digest_size=size)

    def of(self, data: bytes) -> bytes:
        """The hash of these bytes."""
        keyed = self._keyed.copy()
        keyed.update(data)
        return keyed.digest()


class KeyedCache(Generic[Fact]):
    """The facts last used, at most `entries` of them, under a hash that only this object can make.

    Its key is drawn when it is made and never leaves it: who reads the memory of a process finds no hash that a guessed
    text could be compared with elsewhere. `digest` may be called on any thread, the rest on one: the event loop's.
    """

    __slots__ = ("_entries", "_facts", "_hash")

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._hash = KeyedHash(DIGEST_BYTES)
        self._facts: OrderedDict[bytes, Fact] = OrderedDict()

    def __len__(self) -> int:
        return len(self._facts)

    def digest(self, text: str) -> bytes:
        """What a text's fact is kept under."""
        return self._hash.of(text.encode("utf-8", "surrogatepass"))

    def get(self, digest: bytes) -> Fact | None:
        """The fact, if it is still known."""
        fact = self._facts.get(digest)
        if fact is not None:
            self._facts.move_to_end(digest)
        return fact

    def put(self, digest: bytes, fact: Fact) -> None:
        """Keep a fact; the one that was used longest ago goes if there are too many."""
        self._facts[digest] = fact
        self._facts.move_to_end(digest)
        if len(self._facts) > self._entries:
            self._facts.popitem(last=False)
