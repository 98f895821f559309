"""What budgets begin with: the ledger's word, asked for seldom, and for exactly those calls that the budget pays."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace

import msgspec

from sentinel_core.chain import Exchange, Tracker
from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal
from sentinel_core.ledger import Payer
from sentinel_core.limits import Limits
from sentinel_core.records import RecordStore
from sentinel_core.state import Budget, Settlement, StateStore, state_key
from sentinel_core.testing import FakeClock, FakeProvider, chain_of, completion, fake_services, opened
from sentinel_plugins.rate_limit.ledger_looks import AGAIN_S, SELDOM_S
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.rows import MoneyRow
from sentinel_plugins.rate_limit.stage import RateLimit
from sentinel_plugins.state.memory import MemoryState
from sentinel_plugins.state.memory.config import MemoryStateConfig
from sentinel_plugins.usage import Usage
from sentinel_plugins.usage.spent import Spent
from tests.pace import until
from tests.plugins.rate_limit.scene import NOON, asking, caller, code, prices, scene
from tests.plugins.rate_limit.unplugged import Unplugged

ANSWER = completion("ok", usage={"prompt_tokens": 0, "completion_tokens": 100, "total_tokens": 100})
COST = 100 * 10_000


@dataclass
class Told:
    """A ledger that says what a test lets it say, or cannot be read."""

    nanousd: int | None = 0
    asked: list[Payer] = field(default_factory=list)

    async def spent(self, records: RecordStore, payer: Payer, since: float | None, until: float | None) -> int:
        self.asked.append(payer)
        await self.ready()
        if self.nanousd is None:
            raise Refusal("ledger_unavailable")
        return self.nanousd

    async def ready(self) -> None:
        """At once."""


async def test_rows_that_were_on_their_way_are_found_by_a_second_look() -> None:
    ledger, clock = Told(0), FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=0.002))
    async with scene({}, ANSWER, clock=clock, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) is None
        ledger.nanousd = 10 * COST
        assert code(await s.ask(who, max_tokens=1)) is None, "it has just looked"
        await clock.advance(AGAIN_S)
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
        await clock.advance(AGAIN_S)
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
    assert len(ledger.asked) == 2


async def test_a_budget_that_is_lost_right_after_a_look_has_its_second_look_all_the_same() -> None:
    """The one that the store asks for is the first after the loss, also where an earlier one was to be repeated."""
    ledger, clock = Told(0), FakeClock(NOON)
    store = MemoryState(MemoryStateConfig(max_entries=1), now=clock.monotonic)
    who, other = (caller(tenant, of_key=Limits(total_usd=0.002)) for tenant in ("acme", "other"))
    async with scene({"max_requests": "unlimited"}, ANSWER, state=store, clock=clock, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) is None
        assert code(await s.ask(other, max_tokens=1)) is None, "it takes the place of the first one's budget"
        await clock.advance(1.0)
        assert code(await s.ask(who, max_tokens=1)) is None, "what was spent is still on its way to the ledger"
        ledger.nanousd = 10 * COST
        await clock.advance(AGAIN_S)
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
    assert len(ledger.asked) == 4, "one for each first look, one that the store asked for, and its second"


async def test_each_period_is_looked_up_when_it_begins() -> None:
    ledger, clock = Told(0), FakeClock(NOON)
    who = caller(of_key=Limits(daily_usd=1.0))
    async with scene({}, ANSWER, clock=clock, ledger=ledger) as s:
        for _ in range(3):
            assert code(await s.ask(who, max_tokens=1)) is None
            await clock.advance(86_400.0)
    assert len(ledger.asked) == 3


async def test_a_second_look_that_fails_is_repeated_and_refuses_nobody() -> None:
    ledger, clock = Told(0), FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, clock=clock, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) is None
        ledger.nanousd = None
        for _ in range(2):
            await clock.advance(AGAIN_S)
            assert code(await s.ask(who, max_tokens=1)) is None
        ledger.nanousd = 100 * COST
        await clock.advance(AGAIN_S)
        assert code(await s.ask(who, max_tokens=1)) is None
        assert len(ledger.asked) == 3, "each failure doubles the wait: such a ledger may be too long to be read"
        await clock.advance(AGAIN_S)
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
    assert len(ledger.asked) == 4


async def test_the_wait_after_looks_that_fail_has_a_limit() -> None:
    ledger, clock = Told(0), FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, clock=clock, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) is None
        ledger.nanousd, asked = None, []
        for _ in range(10):
            await clock.advance(SELDOM_S)
            assert code(await s.ask(who, max_tokens=1)) is None
            asked.append(len(ledger.asked))
    assert asked == list(range(2, 12))


async def test_a_request_whose_look_failed_does_not_read_the_ledger_again_for_the_store() -> None:
    """It would wait twice for the same thing."""
    ledger, clock = Told(None), FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, clock=clock, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) == "ledger_unavailable"
        assert len(ledger.asked) == 1
        ledger.nanousd = 0
        await clock.advance(0.001)
        assert code(await s.ask(who, max_tokens=1)) is None, "the next one asks what the store does not know"
    assert len(ledger.asked) == 2


@dataclass
class Slow(Told):
    """A ledger that is read only once a test says so."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def ready(self) -> None:
        await self.go_on.wait()


async def test_only_who_looks_again_waits_for_the_second_look() -> None:
    ledger, clock = Slow(0), FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, clock=clock, ledger=ledger) as s:
        ledger.go_on.set()
        assert code(await s.ask(who, max_tokens=1)) is None
        await clock.advance(AGAIN_S)
        ledger.go_on.clear()
        looks = asyncio.create_task(s.ask(who, max_tokens=1))
        await until(lambda: len(ledger.asked) == 2)
        assert code(await s.ask(who, max_tokens=1)) is None
        assert not looks.done()
        ledger.go_on.set()
        assert code(await looks) is None
    assert len(ledger.asked) == 2


async def test_who_waited_for_a_look_in_vain_does_not_look_as_well() -> None:
    ledger = Slow(None)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, ledger=ledger) as s:
        asking_ = [asyncio.create_task(s.ask(who, max_tokens=1)) for _ in range(3)]
        await until(lambda: len(ledger.asked) == 1)
        ledger.go_on.set()
        assert [code(await one) for one in asking_] == ["ledger_unavailable"] * 3
    assert len(ledger.asked) == 1


async def test_r05_after_an_outage_budgets_are_compared_with_the_ledger_again() -> None:
    """A replica that took over may have missed what was settled last."""
    ledger, store = Told(0), Unplugged(now=lambda: 0.0)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, state=store, ledger=ledger) as s:
        assert code(await s.ask(who, max_tokens=1)) is None
        store.down = True
        assert [code(await s.ask(who, max_tokens=1)) for _ in range(3)] == ["state_unavailable"] * 3
        store.down, ledger.nanousd = False, 100 * COST
        assert code(await s.ask(who, max_tokens=1)) is None, "the one that finds that it answers"
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
    assert len(ledger.asked) == 2


async def test_a_settlement_that_waits_for_the_store_is_not_counted_twice_by_a_look() -> None:
    """Its row is in the ledger before the store hears of it."""
    ledger, clock = Told(0), FakeClock(NOON)
    store = Unplugged(now=clock.monotonic)
    who = caller(of_key=Limits(total_usd=10 * COST / 1e9))
    async with scene({"max_requests": "unlimited"}, ANSWER, state=store, clock=clock, ledger=ledger) as s:
        async with AsyncExitStack() as running:
            for _ in range(3):
                await running.enter_async_context(s.exchange(s.ctx(who, max_tokens=1)))
            store.down = True
            assert code(await s.ask(who, max_tokens=1)) == "state_unavailable"
        await s.tracker.drained()
        store.down, ledger.nanousd = False, 3 * COST
        async with s.exchange(s.ctx(who, max_tokens=1)), s.exchange(s.ctx(who, max_tokens=1)):
            assert len(ledger.asked) == 1, "as long as the store is to be told, nothing is compared"
        await s.tracker.drained()
        assert code(await s.ask(who, max_tokens=1)) is None
        assert len(ledger.asked) == 2
        key = state_key("acme", "limit", "key", "k1", "usd-total")
        asked = [Budget(key, 10 * COST, 0, "total", 1.0, None)]
        (state,) = (await store.admit(state_key("acme", "probe"), asked)).claims
        assert state.remaining == (10 - 3 - 3) * COST


async def test_r05_an_outage_that_only_a_settlement_met_is_one_too() -> None:
    ledger, clock = Told(0), FakeClock(NOON)
    store = Unplugged(now=clock.monotonic)
    who = caller(of_key=Limits(total_usd=0.1))
    async with scene({"max_requests": "unlimited"}, ANSWER, state=store, clock=clock, ledger=ledger) as s:
        async with s.exchange(s.ctx(who, max_tokens=1)):
            store.down = True
        await s.tracker.drained()
        store.down, ledger.nanousd = False, 100 * COST
        assert code(await s.ask(who, max_tokens=1)) is None, "the one that finds that it answers"
        assert code(await s.ask(who, max_tokens=1)) == "insufficient_quota"
    assert len(ledger.asked) == 2


async def test_a_request_that_another_limit_denies_asks_no_ledger() -> None:
    ledger = Told(0)
    who = caller(of_key=Limits(total_usd=1.0, requests_per_minute=0))
    store = MemoryState(now=lambda: 0.0)
    async with scene({}, ANSWER, state=store, ledger=ledger) as s:
        assert [code(await s.ask(who)) for _ in range(3)] == ["rate_limit_exceeded"] * 3
    assert len(ledger.asked) == 1, "the first look at the period; a denied step asks for none"


async def test_p3_who_ends_after_its_own_time_is_charged_all_the_same() -> None:
    clock = FakeClock(NOON)
    who = caller(of_key=Limits(total_usd=1.5 * COST / 1_000_000_000))
    async with scene({"lease_ttl_s": 5.0}, ANSWER, clock=clock) as s:
        async with s.exchange(s.ctx(who, max_tokens=100)):
            await clock.advance(6.0)
        await s.tracker.drained()
        assert code(await s.ask(who, max_tokens=100)) == "insufficient_quota"


LIMITS = Limits(daily_usd=9.0, monthly_usd=9.0, total_usd=9.0)
SUBJECTS = ("address", "tenant", "key", "user")
PEOPLE = (caller(), caller(key="k2", user="u"), caller("other", user="u"), None)
MODELS = ("fake", "m", None)


def request(who: Principal | None, model: str | None) -> Context:
    ctx = asking(who, client="10.0.0.1", max_tokens=100)
    ctx.request = msgspec.structs.replace(ctx.request, model=model)
    return ctx


async def committed(store: StateStore, row: MoneyRow, period: str) -> int:
    """What the store counts as spent."""
    probe = state_key(row.payer.tenant, "probe", row.key, period)
    (state,) = (await store.admit(probe, [Budget(row.key, row.limit, 0, period, 1.0, None)])).claims
    await store.settle(probe, Settlement())
    return row.limit - state.remaining


async def test_p4_the_ledger_says_of_every_payer_and_period_what_the_store_counts() -> None:
    """Callers with and without a key, users, patterns of models, and requests that run past midnight."""
    clock, store, tracker = FakeClock(NOON), MemoryState(now=lambda: 0.0), Tracker()
    table = {"max_requests": "unlimited", "models": {"fa*": LIMITS, "*": LIMITS}, **dict.fromkeys(SUBJECTS, LIMITS)}
    async with (
        fake_services(clock, prices=prices(), ledger=Spent()) as made,
        opened(Usage, {}, made) as usage,
        opened(RateLimit, table, replace(made, state=store)) as limit,
    ):
        chain = chain_of([usage, limit], FakeProvider(ANSWER), tracker)
        for who, model in itertools.product(PEOPLE, MODELS):
            async with Exchange(chain, request(who, model)):
                await clock.advance(9_000.0)
        await tracker.drained()
        assert isinstance(usage[0], Usage)
        await usage[0].journal.caught_up()
        assert isinstance(limit[0], RateLimit)
        found = {}
        for who, model in itertools.product(PEOPLE, MODELS):
            for row, now in itertools.product(limit[0]._subjects.of(request(who, model)).budgets, (NOON, clock.time())):
                period = span(row.allowance.period, now)
                until = period.ends.timestamp() if period.ends is not None else None
                says = await Spent().spent(made.records, row.payer, period.begins, until)
                assert says == await committed(store, row, period.name), (row, period)
                found[row.key, period.name] = says
    of_tenants = [spent for (key, period), spent in found.items() if "tenant" in key and period == "total"]
    assert sum(of_tenants) == 9 * COST, "three callers of two tenants, three models each"
    assert len(set(found.values())) > 3
