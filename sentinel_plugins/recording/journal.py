"""`Journal`: rows of one table, written in groups behind whoever adds them."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import accumulate, islice
from typing import Self

from msgspec.structs import replace

from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.records import Record, RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.recording.row import bulk
from sentinel_plugins.recording.succession import Succession, among_others
from sentinel_plugins.recording.waiting import Batch, Group, Unmade, Waiting

log = logging.getLogger("sentinel.records")

MOST = 10_000
"""Rows that may wait for a store; further ones are dropped, counted and logged."""
GROUP = 500
GROUP_BYTES = 2**20
"""Rows of one group, and how much of bulky ones is enough: a store has little time for each group."""
GATHER_S = 0.01
"""How long a row that nobody waits for may wait for others: under load a commit costs more than the rows in it."""
RETRY_S = 1.0
"""Between two tries at a store that does not answer."""
LAST_RETRY_S = 0.25
"""The same where a process waits for its end."""
UNAVAILABLE = "ledger_unavailable"


def as_they_are(records: Group) -> Group:
    """Rows that need nothing more before they are written."""
    return records


def nothing_more(records: Group) -> None:
    """Of rows that are written nobody needs to hear."""


class Journal:
    """Takes rows at once and writes them in their order, a group at a time; a refused group is written again.

    A row is on its way at once where somebody waits for it, else within `GATHER_S`, with those that came meanwhile.

    `finish` makes the rows of a group what they will stay, once, just before they are written; `committed` hears of
    each group afterwards. With `most_bytes` rows may have contents: then a group ends as well where there is enough of
    them, and no more of them are held, whoever took them. `dropped` counts the rows that found no room. In `counts`
    these are `<table>_written` and `<table>_dropped`.

    What the store does not take when it ends is left to the journal of this table that was opened after it, on the same
    store, and `dropped` with it: a reload in an outage costs no rows.
    """

    def __init__(
        self,
        table: str,
        records: RecordStore,
        clock: Clock,
        *,
        finish: Callable[[Group], Group] = as_they_are,
        committed: Callable[[Group], None] = nothing_more,
        most: int = MOST,
        most_bytes: int | None = None,
        counts: Counts | None = None,
    ) -> None:
        self.table = table
        self._records = records
        self._clock = clock
        self._finish = finish
        self._committed = committed
        self._most = most
        self._most_bytes = most_bytes
        self._bytes = 0
        self._waiting: deque[Waiting] = deque()
        self._inherited: deque[Batch] = deque()
        self._batch = Batch()
        self._futures: list[asyncio.Future[None]] = []
        self._wake = asyncio.Event()
        self._gathering: asyncio.TimerHandle | None = None
        self._readers: list[asyncio.Future[None]] = []
        self._answers = True
        self.dropped = 0
        counts = counts if counts is not None else Counts()
        self._written = counts.count(f"{table}_written", f"Rows of {table} that their store, or its spool, has taken")
        self._lost = counts.count(f"{table}_dropped", f"Rows of {table} that found no room or could not be written")

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Self]:
        """Write what is added, until the context ends; what is left then is written, or left to who follows."""
        task = asyncio.create_task(self._run(), name=f"sentinel journal {self.table}")
        with among_others(self, self._records) as others:
            try:
                yield self
            finally:
                task.cancel()
                await asyncio.wait([task])
                await self._last(others)
                self._answers = False  # nobody waits for what can no longer be written
                self._release(len(self._readers))
                if self._gathering is not None:
                    self._gathering.cancel()

    def __len__(self) -> int:
        """Rows that are not written yet."""
        inherited = sum(len(batch.rows) for batch in self._inherited) if self._inherited else 0
        return len(self._waiting) + len(self._batch.rows) + inherited

    def add(self, record: Record | Unmade) -> bool:
        """Take a row that is written soon; False if there is no room for it."""
        if not self._take(record):
            return False
        if self._gathering is None:  # it is written when others had the time to come, too
            self._gathering = asyncio.get_running_loop().call_later(GATHER_S, self._gathered)
        return True

    async def write(self, record: Record) -> None:
        """Take a row and wait until it is written. Raises `Refusal` (ledger_unavailable), at once during an outage.

        A row whose writing was refused may be written later all the same.
        """
        written = asyncio.get_running_loop().create_future()
        if not self._answers or not self._take(record, written):
            raise Refusal(UNAVAILABLE)
        self._wake.set()
        await written

    async def caught_up(self) -> None:
        """Wait until what was taken before is written: whoever reads then sees it. Not at all during an outage."""
        if self and self._answers:
            self._readers.append(reader := asyncio.get_running_loop().create_future())
            self._wake.set()
            await reader

    def inherit(self, groups: Sequence[Group], dropped: int) -> None:
        """Write what an older journal leaves before what waits here: it is finished, and may be in the store already.

        So the chain of whoever finished it stays whole.
        """
        self.dropped += dropped
        batches = [Batch(group, sum(map(self._size, group))) for group in groups]
        self._inherited.extend(batches)
        self._bytes += sum(batch.bulk for batch in batches)
        self._wake.set()

    def _size(self, record: Record | Unmade) -> int:
        return bulk(record) if self._most_bytes is not None and isinstance(record, Record) else 0

    def _take(self, record: Record | Unmade, written: asyncio.Future[None] | None = None) -> bool:
        size = self._size(record) if self._most_bytes is not None else 0
        may_be_full = len(self._waiting) + GROUP >= self._most or self._inherited  # a group is written beside them
        is_full = may_be_full and len(self) >= self._most
        if is_full or (self._most_bytes and self._bytes and self._bytes + size > self._most_bytes):
            self._drop(1)
            if self.dropped & (self.dropped - 1) == 0:  # at 1, 2, 4, 8, …: a full queue must not fill the log as well
                log.error("%s: no room for a row, %d dropped so far", self.table, self.dropped)
            return False
        self._bytes += size
        self._waiting.append(Waiting(record, written, size))
        return True

    def _gathered(self) -> None:
        self._gathering = None
        self._wake.set()

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, readers = len(self), len(self._readers)
            while due > 0 and self:
                try:
                    due -= await self._commit()
                except Refusal as error:
                    self._refuse(error)
                    readers = 0  # they have been let go
                    await self._clock.sleep(RETRY_S)
            self._release(readers)

    async def _commit(self) -> int:
        """Write the group that was refused, or the next one; how many rows that were."""
        if not self._batch.rows:
            self._batch = self._next()
            if not self._batch.rows:
                return 0
        try:
            await self._records.append(self.table, self._batch.rows)
        except Refusal:
            raise
        except Exception:  # rows that no store can take must not hold up the others
            log.exception("%s: %d rows cannot be written", self.table, len(self._batch.rows))
            return self._give_up()
        (written, size), self._batch, self._answers = self._batch, Batch(), True
        self._bytes -= size
        self._written.value += len(written)
        self._tell(None)
        self._committed(written)
        return len(written)

    def _next(self) -> Batch:
        """The next group as it will stay; none where it cannot be finished."""
        if self._inherited:
            return self._inherited.popleft()
        taken = [self._waiting.popleft() for _ in range(self._fitting())]
        size = sum([row.bulk for row in taken])
        self._futures = [row.written for row in taken if row.written is not None]
        try:
            return Batch(self._finish(self._made(taken)), size)
        except Exception:  # the same of rows that cannot be sealed
            log.exception("%s: %d rows cannot be finished and are dropped", self.table, len(taken))
            self._bytes -= size
            self._drop(len(taken))
            self._tell(UNAVAILABLE)
            return Batch()

    def _made(self, taken: Sequence[Waiting]) -> Group:
        """The rows of these, without those that cannot be made."""
        made: list[Record] = []
        for row in taken:
            try:
                made.append(row.record if isinstance(row.record, Record) else row.record.record())
            except Exception:  # the rows beside it are as good as before
                log.exception("%s: a row cannot be made and is dropped", self.table)
                self._drop(1)
        return made

    def _fitting(self) -> int:
        """How many of the rows that wait are a group."""
        most = min(GROUP, len(self._waiting))
        if self._most_bytes is None:
            return most
        sizes = accumulate(row.bulk for row in islice(self._waiting, most))
        return next((count for count, size in enumerate(sizes, start=1) if size >= GROUP_BYTES), most)

    def _refuse(self, error: Refusal) -> None:
        """Whoever waits for a row is refused; the rows stay."""
        if self._answers:
            log.warning("%s: rows wait for their store: %s", self.table, error.message)
        self._answers = False
        self._futures += [row.written for row in self._waiting if row.written is not None]
        self._waiting = deque(replace(row, written=None) for row in self._waiting)
        self._tell(error.code)
        self._release(len(self._readers))

    def _give_up(self) -> int:
        """What can never be written must not hold up the others: a group is tried again row by row, and a row is
        dropped; how many that were."""
        (group, size), self._batch = self._batch, Batch()
        self._tell(UNAVAILABLE)
        self._bytes -= size
        if len(group) > 1:
            alone = [Batch([record], self._size(record)) for record in reversed(group)]
            self._inherited.extendleft(alone)
            self._bytes += sum(batch.bulk for batch in alone)
            return 0
        self._drop(len(group))
        return len(group)

    def _drop(self, count: int) -> None:
        self.dropped += count
        self._lost.value += count

    def _tell(self, code: str | None) -> None:
        futures, self._futures = self._futures, []
        for future in futures:
            if future.done():  # who waited has gone
                continue
            if code is None:
                future.set_result(None)
            else:
                future.set_exception(Refusal(code))

    async def _last(self, others: Succession) -> None:
        """What is left is written now, or by whoever follows; where nobody does, the store has a moment to answer."""
        while self:
            try:
                await self._commit()
            except Refusal as error:
                self._refuse(error)
                now = self._clock.monotonic()
                if others.heir(self) is not None or now >= others.until(now):
                    break
                await self._clock.sleep(LAST_RETRY_S)
        if (heir := others.heir(self)) is not None:
            heir.inherit(self._left(), self.dropped)
        elif self:
            log.error("%s: %d rows were not written: the store does not answer", self.table, len(self))
            self._drop(len(self))

    def _left(self) -> list[Group]:
        """Every row that is not written, in groups as they will stay."""
        groups: list[Group] = []
        while self:
            groups.append((self._batch if self._batch.rows else self._next()).rows)
            self._batch = Batch()
        return groups

    def _release(self, count: int) -> None:
        """The first of those who wait to read need wait no longer."""
        released, self._readers = self._readers[:count], self._readers[count:]
        for reader in released:
            if not reader.done():  # else who waited has gone
                reader.set_result(None)
