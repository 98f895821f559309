"""What becomes of state when Redis fails (R01 to R05): refused within the timeout, at once when that is known, and back
by itself."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Iterable
from pathlib import Path

import pytest
import pytest_asyncio

from sentinel_core.errors import Refusal
from sentinel_core.state import Lease, Settlement, Window, state_key
from sentinel_plugins.redis.breaker import FAILURES
from sentinel_plugins.state.redis import RedisState
from tests.loops import LOOPS, runner_on
from tests.pace import in_time, until
from tests.plugins.state.one_step import one_step
from tests.plugins.state.redis_stores import redis_state
from tests.redis.server import RedisServer, running_server
from tests.redis.shim import Shim

TIMEOUT_S = 0.25
SLACK_S = 0.25
BACK_S = 5.0
WINDOW = Window(state_key("acme", "requests"), limit=1_000_000, period_s=60.0)


@pytest_asyncio.fixture
async def shim(redis_server: RedisServer) -> AsyncIterator[Shim]:
    async with Shim(redis_server.port) as shim:
        yield shim


async def admitted(store: RedisState, number: int = 0) -> bool:
    """Whether a step of all kinds passes."""
    lease = Lease(state_key("acme", "concurrency"), limit=1_000_000, ttl_s=60.0)
    return (await store.admit(state_key("acme", f"{time.monotonic_ns()}-{number}"), [WINDOW, lease])).admitted


async def refused(store: RedisState, number: int = 0) -> None:
    """A caller is refused, as it should be."""
    with pytest.raises(Refusal, match="state_unavailable") as caught:
        await admitted(store, number)
    assert (caught.value.status, caught.value.should_retry) == (503, True)


async def broken(store: RedisState) -> int:
    """How many callers, one after the other, are refused within the timeout until the breaker is open: few."""
    count = 0
    while store.available:
        await in_time(refused(store), TIMEOUT_S + SLACK_S)
        count += 1
        assert count <= FAILURES
    return count


async def together(callers: Iterable[Coroutine[None, None, None]]) -> None:
    """All of them at one time."""
    await asyncio.gather(*callers)


def at_once(store: RedisState) -> bool:
    """Whether refusals cost nothing now: not one turn of the loop."""
    for number in range(20):
        one_step(refused(store, number))
    return True


async def test_r01_a_gateway_starts_without_its_redis_and_finds_it_later(
    redis_binary: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_server(redis_binary, tmp_path) as server:
        server.kill()
        async with asyncio.timeout(BACK_S) as starting, redis_state(server.url) as store:
            starting.reschedule(None)  # it has started
            assert not store.available
            assert at_once(store)
            assert "does not answer" in caplog.text
            server.start()
            await until(lambda: store.available, BACK_S)
            assert await admitted(store)
            assert "answers again" in caplog.text


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("turns", [1, 2, 3], ids=["before it is sent", "as it is sent", "before it is read"])
def test_r02_a_busy_loop_is_no_outage(redis_server: RedisServer, loop: str, turns: int) -> None:
    async def busy() -> None:
        async with redis_state(redis_server.url, timeout_s=TIMEOUT_S) as store:
            assert await admitted(store)
            for _ in range(3):
                callers = [asyncio.create_task(admitted(store, number)) for number in range(6)]
                for _ in range(turns):
                    await asyncio.sleep(0)
                time.sleep(TIMEOUT_S + 0.05)  # somebody's long work on the loop
                assert await asyncio.gather(*callers) == [True] * 6
                assert store.available

    with runner_on(loop) as runner:
        runner.run(busy())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("turns", [1, 3, 6])
def test_r02_a_loop_that_is_busy_while_a_connection_opens_is_no_outage(
    redis_server: RedisServer, loop: str, turns: int
) -> None:
    async def busy() -> None:
        async def others() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)
            time.sleep(TIMEOUT_S + 0.05)  # processes have much to begin with

        work = asyncio.create_task(others())
        async with redis_state(redis_server.url, timeout_s=TIMEOUT_S) as store:
            assert await admitted(store)
        await work

    with runner_on(loop) as runner:
        runner.run(busy())


async def test_r02_a_server_that_is_killed_costs_one_timeout_then_nothing(redis_binary: str, tmp_path: Path) -> None:
    with running_server(redis_binary, tmp_path) as server:
        async with redis_state(server.url, timeout_s=TIMEOUT_S) as store:
            assert await admitted(store)
            server.kill()
            await broken(store)
            assert at_once(store)
            server.start()
            await until(lambda: store.available, BACK_S)
            assert await admitted(store)


async def test_r03_a_frozen_server_costs_each_of_the_first_callers_one_timeout(
    redis_binary: str, tmp_path: Path
) -> None:
    with running_server(redis_binary, tmp_path) as server:
        async with redis_state(server.url, timeout_s=TIMEOUT_S) as store:
            assert await admitted(store)
            server.freeze()
            assert await broken(store) == FAILURES
            assert at_once(store)
            server.thaw()
            await until(lambda: store.available, BACK_S)
            assert await admitted(store)


async def test_r03_callers_at_one_time_wait_one_timeout_together(shim: Shim) -> None:
    async with redis_state(shim.url, timeout_s=TIMEOUT_S) as store:
        assert await admitted(store)
        shim.freeze()
        await in_time(together(refused(store, number) for number in range(500)), 2 * TIMEOUT_S + SLACK_S)
        assert not store.available
        shim.thaw()


async def test_r04_a_slow_server_is_waited_for_within_the_timeout_only(shim: Shim) -> None:
    async with redis_state(shim.url, timeout_s=TIMEOUT_S) as store:
        shim.delay(0.05)
        assert await admitted(store)
        shim.delay(1.0)
        await broken(store)
        assert at_once(store)
        shim.delay(0.0)
        await until(lambda: store.available, BACK_S)


async def test_r04_lost_packets_are_waited_for_and_open_nothing(shim: Shim) -> None:
    async with redis_state(shim.url, timeout_s=2 * TIMEOUT_S) as store:
        assert await admitted(store)
        shim.delay(TIMEOUT_S, every=10)
        began = time.perf_counter()
        assert all([await admitted(store, number) for number in range(30)])
        assert time.perf_counter() - began > 2 * TIMEOUT_S, "some answers were late"
        assert store.available


async def test_r04_lost_connections_are_opened_anew_without_a_caller_noticing(shim: Shim) -> None:
    async with redis_state(shim.url) as store:
        for number in range(5):
            assert await admitted(store, number)
            await shim.drop()
            await until(lambda: all(link.retired for link in store._topology._seed._links), BACK_S)
        assert store.available
        assert shim.accepted >= 5


@pytest.mark.parametrize(
    "error",
    [
        "READONLY You can't write against a read only replica.",
        "LOADING Redis is loading the dataset in memory",
        "CLUSTERDOWN Hash slot not served",
        "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
        "ERR Error running script (call to f_6d46): @user_script:88: @user_script: 88: -OOM command not allowed.",
        "NOAUTH Authentication required.",
        "ERR max number of clients reached",
    ],
)
async def test_r05_a_server_that_can_serve_nobody_is_left_alone_until_it_can(shim: Shim, error: str) -> None:
    async with redis_state(shim.url) as store:
        assert await admitted(store)
        shim.answer(error)
        await broken(store)
        assert at_once(store)
        shim.answer("")
        await until(lambda: store.available, BACK_S)
        assert await admitted(store)


async def test_r05_after_a_failover_the_name_is_looked_up_anew(redis_binary: str, tmp_path: Path) -> None:
    """The address stays, and another server answers there: as after a failover behind a name or a virtual address."""
    with running_server(redis_binary, tmp_path) as old, running_server(redis_binary, tmp_path) as new:
        async with Shim(old.port) as shim, redis_state(shim.url) as store:
            assert await admitted(store)
            old.ask("REPLICAOF", "127.0.0.1", str(new.port))
            await broken(store)
            shim.lead_to(new.port)
            await until(lambda: store.available, BACK_S)
            assert await admitted(store)


async def test_an_error_that_is_about_one_call_opens_nothing(shim: Shim, caplog: pytest.LogCaptureFixture) -> None:
    async with redis_state(shim.url) as store:
        shim.answer("ERR something about this command")
        for _ in range(2 * FAILURES):
            await refused(store)
        assert store.available
        assert "something about this command" in caplog.text
        shim.answer("")
        assert await admitted(store)


async def test_a_wrong_password_is_an_outage_with_its_reason_in_the_log(
    redis_binary: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_server(redis_binary, tmp_path) as server:
        server.ask("ACL", "SETUSER", "gateway", "on", ">right", "~*", "&*", "+@all")
        server.ask("ACL", "SETUSER", "default", "off")
        async with redis_state(server.url.replace("//", "//gateway:wr0ng@")) as store:
            assert not store.available
            assert "invalid username-password pair" in caplog.text
            assert "wr0ng" not in caplog.text
        async with redis_state(server.url.replace("//", "//gateway:right@")) as store:
            assert await admitted(store)


async def test_settling_is_refused_as_well_and_the_lease_ends_by_itself(shim: Shim) -> None:
    lease = Lease(state_key("acme", "concurrency"), limit=1, ttl_s=0.2)
    async with redis_state(shim.url) as store:
        assert (await store.admit(state_key("acme", "r"), [lease])).admitted
        await shim.refuse()
        with pytest.raises(Refusal, match="state_unavailable"):
            await store.settle(state_key("acme", "r"), Settlement())
        await shim.listen()
        wait_s = (await store.admit(state_key("acme", "next"), [lease])).claims[0].retry_after_s
        assert wait_s is not None
        await asyncio.sleep(wait_s)
        assert (await store.admit(state_key("acme", "next"), [lease])).admitted


async def test_nothing_goes_on_when_the_store_is_closed(shim: Shim) -> None:
    before = asyncio.all_tasks()
    async with redis_state(shim.url) as store:
        assert await admitted(store)
        shim.freeze()
        waiting = [asyncio.create_task(store.get("key")) for _ in range(2 * FAILURES)]
        await asyncio.sleep(0)
    assert {type(answer) for answer in await asyncio.gather(*waiting, return_exceptions=True)} == {Refusal}
    with pytest.raises(Refusal, match="state_unavailable"):
        await store.get("key")
    shim.thaw()
    await shim.refuse()
    assert asyncio.all_tasks() <= before
