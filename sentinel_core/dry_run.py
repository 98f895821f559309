"""A world in which nothing happens: what `explain` gives to stages and providers instead of the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, ClassVar, Literal

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.json_types import JsonMapping
from sentinel_core.records import Group, Page, Record, RecordStore, Stored
from sentinel_core.services import DEFAULT_TIMEOUTS, HttpClient, HttpResponse, HttpTimeouts
from sentinel_core.state import (
    Admission,
    Budget,
    Claim,
    ClaimState,
    Lease,
    Message,
    Settlement,
    StateStore,
    StoreConfig,
    Window,
)


class Overlay:
    """State whose writes stay here: reads fall through to `base`, if there is one.

    Claims are judged as if nobody else had taken any, because no store can be asked without taking: an admission in a
    dry run says that the claim itself fits its limit, and no more.
    """

    kind: ClassVar[str] = "overlay"
    Config: ClassVar[type[StoreConfig]] = StoreConfig
    shared: ClassVar[bool] = False

    def __init__(self, base: StateStore | None = None) -> None:
        self._base = base
        self._values: dict[str, bytes | None] = {}
        self._counters: dict[str, int] = {}
        self._reserved: set[str] = set()

    @property
    def available(self) -> bool:
        """Whether the base is."""
        return self._base is None or self._base.available

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any) -> AsyncIterator[Overlay]:  # Any: every store's open takes its own Config
        """An overlay over nothing."""
        yield cls()

    async def get(self, key: str) -> bytes | None:
        """The value written here, else the base's."""
        if key in self._values or self._base is None:
            return self._values.get(key)
        return await self._base.get(key)

    async def set(self, key: str, value: bytes, *, ttl_s: float) -> None:
        """Remember a value for this dry run."""
        self._values[key] = value

    async def delete(self, key: str) -> None:
        """Hide a value for this dry run."""
        self._values[key] = None

    async def increment(self, key: str, by: int = 1, *, ttl_s: float) -> int:
        """Count from the base's value, without telling it."""
        if key not in self._counters:
            known = await self.get(key)
            self._counters[key] = int(known) if known is not None and known.isdigit() else 0
        self._counters[key] += by
        return self._counters[key]

    async def admit(self, reservation: str, claims: Sequence[Claim]) -> Admission:
        """Judge each claim on its own and take nothing."""
        self._reserved.add(reservation)
        states = tuple(_judged(claim) for claim in claims)
        return Admission(all(state.admitted for state in states), states)

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
        """Forget a reservation of this dry run."""
        if reservation not in self._reserved:
            return "unknown"
        self._reserved.remove(reservation)
        return "settled"

    async def publish(self, channel: str, data: bytes) -> None:
        """Tell nobody."""

    @asynccontextmanager
    async def subscribe(self, channel: str) -> AsyncIterator[AsyncIterator[Message]]:
        """Hear nothing."""
        yield _silence()

    async def ping(self) -> float:
        """The base's round trip, or none."""
        return await self._base.ping() if self._base is not None else 0.0


async def _silence() -> AsyncIterator[Message]:
    nothing: tuple[Message, ...] = ()
    for message in nothing:
        yield message


def _judged(claim: Claim) -> ClaimState:
    match claim:
        case Window(limit=limit, cost=wanted, period_s=reset_s):
            limit = claim.depth if claim.algorithm == "gcra" else limit
        case Lease(limit=limit, ttl_s=reset_s):
            wanted = 1
        case Budget(limit_nanousd=limit, reserve_nanousd=wanted, ttl_s=reset_s):
            limit = max(0, limit - (claim.spent_nanousd or 0))
    return ClaimState(claim.key, max(0, limit - wanted), reset_s, wanted <= limit)


class UnwrittenRecords:
    """Rows that can be read, from `base` if there is one, and are never written.

    `missing` says why there is none, or why it does not answer, and `missed` how often a row was asked for that `base`
    might have had.
    """

    kind: ClassVar[str] = "unwritten"
    Config: ClassVar[type[StoreConfig]] = StoreConfig
    durable: ClassVar[bool] = False

    def __init__(self, base: RecordStore | None = None, missing: str = "") -> None:
        self._base = base
        self.missing = missing
        self.missed = 0

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any) -> AsyncIterator[UnwrittenRecords]:  # Any: as in Overlay
        """No rows."""
        yield cls()

    @classmethod
    def reader(cls, config: Any) -> AbstractAsyncContextManager[UnwrittenRecords]:  # Any: as in Overlay
        """The same."""
        return cls.open(config)

    @property
    def available(self) -> bool:
        """As the base, if there is one."""
        return self._base is None or self._base.available

    async def append(self, table: str, records: Sequence[Record]) -> None:
        """Write nothing."""

    async def put(self, table: str, record: Record, *, expect: Record | None) -> bool:
        """Write nothing, and say that it was: a dry run goes on as the real one would."""
        return True

    async def get(self, table: str, tenant: str | None, id: str) -> Record | None:  # noqa: A002 - the domain's word
        """The base's row. Raises `Refusal` where the base cannot tell."""
        if self._base is None:
            self.missed += 1
            return None
        try:
            return await self._base.get(table, tenant, id)
        except Refusal as error:
            self.missed += 1
            self.missing = error.message
            raise

    async def query(
        self,
        table: str,
        *,
        tenant: str | None,
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page:
        """The base's rows."""
        if self._base is None:
            return Page(())
        return await self._base.query(
            table, tenant=tenant, where=where, since=since, until=until, limit=limit, cursor=cursor
        )

    async def scan(self, table: str) -> AsyncIterator[Stored]:
        """The base's rows."""
        if self._base is not None:
            async for row in self._base.scan(table):
                yield row

    async def aggregate(
        self,
        table: str,
        *,
        tenant: str | None,
        group_by: Sequence[str] = (),
        sums: Sequence[str] = (),
        where: JsonMapping | None = None,
        since: float | None = None,
        until: float | None = None,
    ) -> tuple[Group, ...]:
        """The base's rows, counted and summed."""
        if self._base is None:
            return ()
        return await self._base.aggregate(
            table, tenant=tenant, group_by=group_by, sums=sums, where=where, since=since, until=until
        )

    async def delete(self, table: str, *, until: float, ids: Iterable[str] | None = None) -> int:
        """Delete nothing."""
        return 0


class ClosedHttp:
    """Connection pools without connections: whatever is sent fails."""

    @asynccontextmanager
    async def pool(self, *, connections: int) -> AsyncIterator[HttpClient]:
        """A client that sends nothing."""
        yield _ClosedClient()


class _ClosedClient:
    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = DEFAULT_TIMEOUTS,
        deadline: float | None = None,
    ) -> HttpResponse:
        raise UpstreamError("upstream_unreachable", "This is a dry run: nothing is sent.", attempted=False)
