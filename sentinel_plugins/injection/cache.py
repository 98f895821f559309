"""Scores of texts that were seen before, without the texts."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from typing import Final

from sentinel_plugins.injection.scorer import Score

DIGEST_BYTES: Final = 16


class ScoreCache:
    """The scores last used, at most `entries` of them, under a hash that only this object can make.

    Its key is drawn when it is made and never leaves it: who reads the memory of a process finds no hash that a guessed
    text could be compared with elsewhere. For one thread: the event loop's.
    """

    __slots__ = ("_entries", "_key", "_scores")

    def __init__(self, entries: int) -> None:
        self._entries = entries
        self._key = secrets.token_bytes(32)
        self._scores: OrderedDict[bytes, Score] = OrderedDict()

    def __len__(self) -> int:
        return len(self._scores)

    def digest(self, text: str) -> bytes:
        """What a text's score is kept under."""
        return blake2b(text.encode("utf-8", "surrogatepass"), key=self._key, digest_size=DIGEST_BYTES).digest()

    def get(self, digest: bytes) -> Score | None:
        """The score, if it is still known."""
        score = self._scores.get(digest)
        if score is not None:
            self._scores.move_to_end(digest)
        return score

    def put(self, digest: bytes, score: Score) -> None:
        """Keep a score; the one that was used longest ago goes if there are too many."""
        self._scores[digest] = score
        self._scores.move_to_end(digest)
        if len(self._scores) > self._entries:
            self._scores.popitem(last=False)
