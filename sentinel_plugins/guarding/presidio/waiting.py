"""Texts that wait to be read."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from sentinel_plugins.guarding.presidio.wire import Span

BATCH_CHARS: Final = 4_096
"""Texts of about this length are read at once: a long request is shared out, and no process is busy for long."""


class QueueFull(Exception):
    """More text waits already than may."""


class Job:
    """Texts that are read at once."""

    __slots__ = ("chars", "done", "texts")

    def __init__(self, texts: list[str]) -> None:
        self.texts = [_encodable(text) for text in texts]
        self.chars = sum(map(len, texts))
        self.done: asyncio.Future[list[list[Span]]] = asyncio.get_running_loop().create_future()


class Waiting:
    """The jobs of all callers, up to so many characters. Callers take turns, so that a sentence of a stream does not
    wait for a book."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._chars = 0
        self._callers: deque[deque[Job]] = deque()
        self.arrived = asyncio.Event()
        """Set when there is something to take."""

    def admit(self, jobs: deque[Job]) -> None:
        """Let one caller's wait; they are taken out of `jobs`. Raises `QueueFull`."""
        chars = sum(job.chars for job in jobs)
        if self._chars + chars > self._max_chars:
            raise QueueFull(f"{self._chars} characters wait, and {chars} more are too many")
        if jobs:
            self._callers.append(jobs)
            self._chars += chars
            self.arrived.set()

    def withdraw(self, jobs: deque[Job]) -> None:
        """Nobody waits for what is left of these any more."""
        if jobs:
            self._callers.remove(jobs)
            self._chars -= sum(job.chars for job in jobs)

    def take(self) -> Job | None:
        """The next job; None where there is none."""
        if not self._callers:
            self.arrived.clear()
            return None
        jobs = self._callers.popleft()
        job = jobs.popleft()
        if jobs:
            self._callers.append(jobs)
        self._chars -= job.chars
        return job


def batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in their order, in lists of no more than `BATCH_CHARS`, or of one text."""
    batch: list[str] = []
    chars = 0
    for text in texts:
        if batch and chars + len(text) > BATCH_CHARS:
            yield batch
            batch, chars = [], 0
        batch.append(text)
        chars += len(text)
    if batch:
        yield batch


def _encodable(text: str) -> str:
    """The text with a mark in the place of each half of a surrogate pair, so that places stay the same."""
    return text.encode("utf-8", "replace").decode()
