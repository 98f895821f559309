"""Sends what waits in the spool, once the server answers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import islice
from pathlib import Path

from sentinel_core.errors import Refusal
from sentinel_plugins.recording.group_commit import GroupCommit
from sentinel_plugins.records.redis.spool import Batch, Sent, Spool, Turn, Work, batches, waiting

log = logging.getLogger("sentinel.records")

RETRY_S = 0.5
BATCHES = 100
"""Batches that are read from a file at one time."""


class Replay:
    """The spool of one process. Rows that are sent twice are there once: the server knows their ids."""

    def __init__(
        self, folder: Path, max_bytes: int, timeout_s: float, send: Callable[[Batch], Awaitable[None]]
    ) -> None:
        self._writer: GroupCommit[Work, list[Path]] = GroupCommit(
            f"the spool in {folder}", Spool(folder, max_bytes), timeout_s, (OSError,)
        )
        self._folder = folder
        self._send = send
        self._sending = asyncio.Lock()
        self._filled = asyncio.Event()
        self._unreadable: set[Path] = set()
        if waiting(folder):
            self._filled.set()

    async def keep(self, line: bytes) -> None:
        """Keep a line on disk until it is sent. Raises `Refusal` (ledger_unavailable) where it cannot be."""
        await self._writer.run(line)
        self._filled.set()

    async def run(self) -> None:
        """Send, whenever there is something, until cancelled."""
        while True:
            await self._filled.wait()
            await self.send_all()
            await asyncio.sleep(RETRY_S)

    async def send_all(self) -> None:
        """Send what waits now, as far as the server takes it; the rest waits on."""
        async with self._sending:
            await self._send_files()

    async def emptied(self) -> bool:
        """Send what waits now; whether nothing waits any more, nor with another process."""
        await self.send_all()
        return not await asyncio.to_thread(waiting, self._folder)

    async def close(self, patience_s: float) -> None:
        """Send what can be sent at once, then let go of the files."""
        if self._filled.is_set():
            await self.send_all()
        await self._writer.close(patience_s)

    async def _send_files(self) -> None:
        self._filled.clear()
        try:
            for path in await self._writer.run(Turn()):
                await self._send_file(path)
        except Refusal:
            self._filled.set()
        except asyncio.CancelledError:
            self._filled.set()  # `close` sends the rest
            raise

    async def _send_file(self, path: Path) -> None:
        """Send a file and forget it. One that cannot be read now keeps nobody from the others, and is tried again."""
        count = 0
        try:
            async for batch in _read(path):
                await self._send(batch)
                count += len(batch.records)
        except FileNotFoundError:
            log.error("%s is gone, and the rows in it are lost", path)
        except OSError as error:
            self._filled.set()
            if path not in self._unreadable:
                self._unreadable.add(path)
                log.error("%s cannot be read, its rows wait: %s", path, error.strerror)
            return
        await self._writer.run(Sent(path))
        if count:
            log.warning("%d rows that had waited in %s were sent", count, path)


async def _read(path: Path) -> AsyncIterator[Batch]:
    """A file's batches, read off the loop."""
    found = batches(path)
    while some := await asyncio.to_thread(lambda: list(islice(found, BATCHES))):
        for batch in some:
            yield batch
