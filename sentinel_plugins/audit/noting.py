"""`Noting`: says in the checkpoints how far a chain has been written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from sentinel_core.records import Record
from sentinel_core.services import Clock
from sentinel_plugins.audit.checkpoints import Checkpoints
from sentinel_plugins.audit.seal import Head


class Noting:
    """Notes what has been committed, at most once in an interval, and the very last at the end.

    It has a task of its own: no record waits for the disk of the checkpoints.
    """

    def __init__(self, checkpoints: Checkpoints | None, clock: Clock, interval_s: float) -> None:
        self._checkpoints = checkpoints
        self._clock = clock
        self._interval_s = interval_s
        self._news: dict[str, Head] = {}
        self._wake = asyncio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Note until the context ends, and then what is left."""
        if self._checkpoints is None:
            yield self
            return
        task = asyncio.create_task(self._run(self._checkpoints), name="sentinel audit notes")
        try:
            yield self
        finally:
            task.cancel()
            await asyncio.wait([task])
            await self._note(self._checkpoints)

    def committed(self, records: Sequence[Record]) -> None:
        """Hear of records that the store has."""
        last = {record.fields["writer"]: record.fields for record in records}
        self._news |= {writer: Head(fields["seq"], fields["mac"]) for writer, fields in last.items()}
        self._wake.set()

    async def _run(self, checkpoints: Checkpoints) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            await self._note(checkpoints)
            await self._clock.sleep(self._interval_s)

    async def _note(self, checkpoints: Checkpoints) -> None:
        """What could not be noted, or was interrupted, stays news."""
        news = dict(self._news)
        if news and await checkpoints.note("head", self._clock.time(), news):
            self._news = {writer: head for writer, head in self._news.items() if news.get(writer) != head}
