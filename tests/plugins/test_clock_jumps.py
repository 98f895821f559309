"""D06: the wall clock is set an hour back, an hour or a day ahead. Limits, circuits and durations do not notice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from sentinel_core.chain import Chain, Tracker
from sentinel_core.context import Call
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.json_types import TomlValue
from sentinel_core.records import Record, RecordStore
from sentinel_core.reply import Reply
from sentinel_core.stage import Stage
from sentinel_core.testing import FakeProvider, chain_of, completion, context, fake_services, opened, run
from sentinel_plugins.audit import Audit
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.breaker.stage import Breaker
from sentinel_plugins.rate_limit.stage import RateLimit
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.state.memory import MemoryState
from sentinel_plugins.usage import Usage
from tests.plugins.recording.written import rows
from tests.plugins.wall import Wall

JUMPS = (-3_600.0, 3_600.0, 86_400.0)
WINDOW_S, OPEN_S = 60.0, 30.0
LIMITED = {"max_requests": 3, "window_s": WINDOW_S}
UNLIMITED = {"max_requests": "unlimited"}


class Upstream(FakeProvider):
    """Sets the clock in the middle of each call."""

    def __init__(self, wall: Wall) -> None:
        super().__init__(completion("ok"))
        self._wall = wall
        self.jump = 0.0

    async def call(self, call: Call) -> Reply:
        """Jump, then answer."""
        self._wall.ahead += self.jump
        return await super().call(call)


@dataclass
class Scene:
    """Stages that look at clocks, one behind the other."""

    chain: Chain
    upstream: Upstream
    wall: Wall
    records: RecordStore
    tracker: Tracker

    async def ask(self) -> SentinelError | None:
        driven = await run(self.chain, context())
        await self.tracker.drained()
        return driven.error

    async def code(self) -> str | None:
        error = await self.ask()
        return error.code if error is not None else None

    async def rows(self, table: str, count: int) -> list[Record]:
        return await rows(self.records, table, count)


@asynccontextmanager
async def scene(limits: Mapping[str, TomlValue]) -> AsyncIterator[Scene]:
    wall, tracker = Wall(), Tracker()
    upstream = Upstream(wall)
    kinds: tuple[tuple[type[Stage], Mapping[str, TomlValue]], ...] = (
        (Audit, {}),
        (Usage, {}),
        (RateLimit, limits),
        (Breaker, {"recovery_timeout_s": OPEN_S}),
    )
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(fake_services(wall))
        services = replace(services, state=MemoryState(now=wall.monotonic))
        live = [await stack.enter_async_context(opened(kind, table, services)) for kind, table in kinds]
        yield Scene(chain_of(live, upstream, tracker), upstream, wall, services.records, tracker)


@pytest.mark.parametrize("algorithm", ["exact", "gcra", "sliding_window"])
@pytest.mark.parametrize("jump", JUMPS)
async def test_d06_a_jump_lets_nobody_in_and_keeps_nobody_longer_than_a_window(jump: float, algorithm: str) -> None:
    async with scene({**LIMITED, "algorithm": algorithm}) as s:
        passed = [await s.code() for _ in range(4)].count(None)
        s.wall.ahead += jump
        refused = await s.ask()
        assert refused is not None
        assert refused.code == "rate_limit_exceeded"
        assert refused.retry_after_s is not None
        assert 0 < refused.retry_after_s <= WINDOW_S
        await s.wall.advance(refused.retry_after_s)
        assert await s.code() is None, "the wait that was told is enough"
        await s.wall.advance(2 * WINDOW_S)
        assert [await s.code() for _ in range(4)].count(None) == passed, "a window, and no more"


@pytest.mark.parametrize("jump", JUMPS)
async def test_d06_a_circuit_stays_open_for_as_long_as_it_should(jump: float) -> None:
    async with scene(UNLIMITED) as s:
        s.upstream.script(UpstreamError("upstream_error", upstream_status=500))
        while await s.code() != "circuit_open":
            assert len(s.upstream.calls) < 10
        s.upstream.script(completion("ok"))
        s.wall.ahead += jump
        refused = await s.ask()
        assert refused is not None
        assert (refused.code, refused.retry_after_s) == ("circuit_open", OPEN_S)
        await s.wall.advance(OPEN_S)
        assert await s.code() is None


@pytest.mark.parametrize("jump", JUMPS)
async def test_d06_no_duration_is_negative_or_an_hour_when_the_clock_jumps_during_a_call(jump: float) -> None:
    async with scene(UNLIMITED) as s:
        said = []
        for s.upstream.jump in (0.0, jump, -jump):
            assert await s.code() is None
            said.append(s.wall.time())
        audited, used = await s.rows("audit", 3), await s.rows("usage", 3)
    assert all(0 <= row.fields["latency_ms"] < 60_000 for row in audited)
    assert all(0 <= row.fields["elapsed_ms"] < 60_000 for row in used)
    assert [row.at for row in audited] == sorted(said), "as the clock said it"
    assert len({row.fields["writer"] for row in audited}) == 2, "the times of one chain do not run backwards"


async def test_d06_an_hour_back_or_a_day_ahead_deletes_nothing_that_is_kept_for_a_day() -> None:
    async with scene(UNLIMITED) as s:
        assert await s.code() is None
        retention = Retention(s.records, s.wall, 86_400.0, None, Witness())
        assert await retention.forget() == 0
        for s.wall.ahead in (-3_600.0, 3_600.0, 86_401.0, 864_000.0, 0.0):
            assert await retention.forget() == 0
        assert len(await s.rows("audit", 1)) == 1


async def test_d06_a_request_whose_end_is_deleted_before_its_intent_gets_no_other_end() -> None:
    """The clock was ahead when it began, and was set right while it ran."""
    wall, tracker = Wall(), Tracker()
    upstream = Upstream(wall)
    wall.ahead, upstream.jump = 7_200.0, -7_200.0
    table = {"guarantee": "required", "lost_after_s": 600.0}
    async with fake_services(wall) as services, opened(Audit, table, services) as live:
        assert (await run(chain_of([live], upstream, tracker), context())).error is None
        await tracker.drained()
        kinds = [(row.fields["kind"], row.at - wall.time()) for row in await rows(services.records, "audit", 2)]
        assert kinds == [("terminal", 0.0), ("intent", 7_200.0)]
        assert await services.records.delete("audit", until=wall.time() + 1.0) == 1
        await wall.advance(10_000.0)
        assert [row.fields["kind"] for row in await rows(services.records, "audit", 1)] == ["intent"]
