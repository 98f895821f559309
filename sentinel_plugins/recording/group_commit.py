"""One thread that writes what has gathered, and commits it together."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, Protocol, TypeVar

from sentinel_core.counts import Counts, Outages
from sentinel_core.errors import Refusal

log = logging.getLogger("sentinel.records")

W = TypeVar("W")
R = TypeVar("R")
W_in = TypeVar("W_in", contravariant=True)
R_out = TypeVar("R_out", covariant=True)

MAX_GROUP = 1_000
"""How many pieces of work are committed together at most, so that one commit has an end."""

HEAR_S = 0.005
"""How long it takes a loop that was busy to hear of what is done: some look at their clocks before they listen."""


def unavailable() -> Refusal:
    """What a caller is told where rows cannot be written or read."""
    return Refusal("ledger_unavailable", retry_after_s=1)


def too_slow(table: str, timeout_s: float) -> Refusal:
    """What a caller is told whose query was broken off, and the log with them: the store may do its work very well."""
    log.warning("a query of %s took longer than query_timeout_s (%g s) and was broken off", table, timeout_s)
    took = f"The query took longer than `query_timeout_s` ({timeout_s:g} s)."
    return Refusal("ledger_unavailable", f"{took} Narrow it by `since` and `until` where it takes them, or raise that.")


class Job(Generic[W, R]):
    """One piece of work and who waits for it.

    The thread that commits it and the caller whose patience ends both `claim` it; the first one decides whether it is
    done.
    """

    __slots__ = ("_claim", "done", "work")

    def __init__(self, work: W, done: asyncio.Future[R]) -> None:
        self.work = work
        self.done = done
        self._claim = threading.Lock()

    def claim(self) -> bool:
        """True for the first who asks."""
        return self._claim.acquire(blocking=False)

    def expire(self) -> bool:
        """The caller waits no longer: what was not begun is not done. False if it has only not heard of its end yet."""
        self.claim()
        if self.done.done():
            return False
        self.done.set_exception(unavailable())
        return True


class Medium(Protocol[W_in, R_out]):
    """Where the thread writes. All of it is called on that thread only."""

    def commit(self, gather: Callable[[], Sequence[W_in]]) -> Sequence[R_out]:
        """Make ready, gather the work, do all of it or nothing, and make it durable; what came of each.

        Whoever must wait for a lock waits before it gathers: more comes together meanwhile.
        """
        ...

    def close(self) -> None:
        """The thread ends."""
        ...


class GroupCommit(Generic[W, R]):
    """Work that is handed over on an event loop and committed on a thread, in order, in groups.

    `run` waits at most `timeout_s`, and not at all while the present commit takes longer than that: the medium is
    stuck then. `failures` are the exceptions by which a medium says that it cannot write now. It is tried again with
    the next work, so it recovers by itself. `outages` hears of both.
    """

    def __init__(
        self,
        name: str,
        medium: Medium[W, R],
        timeout_s: float,
        failures: tuple[type[Exception], ...],
        outages: Outages | None = None,
    ) -> None:
        self._name = name
        self._medium = medium
        self._timeout_s = timeout_s
        self._failures = failures
        self._loop = asyncio.get_running_loop()
        self._waiting: SimpleQueue[Job[W, R] | None] = SimpleQueue()
        self._began: float | None = None
        self._outages = outages or Outages(Counts(), name)
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=f"sentinel {name}", daemon=True)
        self._thread.start()

    async def run(self, work: W) -> R:
        """What came of the work, once it is committed. Raises `Refusal` (ledger_unavailable).

        Refused work is not done, unless it was refused in the middle of its commit.
        """
        if self._closed or self._stuck():
            raise unavailable()
        job: Job[W, R] = Job(work, self._loop.create_future())
        self._waiting.put(job)
        patience = self._loop.call_later(self._timeout_s, self._look, job)
        try:
            return await job.done
        finally:
            patience.cancel()

    async def close(self, patience_s: float) -> None:
        """Commit what waits, and end the thread; leave it behind if it is stuck."""
        self._closed = True
        self._waiting.put(None)
        await asyncio.to_thread(self._thread.join, patience_s)
        if self._thread.is_alive():
            log.error("%s: still stuck after %g seconds; what waits there is lost", self._name, patience_s)

    def _look(self, job: Job[W, R]) -> None:
        """Its time is over: what the thread has told this loop meanwhile, which may have been busy, is heard first."""
        self._loop.call_later(HEAR_S, self._expire, job)

    def _expire(self, job: Job[W, R]) -> None:
        if job.expire():
            self._lost(f"nothing came of it within {self._timeout_s:g} seconds")

    def _lost(self, reason: object) -> None:
        """Log the beginning of an outage."""
        if self._outages.begin():
            log.error("%s: cannot be written: %s", self._name, reason)

    def _stuck(self) -> bool:
        began = self._began  # read once: the thread may be done meanwhile
        return began is not None and monotonic() - began > self._timeout_s

    # -- on the thread ------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        while (first := self._waiting.get()) is not None:
            self._began = monotonic()
            self._commit(first)
            self._began = None
        self._medium.close()

    def _commit(self, first: Job[W, R]) -> None:
        jobs: list[Job[W, R]] = []

        def gather() -> list[W]:
            jobs.extend(self._gathered(first))
            return [job.work for job in jobs]

        results: Sequence[R] | None = None
        try:
            results = self._medium.commit(gather)
        except Exception as error:  # noqa: BLE001 - told apart in `_note`; the thread outlives it
            self._note(error)
            jobs = jobs or self._gathered(first)
        else:
            self._mended()
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            self._loop.call_soon_threadsafe(_settle, jobs, results)

    def _gathered(self, first: Job[W, R]) -> list[Job[W, R]]:
        """The first job and those behind it, claimed; without those that nobody waits for any more."""
        found = [first]
        while len(found) < MAX_GROUP:
            try:
                job = self._waiting.get_nowait()
            except Empty:
                break
            if job is None:  # the end, which `_serve` wants to see
                self._waiting.put(None)
                break
            found.append(job)
        return [job for job in found if job.claim()]

    def _note(self, error: Exception) -> None:
        """Log a failure: each that is a mistake of ours, and the first one of an outage."""
        if not isinstance(error, self._failures):
            log.error("%s: a commit failed", self._name, exc_info=error)
            self._outages.begin()
        else:
            self._lost(error)

    def _mended(self) -> None:
        if self._outages.end():
            log.warning("%s: can be written again", self._name)


def _settle(jobs: Sequence[Job[W, R]], results: Sequence[R] | None) -> None:
    """Tell those who wait, on their loop."""
    for index, job in enumerate(jobs):
        if job.done.done():
            continue
        if results is None:
            job.done.set_exception(unavailable())
        else:
            job.done.set_result(results[index])
