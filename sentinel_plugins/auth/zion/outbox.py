"""Usage that Zion is to be told: written down first, told by a job, marked when Zion has it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Iterator
from functools import partial
from typing import Literal
from uuid import uuid4

import msgspec

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.json_types import JsonObject
from sentinel_core.records import Record
from sentinel_core.services import Clock
from sentinel_plugins.auth.flights import Flights
from sentinel_plugins.auth.zion.account import Account, Spent
from sentinel_plugins.auth.zion.api import ZionApi
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.auth.zion.due import SWEEP_ROWS, Due
from sentinel_plugins.auth.zion.row import Row, State, marked
from sentinel_plugins.recording.journal import Journal

log = logging.getLogger("sentinel.auth")

LEASE_S = 60.0
"""How long a row that a worker took belongs to it: longer than all calls for one row may take."""
CLOSE_S = 5.0
"""How long the end of a gateway may wait for Zion."""
TELLERS = 8
"""How many users' usage is told at a time."""
_NOBODYS = frozenset({401, 403, 429})
"""What Zion says to this gateway, whosever usage it is."""
_AGAIN = frozenset({408, 425, *_NOBODYS})


class Outbox:
    """The table `zion_usage`. Every row is told at least once, in calls whose `Idempotency-Key` stays the same.

    A row is leased by one worker at a time, and whoever began to tell it goes on to the mark, though the job that asked
    for it ends: it is told twice only where a process dies between Zion's answer and the mark.
    """

    def __init__(self, config: ZionConfig, api: ZionApi, journal: Journal, due: Due, clock: Clock) -> None:
        self._config = config
        self._api = api
        self._journal = journal
        self._due = due
        self._clock = clock
        self._telling: Flights[bool] = Flights()

    def add(self, account: Account, spent: Spent) -> Awaitable[None]:
        """Count one row at once, and write it down. Where the store does not answer it waits in memory meanwhile."""
        now, user = self._clock.time(), account.user
        account.spend(spent, self._clock.monotonic())
        if self._config.usage_body == "limits":
            spent = spent.within(limit.name for limit in account.limits)
        row = Row(external_id=user.external_id, email=user.email or "", **spent._asdict())
        fields = msgspec.to_builtins(row)
        # An id of our own: a request's may be the client's, and a row with an id that is there counts nothing.
        record = Record(uuid4().hex, self._config.tenant, now, fields)
        if self._journal.add(record):
            self._due.put(record)
        return self._journal.caught_up()

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
            await self._due.close()

    async def flush(self) -> None:
        """Tell everything that waits and that nobody else tells, of several users at a time, of each the oldest first.
        Of a user whose usage is not taken now the rest waits; where nobody's is, all does."""
        await self._journal.caught_up()
        await self._due.look()
        await self._due.sweep(round(SWEEP_ROWS * max(1.0, self._config.usage_interval_s)))
        failing: set[str] = set()
        users = deque(self._due.users())
        if users and not await self._tell_one(self._due.of(users[0])[0], failing):
            return  # a Zion that takes nothing is asked once
        outcomes = await asyncio.gather(
            *(self._tell_all(users, failing) for _ in range(TELLERS)), return_exceptions=True
        )
        for fault in outcomes:
            if fault is not None:
                raise fault

    async def _tell_all(self, users: deque[str], failing: set[str]) -> None:
        """Tell one user's rows after the other's, as long as Zion can be told something."""
        while users:
            user = users.popleft()
            for record in self._due.of(user):
                if user in failing:
                    break
                if not await self._tell_one(record, failing):
                    users.clear()
                    return

    async def _tell_one(self, record: Record, failing: set[str]) -> bool:
        return await self._telling.join(record.id.encode(), partial(self._tell, record, failing))

    async def _tell(self, record: Record, failing: set[str]) -> bool:
        """Lease one row, tell it, mark it. False where Zion can be told nothing now."""
        row = Row.of(record)
        now = self._clock.time()
        if row.external_id in failing or (row.state == "sending" and row.until > now):
            return True
        leased = marked(record, row, "sending", now + LEASE_S)
        if not await self._due.write(leased, record):
            return True  # another worker has it
        state, goes_on = await self._told(record.id, row)
        await self._due.write(marked(record, row, state), leased)
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


def _calls(id_: str, row: Row, shape: Literal["limits", "totals"]) -> Iterator[tuple[str, JsonObject]]:
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
