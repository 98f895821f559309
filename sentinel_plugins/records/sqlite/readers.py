"""Threads that read, each on a connection of its own: they wait for nobody who writes (WAL)."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

from sentinel_core.errors import Refusal
from sentinel_plugins.recording.group_commit import unavailable

log = logging.getLogger("sentinel.records")

R = TypeVar("R")

_AT_ONCE = nullcontext()


class Reading(Generic[R]):
    """One read that can be broken off from another thread."""

    __slots__ = ("_connection", "_lock", "_read", "_stopped")

    def __init__(self, read: Callable[[sqlite3.Connection], R]) -> None:
        self._read = read
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._stopped = False

    def run(self, connection: sqlite3.Connection) -> R:
        """Read."""
        with self._lock:
            if self._stopped:
                raise sqlite3.OperationalError("nobody waits for this read")
            self._connection = connection
        try:
            return self._read(connection)
        finally:
            with self._lock:
                self._connection = None

    def stop(self) -> None:
        """Break it off; one that has ended already is no longer on its connection, and nobody else's is."""
        with self._lock:
            self._stopped = True
            if self._connection is not None:
                self._connection.interrupt()


class Shares:
    """How much of a pool one tenant may have at a time: half of it, so that whoever asks for much waits for themselves.

    Whoever asks for every tenant's rows counts as one of them.
    """

    def __init__(self, count: int) -> None:
        self._each = max(1, count // 2)
        self._shares: WeakValueDictionary[str | None, asyncio.Semaphore] = WeakValueDictionary()

    def of(self, tenant: str | None) -> asyncio.Semaphore:
        """What is held while one reads; kept as long as anybody has it."""
        return self._shares.setdefault(tenant, asyncio.Semaphore(self._each))


class Readers:
    """A pool of threads and connections, opened when they are first needed."""

    def __init__(self, count: int, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="sentinel records read")
        self._local = threading.local()
        self._open: list[sqlite3.Connection] = []

    async def run(
        self,
        read: Callable[[sqlite3.Connection], R],
        timeout_s: float,
        late: Callable[[], Refusal] = unavailable,
        turn: AbstractAsyncContextManager[None] = _AT_ONCE,
    ) -> R:
        """What `read` returns, in its turn. Raises `Refusal` (ledger_unavailable) if it fails, and what `late` says if
        it takes too long."""
        reading = Reading(read)
        try:
            async with asyncio.timeout(timeout_s), turn:
                return await asyncio.get_running_loop().run_in_executor(self._threads, self._on_thread, reading)
        except TimeoutError:
            raise late() from None
        except sqlite3.Error as error:
            log.error("records cannot be read: %s", error)
            raise unavailable() from error
        finally:
            reading.stop()

    def close(self) -> None:
        """End the threads, which read nothing any more, and their connections."""
        self._threads.shutdown(cancel_futures=True)
        for connection in self._open:
            connection.close()

    def _on_thread(self, reading: Reading[R]) -> R:
        return reading.run(self._connection())

    def _connection(self) -> sqlite3.Connection:
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = self._connect()
            self._open.append(found)
        return found
