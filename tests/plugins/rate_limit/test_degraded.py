"""R13: the state store does not answer. Rates go on at a part of each, money does not, and it is said."""

from __future__ import annotations

import logging

import pytest

from sentinel_core.config import ServerSettings
from sentinel_core.limits import Limits
from sentinel_core.state import Settlement, StateStore
from sentinel_core.testing import completion
from sentinel_plugins.rate_limit.local import AGAIN_S
from sentinel_plugins.rate_limit.owed import MOST, Owed
from sentinel_plugins.state.memory import MemoryState, MemoryStateConfig
from tests.plugins.rate_limit.scene import caller, code, scene
from tests.plugins.rate_limit.unplugged import Unplugged


@pytest.fixture
def store() -> Unplugged:
    return Unplugged(now=lambda: 0.0)


async def test_r13_rates_are_limited_locally_at_a_part_and_it_says_so(
    store: Unplugged, caplog: pytest.LogCaptureFixture
) -> None:
    table = {"max_requests": 9, "replicas": 3}
    async with scene(table, completion("ok"), state=store, local_state=MemoryState(now=lambda: 0.0)) as s:
        store.down = True
        with caplog.at_level(logging.WARNING, "sentinel.rate_limit"):
            driven = [await s.ask(client="a") for _ in range(4)]
            assert [code(one) for one in driven] == [None] * 3 + ["rate_limit_exceeded"]
            assert {one.ctx.headers["x-sentinel-degraded"] for one in driven if one.ctx} == {"rate_limit"}
            said = [record.message for record in caplog.records]
            assert sum("limits rates on its own, at 1/3" in message for message in said) == 1
            store.down = False
            back = await s.ask(client="a")
        assert back.ctx is not None
        assert "x-sentinel-degraded" not in back.ctx.headers
        assert any("answers again; 3 requests were admitted" in record.message for record in caplog.records)
        assert store.settled == 4, "what the shared store may have taken without saying so is settled there too"


async def test_r13_what_is_more_than_this_part_may_pass_when_the_store_answers_again(store: Unplugged) -> None:
    who = caller(of_key=Limits(tokens_per_minute=400))
    async with scene({"replicas": 4}, completion("ok"), state=store, local_state=MemoryState(now=lambda: 0.0)) as s:
        store.down = True
        refused = (await s.ask(who, max_tokens=100)).error
        assert refused is not None
        assert (refused.code, refused.retry_after_s, refused.should_retry) == ("rate_limit_exceeded", AGAIN_S, True)
        assert "never" not in refused.message
        never = (await s.ask(caller(of_key=Limits(tokens_per_minute=110)), max_tokens=100)).error
        assert never is not None
        assert (never.retry_after_s, never.should_retry) == (None, False)
        store.down = False
        assert code(await s.ask(who, max_tokens=100)) is None


async def test_r13_who_has_a_budget_is_refused_with_503(store: Unplugged) -> None:
    local = MemoryState(now=lambda: 0.0)
    async with scene({}, completion("ok"), state=store, local_state=local) as s:
        store.down = True
        refused = (await s.ask(caller(of_key=Limits(daily_usd=1.0)))).error
        assert refused is not None
        assert (refused.status, refused.code) == (503, "state_unavailable")
        assert s.provider.calls == []


async def test_r13_without_a_store_of_its_own_the_stage_refuses(store: Unplugged) -> None:
    async with scene({}, completion("ok"), state=store) as s:
        store.down = True
        assert code(await s.ask(client="a")) == "state_unavailable"


async def test_a_store_of_this_process_that_is_full_is_not_away() -> None:
    """There is no second one beside it, which would grant every limit once more."""
    store, local = MemoryState(MemoryStateConfig(max_entries=2), now=lambda: 0.0), MemoryState(now=lambda: 0.0)
    async with scene({}, completion("ok"), state=store, local_state=local) as s:
        async with s.exchange(s.ctx(client="a")), s.exchange(s.ctx(client="b")):
            refused = (await s.ask(client="c")).error
        assert refused is not None
        assert (refused.status, refused.code) == (503, "state_unavailable")
        await s.tracker.drained()


@pytest.mark.parametrize(
    ("table", "server", "part"),
    [
        ({}, ServerSettings(workers=4, replicas=2), 3),
        ({"replicas": 3}, ServerSettings(workers=4, replicas=2), 2),  # those that share these limits
        ({}, ServerSettings(), 24),
    ],
)
async def test_r13_each_worker_of_each_gateway_grants_its_part(
    store: Unplugged, table: dict[str, int], server: ServerSettings, part: int
) -> None:
    local = MemoryState(now=lambda: 0.0)
    store.down = True
    table = {"max_requests": 24, **table}
    async with scene(table, completion("ok"), state=store, local_state=local, server=server) as s:
        codes = [code(await s.ask(client="a")) for _ in range(part + 1)]
        assert codes == [None] * part + ["rate_limit_exceeded"]


async def test_a_limit_smaller_than_the_fleet_still_allows_one_and_none_stays_none(store: Unplugged) -> None:
    local = MemoryState(now=lambda: 0.0)
    store.down = True
    async with scene({"replicas": 5}, completion("ok"), state=store, local_state=local) as s:
        few, none = caller(of_key=Limits(requests_per_minute=2)), caller(key="k2", of_key=Limits(requests_per_minute=0))
        assert [code(await s.ask(few)) for _ in range(2)] == [None, "rate_limit_exceeded"]
        assert code(await s.ask(none)) == "rate_limit_exceeded"


async def test_what_could_not_be_settled_is_settled_when_the_store_answers_again(store: Unplugged) -> None:
    who = caller(of_key=Limits(total_usd=0.01, max_concurrency=2))
    async with scene({}, completion("ok"), state=store) as s:
        ctx = s.ctx(who)
        async with s.exchange(ctx):
            store.down = True
        await s.tracker.drained()
        store.down = False
        assert code(await s.ask(who)) is None
        assert store.settled == 2
        held = [code(await s.ask(who)) for _ in range(3)]
        assert held == [None] * 3, "its place is free"


async def test_what_is_owed_is_bounded(store: Unplugged, caplog: pytest.LogCaptureFixture) -> None:
    owed = Owed()
    store.down = True
    kept: StateStore = store
    with caplog.at_level(logging.ERROR, "sentinel.rate_limit"):
        for number in range(MOST + 2):
            await owed.settle(kept, f"r{number}", Settlement())
    assert len(caplog.records) == 2
    store.down = False
    while owed.owes:
        await owed.tell(kept)
    assert store.settled == MOST
