"""Usage that Zion is to be told: written down first, told by a job, marked when Zion has it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal
from uuid import uuid4

import msgspec

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.records import Record, RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.auth.flights import Flights
from sentinel_plugins.auth.zion.account import Account, Spent
from sentinel_plugins.auth.zion.api import ZionApi
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.pages import Pages

log = logging.getLogger("sentinel.auth")

TABLE = "zion_usage"
LEASE_S = 60.0
"""How long a row that a worker took belongs to it: longer than all calls for one row may take."""
CLOSE_S = 5.0
"""How long the end of a gateway may wait for Zion."""
KEPT_S = 7 * 86_400.0
_NOBODYS = frozenset({401, 403, 429})
"""What Zion says to this gateway, whosever usage it is."""
_AGAIN = frozenset({408, 425, *_NOBODYS})

State = Literal["waiting", "sending", "told", "refused"]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One request's usage. `until` ends the lease of who is sending it."""

    external_id: str
    email: str
    input_tokens: int
    output_tokens: int
    requests: int
    state: State = "waiting"
    until: float = 0.0


class Outbox:
    """The table `zion_usage`. Every row is told at least once, in calls whose `Idempotency-Key` stays the same.

    A row is leased by one worker at a time, and whoever began to tell it goes on to the mark, though the job that asked
    for it ends: it is told twice only where a process dies between Zion's answer and the mark.
    """

    def __init__(self, config: ZionConfig, api: ZionApi, records: RecordStore, journal: Journal, clock: Clock) -> None:
        self._config = config
        self._api = api
        self._records = records
        self._journal = journal
        self._clock = clock
        self._cleaned = float("-inf")
        self._telling: Flights[bool] = Flights()

    async def add(self, account: Account, spent: Spent) -> None:
        """Write one row down. Where the store does not answer it waits in memory until it does."""
        user = account.user
        if self._config.usage_body == "limits":
            spent = spent.within(limit.name for limit in account.limits)
        row = Row(external_id=user.external_id, email=user.email or "", **spent._asdict())
        fields = msgspec.to_builtins(row)
        # An id of our own: a request's may be the client's, and a row with an id that is there counts nothing.
        self._journal.add(Record(uuid4().hex, self._config.tenant, self._clock.time(), fields))
        await self._journal.caught_up()

    async def run(self) -> None:
        """Tell what waits, for as long as the gateway is open."""
        while True:
            await self._clock.sleep(self._config.usage_interval_s)
            try:
                await self.flush()
            except Refusal as error:
                log.warning("usage for Zion waits: %s", error.code)

    async def close(self) -> None:
        """Tell what is being told to its end, and what waits once more: rows that end with the process have no other
        chance."""
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._telling.landed()
                await self.flush()
        except (Refusal, TimeoutError) as error:
            log.warning("usage for Zion waits until the next start: %s", type(error).__name__)
        finally:
            await self._telling.close()

    async def flush(self) -> None:
        """Tell everything that waits and that nobody else tells. Of a user whose usage is not taken now the rest waits;
        where nobody's is, all does."""
        await self._journal.caught_up()
        failing: set[str] = set()
        for state in ("waiting", "sending"):
            async for page in Pages(self._records, TABLE, tenant=None, where={"state": state}):
                for record in page:
                    if not await self._telling.join(record.id.encode(), partial(self._tell, record, failing)):
                        return
        await self._clean()

    async def _tell(self, record: Record, failing: set[str]) -> bool:
        """Lease one row, tell it, mark it. False where Zion can be told nothing now."""
        row = msgspec.convert(record.fields, Row)
        now = self._clock.time()
        if row.external_id in failing or (row.state == "sending" and row.until > now):
            return True
        leased = _marked(record, row, "sending", now + LEASE_S)
        if not await self._records.put(TABLE, leased, expect=record):
            return True  # another worker has it
        state, goes_on = await self._told(record.id, row)
        await self._records.put(TABLE, _marked(record, row, state), expect=leased)
        if state == "waiting":
            failing.add(row.external_id)
        return goes_on

    async def _told(self, id_: str, row: Row) -> tuple[State, bool]:
        """What becomes of one row, and whether others may be told."""
        state: State = "told"
        for key, body in _calls(id_, row, self._config.usage_body):
            try:
                status = await self._api.increment(body, key)
            except UpstreamError as error:
                log.warning("Zion cannot be told usage: %s", error.code)
                return "waiting", False
            if status >= 500 or status in _AGAIN:
                log.warning("Zion does not take usage now: status %d", status)
                return "waiting", status not in _NOBODYS
            if status >= 400:
                log.error("Zion refuses usage %s: status %d", key, status)
                state = "refused"
        return state, True

    async def _clean(self) -> None:
        """Forget rows that are old, once an hour, unless one of them still waits."""
        now = self._clock.time()
        if now - self._cleaned < 3600:
            return
        self._cleaned = now
        for state in ("waiting", "sending"):
            page = await self._records.query(TABLE, tenant=None, where={"state": state}, until=now - KEPT_S, limit=1)
            if page.records:
                return
        await self._records.delete(TABLE, until=now - KEPT_S)


def _marked(record: Record, row: Row, state: State, until: float = 0.0) -> Record:
    fields = msgspec.to_builtins(msgspec.structs.replace(row, state=state, until=until))
    return msgspec.structs.replace(record, fields=fields)


def _calls(id_: str, row: Row, shape: Literal["limits", "totals"]) -> Iterator[tuple[str, dict[str, Any]]]:  # JSON
    """The bodies that tell one row, each with its key."""
    if shape == "totals":
        yield (
            id_,
            {
                "email": row.email,
                "aiInputTokens": row.input_tokens,
                "aiOutputTokens": row.output_tokens,
                "aiRequests": row.requests,
            },
        )
        return
    spent = Spent(row.input_tokens, row.output_tokens, row.requests)
    for name, amount in spent.by_limit().items():
        if amount:
            yield f"{id_}:{name}", {"externalId": row.external_id, "limitName": name, "amount": amount}
