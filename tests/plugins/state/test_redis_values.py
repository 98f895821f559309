"""Values, counters and steps of the Redis store, and what it does with what it did not write."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from sentinel_core.errors import Refusal
from sentinel_core.state import Budget, Claim, Lease, Settlement, StateStore, Window, state_key
from sentinel_plugins.redis.breaker import FAILURES
from sentinel_plugins.state.redis import RedisState, sentinel_stores
from tests.pace import until
from tests.plugins.state.redis_stores import redis_state
from tests.promises.tree import page
from tests.redis.server import RedisServer, running_server
from tests.redis.shim import Shim

HUGE = b"x" * 2_000
R = state_key("acme", "r")
PERIOD_S = 60.0
CLAIMS: tuple[Claim, ...] = (
    Window(state_key("acme", "exact"), 10, PERIOD_S, 2),
    Window(state_key("acme", "gcra"), 10, PERIOD_S, 2, "gcra"),
    Window(state_key("acme", "slid"), 10, PERIOD_S, 2, "sliding_window"),
    Lease(state_key("acme", "lease"), 10, PERIOD_S),
    Budget(state_key("acme", "money"), 10, 2, "may", PERIOD_S),
)


@pytest_asyncio.fixture
async def store(redis_server: RedisServer) -> AsyncIterator[RedisState]:
    async with redis_state(redis_server.url, max_value_bytes=1_000) as store:
        yield store


def names(server: RedisServer, *without: str) -> list[bytes]:
    """Every key in the server."""
    return sorted(name for name in server.ask("KEYS", "*") if not any(word in name.decode() for word in without))


async def test_a_value_is_there_until_its_time_is_over(store: RedisState, redis_server: RedisServer) -> None:
    await store.set("key", b"value", ttl_s=10.0)
    assert await store.get("key") == b"value"
    assert 9_000 < redis_server.ask("PTTL", "sentinel:value:key") <= 10_000
    await store.set("key", b"", ttl_s=10.0)
    assert await store.get("key") == b""
    await store.delete("key")
    await store.delete("key")
    assert await store.get("key") is None


async def test_r06_what_is_held_is_counted_anew_where_its_sum_was_evicted(
    store: RedisState, redis_server: RedisServer
) -> None:
    claims = (
        Lease(state_key("acme", "lease"), 3, PERIOD_S),
        Budget(state_key("acme", "money"), 30, 10, "may", PERIOD_S),
    )
    first, *later = (state_key("acme", f"r{number}") for number in range(5))
    assert (await store.admit(first, claims)).admitted
    redis_server.ask("UNLINK", *names(redis_server, "holders", "held", "reservation", "clock"))
    assert [(await store.admit(reservation, claims)).admitted for reservation in later] == [True, True, False, False]
    assert await store.settle(first, Settlement(nanousd=10)) == "settled"
    denied = await store.admit(later[2], claims)
    assert [state.admitted for state in denied.claims] == [True, False], "its place is free, its money is spent"


async def test_r06_who_ends_after_the_sum_was_evicted_gives_nothing_back_twice(
    store: RedisState, redis_server: RedisServer
) -> None:
    claims = (
        Lease(state_key("acme", "lease"), 1, PERIOD_S),
        Budget(state_key("acme", "money"), 10, 10, "may", PERIOD_S),
    )
    first, *later = (state_key("acme", f"r{number}") for number in range(3))
    assert (await store.admit(first, claims)).admitted
    redis_server.ask("UNLINK", *names(redis_server, "holders", "held", "reservation", "clock"))
    assert await store.settle(first, Settlement()) == "settled"
    assert [(await store.admit(reservation, claims)).admitted for reservation in later] == [True, False]


@pytest.mark.parametrize("others", [0, 10], ids=["nobody since", "others since"])
@pytest.mark.parametrize("window", CLAIMS[:3], ids=["exact", "gcra", "sliding_window"])
async def test_r06_who_settles_after_a_window_was_evicted_gives_back_nothing_of_what_others_took(
    store: RedisState, redis_server: RedisServer, window: Window, others: int
) -> None:
    def of(cost: int) -> Window:
        return msgspec.structs.replace(window, cost=cost)

    ours, theirs, late = (state_key("acme", name) for name in ("ours", "theirs", "late"))
    assert (await store.admit(ours, [of(10)])).admitted
    redis_server.ask("UNLINK", *names(redis_server, "reservation", "clock"))
    if others:
        assert (await store.admit(theirs, [of(others)])).admitted
    await store.settle(ours, Settlement(units=((window.key, 0),)))
    assert not (await store.admit(late, [of(11 - others)])).admitted


async def test_r06_a_budget_is_never_counted_for_less_than_the_ledger_says(store: RedisState) -> None:
    money = Budget(state_key("acme", "money"), 10, 2, "may", PERIOD_S, None)
    unknown = await store.admit(state_key("acme", "a"), [money])
    assert (unknown.admitted, unknown.claims[0].unknown, unknown.claims[0].admitted) == (False, True, True)
    for number, spent, remaining in ((1, 4, 4), (2, 3, 2), (3, 7, 0)):
        reservation = state_key("acme", str(number))
        told = await store.admit(reservation, [msgspec.structs.replace(money, spent_nanousd=spent)])
        assert told.claims[0].remaining == remaining
        await store.settle(reservation, Settlement(nanousd=2))
    assert not (await store.admit(state_key("acme", "b"), [money])).admitted, "it is known, and all is spent"


async def test_a_counter_lives_as_long_as_its_first_increment_said(
    store: RedisState, redis_server: RedisServer
) -> None:
    assert await store.increment("hits", ttl_s=10.0) == 1
    assert await store.increment("hits", 4, ttl_s=1_000.0) == 5
    assert await store.get("hits") == b"5"
    assert redis_server.ask("PTTL", "sentinel:value:hits") <= 10_000


async def test_a_value_that_is_too_large_is_not_written(store: RedisState) -> None:
    with pytest.raises(ValueError, match="max_value_bytes"):
        await store.set("key", HUGE, ttl_s=10.0)
    assert await store.get("key") is None


async def test_what_somebody_with_a_long_name_holds_is_let_go_of_when_it_is_settled(store: RedisState) -> None:
    """However long: an identity provider chooses it, and what a reservation holds is written down by its keys."""
    who = "u" * 50_000
    named = [msgspec.structs.replace(claim, key=state_key("acme", who, claim.key)) for claim in CLAIMS[:3]]
    named.append(Lease(state_key("acme", who, "lease"), 1, PERIOD_S))
    for number in range(2):
        reservation = state_key("acme", f"{number}")
        assert (await store.admit(reservation, named)).admitted
        assert await store.settle(reservation, Settlement()) == "settled"


async def test_two_prefixes_on_one_server_are_two_stores(redis_server: RedisServer) -> None:
    async with redis_state(redis_server.url, prefix="a:") as one, redis_state(redis_server.url, prefix="b:") as two:
        await one.set("key", b"1", ttl_s=10.0)
        assert await two.get("key") is None
        assert (await one.admit(R, CLAIMS)).admitted
        assert (await two.admit(R, CLAIMS)).admitted


async def test_it_is_a_state_store_that_processes_share(store: RedisState) -> None:
    assert isinstance(store, StateStore)
    assert (store.kind, store.shared, store.available) == ("redis", True, True)
    assert 0.0 < await store.ping() < 0.25
    assert tuple(sentinel_stores()) == (RedisState,)


async def test_p1_a_denied_step_leaves_the_server_bit_by_bit_as_it_was(
    store: RedisState, redis_server: RedisServer
) -> None:
    assert (await store.admit(R, CLAIMS)).admitted

    def everything() -> dict[bytes, bytes]:
        return {name: redis_server.ask("DUMP", name) for name in names(redis_server)}

    before = everything()
    never = Window(state_key("acme", "never"), 0, PERIOD_S)
    denied = await store.admit(state_key("acme", "denied"), [*CLAIMS, never])
    assert [state.admitted for state in denied.claims] == [True] * 5 + [False]
    assert everything() == before


async def test_l10_every_key_ends_by_itself(store: RedisState, redis_server: RedisServer) -> None:
    keep = Budget(state_key("acme", "daily"), 10, 2, "today", PERIOD_S, keep_s=3_600.0)
    for number in range(2):  # again on what was there, on what was emptied, and beside what is open
        await store.admit(R, [*CLAIMS, keep])
        await store.settle(state_key("acme", "unknown"), Settlement())
        await store.settle(R, Settlement(nanousd=1))
        await store.admit(state_key("acme", f"open-{number}"), [*CLAIMS, keep])
    spans = {name: redis_server.ask("PTTL", name) for name in names(redis_server)}
    for_good = [name for name, span in spans.items() if span < 0]
    assert for_good == [b"sentinel:budget:16:{4:acme}:5:money:may"], "a total is remembered for good, and nothing else"
    assert max(span for name, span in spans.items() if b"clock" not in name) <= (3_600 + 120) * 1_000


@pytest.mark.parametrize("garbage", ["wrong type", "no number", "huge"])
async def test_r08_what_others_wrote_under_our_names_counts_as_nothing_and_is_repaired(
    store: RedisState, redis_server: RedisServer, garbage: str, caplog: pytest.LogCaptureFixture
) -> None:
    damage: dict[str, Callable[[bytes], None]] = {
        "wrong type": lambda name: redis_server.ask("XADD", name, "*", "a", "b"),
        "no number": lambda name: redis_server.ask(
            "HSET", name, "used", "NaN", "level", "x", "period", "1e5", "held", "-"
        ),
        "huge": lambda name: redis_server.ask("SET", name, HUGE * 1_000),
    }
    await store.admit(R, CLAIMS)
    await store.set("value", b"1", ttl_s=60.0)
    for name in names(redis_server):
        redis_server.ask("DEL", name)
        damage[garbage](name)
    admission = await store.admit(R, CLAIMS)
    assert [state.remaining for state in admission.claims] == [8, 8, 8, 9, 8]
    assert await store.get("value") is None
    assert await store.increment("value", ttl_s=60.0) == 1
    assert await store.settle(R, Settlement(nanousd=1)) == "settled"
    assert "was damaged and begins anew" in caplog.text


async def test_r08_damage_between_admission_and_settlement_is_repaired_as_well(
    store: RedisState, redis_server: RedisServer
) -> None:
    await store.admit(R, CLAIMS)
    for name in names(redis_server, "reservation", "clock"):
        redis_server.ask("SET", name, HUGE)
    units = tuple((claim.key, 1) for claim in CLAIMS)
    assert await store.settle(R, Settlement(units, 1)) == "settled"
    assert (await store.admit(R, CLAIMS)).admitted


async def test_r08_a_counter_that_is_none_is_begun_anew(store: RedisState) -> None:
    await store.set("hits", b"value", ttl_s=60.0)
    assert await store.increment("hits", 3, ttl_s=60.0) == 3


async def test_r11_flushall_resets_limits_and_what_the_ledger_knows_stays_spent(
    store: RedisState, redis_server: RedisServer
) -> None:
    assert (await store.admit(R, CLAIMS)).admitted
    redis_server.ask("FLUSHALL")
    spent = Budget(state_key("acme", "money"), 10, 2, "may", PERIOD_S, spent_nanousd=9)
    admission = await store.admit(state_key("acme", "next"), [*CLAIMS[:4], spent])
    assert [state.remaining for state in admission.claims] == [10, 10, 10, 10, 1]
    assert [state.admitted for state in admission.claims] == [True] * 4 + [False]
    assert await store.settle(R, Settlement()) == "unknown"


async def test_r07_scripts_that_the_server_forgot_are_sent_again(store: RedisState, redis_server: RedisServer) -> None:
    for number in range(3):
        redis_server.ask("SCRIPT", "FLUSH")
        assert (await store.admit(state_key("acme", str(number)), CLAIMS)).admitted
        redis_server.ask("SCRIPT", "FLUSH")
        assert await store.settle(state_key("acme", str(number)), Settlement()) == "settled"


@pytest.mark.parametrize(("forbidden", "told"), [("-script", 0), ("-script -evalsha", 2)])
async def test_r07_where_scripts_may_not_be_loaded_limits_stay_exact(
    redis_server: RedisServer, forbidden: str, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    redis_server.ask("ACL", "SETUSER", "limited", "reset", "on", "nopass", "~*", "&*", "+@all", *forbidden.split())
    url = redis_server.url.replace("//", "//limited:any@")
    claim = Window(state_key("acme", "requests"), 10, PERIOD_S)
    async with redis_state(url, prefix="one:") as one, redis_state(url, prefix="one:") as two:
        steps = [store.admit(state_key("acme", f"{id(store)}-{n}"), [claim]) for n in range(20) for store in (one, two)]
        assert sum(admission.admitted for admission in await asyncio.gather(*steps)) == 10
    assert caplog.text.count("does not take EVALSHA") == told, "once for each gateway"


async def test_r06_out_of_memory_is_an_outage_and_ends_with_it(redis_binary: str, tmp_path: Path) -> None:
    with running_server(redis_binary, tmp_path) as server:
        async with redis_state(server.url) as store:
            server.ask("CONFIG", "SET", "maxmemory", "1")
            for number in range(FAILURES):
                with pytest.raises(Refusal, match="state_unavailable"):
                    await store.admit(state_key("acme", str(number)), CLAIMS)
            assert not store.available
            server.ask("CONFIG", "SET", "maxmemory", "0")
            await until(lambda: store.available, 5.0)
            assert (await store.admit(R, CLAIMS)).admitted


@pytest.mark.parametrize(("policy", "warned"), [("noeviction", False), ("allkeys-lru", True)])
async def test_r06_a_server_that_may_forget_limits_is_warned_of_at_the_start(
    redis_binary: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, policy: str, warned: bool
) -> None:
    with running_server(redis_binary, tmp_path, "--maxmemory-policy", policy) as server:
        async with redis_state(server.url):
            pass
    assert (f"maxmemory-policy {policy}" in caplog.text) is warned


async def test_r09_five_hundred_at_one_time_share_two_connections(redis_server: RedisServer) -> None:
    claim = Window(state_key("acme", "requests"), 1_000, PERIOD_S)
    async with Shim(redis_server.port) as shim, redis_state(shim.url) as store:
        steps = (store.admit(state_key("acme", str(number)), [claim]) for number in range(500))
        assert all(admission.admitted for admission in await asyncio.gather(*steps))
        assert shim.accepted == 2


async def test_r10_a_cancelled_command_gives_nobody_anothers_answer(store: RedisState) -> None:
    tenants = ("acme", "globex")
    for tenant in tenants:
        await store.set(state_key(tenant, "secret"), tenant.encode(), ttl_s=60.0)
    draw = random.Random(7)
    wrong: list[bytes | None] = []

    async def read(tenant: str) -> None:
        value = await store.get(state_key(tenant, "secret"))
        if value != tenant.encode():
            wrong.append(value)

    for _ in range(20):
        reads = [asyncio.create_task(read(draw.choice(tenants))) for _ in range(50)]
        for task in reads:
            if draw.random() < 0.5:
                await asyncio.sleep(0)
                task.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
    assert wrong == []
    assert [await store.get(state_key(tenant, "secret")) for tenant in tenants] == [b"acme", b"globex"]


async def test_a_step_whose_caller_left_before_it_was_sent_takes_nothing(
    store: RedisState, redis_server: RedisServer
) -> None:
    await store.admit(R, CLAIMS)  # which sends the script
    redis_server.ask("FLUSHALL")
    task = asyncio.create_task(store.admit(R, CLAIMS))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await store.ping()
    assert names(redis_server) == []


async def test_a_step_that_was_settled_before_it_came_takes_nothing(store: RedisState) -> None:
    assert await store.settle(R, Settlement()) == "unknown"
    late = await store.admit(R, CLAIMS)
    assert [(state.admitted, state.retry_after_s) for state in late.claims] == [(False, None)] * 5


async def test_an_admission_and_a_settlement_are_one_command_each(redis_server: RedisServer) -> None:
    async with Shim(redis_server.port) as shim, redis_state(shim.url) as store:
        for number in range(3):
            await store.admit(state_key("acme", str(number)), CLAIMS)
            await store.settle(state_key("acme", str(number)), Settlement())
        assert shim.commands[-4:] == ["EVALSHA"] * 4


@pytest.mark.parametrize("limit", [2**53, 2**63, 2**64 - 1, 10**30])
async def test_limits_beyond_every_number_of_a_script_are_as_good_as_none(store: RedisState, limit: int) -> None:
    claims: list[Claim] = [
        Budget(state_key("acme", "money"), limit, 5, "total", PERIOD_S),
        Window(state_key("acme", "exact"), limit, PERIOD_S),
        Window(state_key("acme", "gcra"), limit, PERIOD_S, algorithm="gcra"),
        Window(state_key("acme", "slid"), limit, PERIOD_S, algorithm="sliding_window"),
    ]
    for number in range(2):
        admission = await store.admit(state_key("acme", str(number)), claims)
        assert admission.admitted
        assert all(state.remaining >= 2**53 - 10 for state in admission.claims)


async def test_the_rights_that_the_reference_lists_are_enough(
    redis_server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    listed = page("docs/reference/state.md").partition("<!-- acl -->\n```text\n")[2].partition("```")[0].split()
    redis_server.ask("ACL", "SETUSER", "listed", "reset", "on", "nopass", *listed)
    async with redis_state(redis_server.url.replace("//", "//listed:any@"), max_value_bytes=10) as store:
        async with store.subscribe("events"):
            await store.publish("events", b"data")
        for number in range(3):
            await store.admit(state_key("acme", str(number)), CLAIMS)
            await store.settle(state_key("acme", str(number)), Settlement(((CLAIMS[0].key, 1),), 1))
        never = Window(state_key("acme", "never"), 0, PERIOD_S)
        assert not (await store.admit(R, [*CLAIMS, never])).admitted
        await store.settle(state_key("acme", "unknown"), Settlement())
        await store.set("key", b"value", ttl_s=10.0)
        assert await store.get("key") == b"value"
        assert await store.increment("key", ttl_s=10.0) == 1
        await store.delete("key")
        assert await store.ping() > 0.0
    assert "NOPERM" not in caplog.text
    assert "Redis refused" not in caplog.text
