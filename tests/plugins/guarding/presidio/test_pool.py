"""The processes that recognise: what they answer, and what becomes of a text when they do not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.presidio.pool import DeadlinePassed, Pool, PoolPlan
from sentinel_plugins.guarding.presidio.process import RecogniserFailed, WorkerLost
from sentinel_plugins.guarding.presidio.waiting import BATCH_CHARS, QueueFull, batches
from sentinel_plugins.guarding.presidio.wire import Start
from tests.long_form import long_form
from tests.pace import until
from tests.plugins.guarding.presidio import stand_in

TEXT = "Ann Smith met Bob in Paris"
FOUND = [(0, 9, "PERSON"), (14, 17, "PERSON"), (21, 26, "LOCATION")]


def opened(
    *, workers: int = 1, waiting: int = 1_000, deadline_s: float = 60.0, model: str = "any"
) -> AbstractAsyncContextManager[Pool]:
    start = Start(model, "en", ("PERSON", "LOCATION"), 0.4)
    return Pool.opened(PoolPlan(start, workers, waiting, deadline_s, stand_in.COMMAND))


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    async with opened() as pool:
        yield pool


async def test_every_text_gets_what_is_in_it(pool: Pool) -> None:
    assert await pool.ask([TEXT, "nobody", ""]) == [FOUND, [], []]
    assert await pool.ask([]) == []


async def test_places_are_code_points(pool: Pool) -> None:
    assert await pool.ask(["\U0001f600 Ann Smith", "\ud83d Bob"]) == [[(2, 11, "PERSON")], [(2, 5, "PERSON")]]


async def test_a_process_that_dies_is_a_fault_of_that_call_and_is_replaced(pool: Pool) -> None:
    with pytest.raises(WorkerLost):
        await pool.ask([stand_in.CRASH])
    assert await pool.ask([TEXT]) == [FOUND]


async def test_a_process_that_hangs_is_a_fault_by_the_deadline_and_is_replaced() -> None:
    async with opened(deadline_s=0.5) as pool:
        with pytest.raises((DeadlinePassed, WorkerLost)):
            await pool.ask([stand_in.HANG])
        for _ in range(20):
            with suppress(DeadlinePassed):
                assert await pool.ask([TEXT]) == [FOUND]
                return
        pytest.fail("it was not replaced")


async def test_a_process_that_speaks_nonsense_is_lost_and_replaced(pool: Pool) -> None:
    with pytest.raises(WorkerLost):
        await pool.ask([stand_in.BABBLE])
    assert await pool.ask([TEXT]) == [FOUND]


async def test_a_text_that_cannot_be_read_is_a_fault_that_quotes_nothing(pool: Pool) -> None:
    with pytest.raises(RecogniserFailed, match="RuntimeError") as failure:
        await pool.ask([f"{stand_in.FAIL} Ann Smith"])
    assert "Ann" not in str(failure.value)
    assert await pool.ask([TEXT]) == [FOUND]


async def test_more_than_may_wait_is_a_fault_at_once() -> None:
    async with opened(waiting=100) as pool:
        with pytest.raises(QueueFull):
            await pool.ask(["x" * 60, "x" * 60])
        assert await pool.ask(["x" * 60]) == [[]]


async def test_who_does_not_wait_any_more_leaves_nothing_in_the_queue() -> None:
    async with opened(waiting=100) as pool:
        hanging = asyncio.ensure_future(pool.ask([stand_in.HANG]))
        for _ in range(2):
            behind = asyncio.ensure_future(pool.ask(["x" * 90]))
            await asyncio.sleep(0)
            with pytest.raises(QueueFull):
                await pool.ask(["x" * 90])
            behind.cancel()
            with pytest.raises(asyncio.CancelledError):
                await behind
        hanging.cancel()
        with pytest.raises(asyncio.CancelledError):
            await hanging


async def test_it_talks_to_nobody(pool: Pool) -> None:
    with pytest.raises(RecogniserFailed, match="PermissionError"):
        await pool.ask([stand_in.DIAL])


async def test_what_it_prints_is_no_answer(pool: Pool) -> None:
    assert await pool.ask([f"{stand_in.SHOUT} {TEXT}"]) == [[(s + 7, e + 7, name) for s, e, name in FOUND]]


async def test_it_knows_no_secret_of_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    async with opened() as pool:
        names = {name for _, _, name in (await pool.ask([stand_in.ENVIRONMENT]))[0]}
    assert "OPENAI_API_KEY" not in names
    assert "TLDEXTRACT_PUBLIC_SUFFIX_LIST_URLS" in names


@pytest.mark.parametrize(
    ("model", "key", "reason"),
    [(stand_in.UNUSABLE, "ner.model", "no model of that name"), (stand_in.BROKEN, "", "RuntimeError")],
)
async def test_a_process_that_cannot_start_says_why_and_quotes_nothing(model: str, key: str, reason: str) -> None:
    with pytest.raises(RecogniserFailed, match=reason) as failure:
        async with opened(model=model, workers=2):
            pytest.fail("it opened")
    assert failure.value.key == key
    assert "Ann" not in str(failure.value)


async def test_a_sentence_does_not_wait_for_a_book() -> None:
    async with opened(waiting=100 * BATCH_CHARS) as pool:
        book = asyncio.ensure_future(pool.ask(["x " * (BATCH_CHARS // 2)] * 50))
        await asyncio.sleep(0)
        assert await pool.ask([TEXT]) == [FOUND]
        assert not book.done()
        assert await book == [[]] * 50


async def test_processes_share_what_waits() -> None:
    async with opened(workers=2, waiting=20 * BATCH_CHARS) as pool:
        texts = [TEXT + " x" * 500] * 40
        assert await pool.ask(texts) == [FOUND] * 40


def test_it_is_the_same_on_the_loop_of_the_second_runner() -> None:
    uvloop = pytest.importorskip("uvloop", reason="needs the extra `fast`")

    async def asked() -> list[object]:
        async with opened(workers=2) as pool:
            with pytest.raises(WorkerLost):
                await pool.ask([stand_in.CRASH])
            return [*await pool.ask([TEXT, TEXT])]

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(asked()) == [FOUND, FOUND]


GATEWAY = """
import asyncio, sys
from tests.plugins.guarding.presidio.test_pool import opened
async def main():
    async with opened(workers=2) as pool:
        hanging = asyncio.ensure_future(pool.ask(["hang!"]))
        await pool.ask(["another"])
        print("ready", flush=True)
        await hanging
asyncio.run(main())
"""


@long_form
async def test_kill_9_of_the_gateway_leaves_no_process_idle_or_busy() -> None:
    gateway = await asyncio.create_subprocess_exec(
        sys.executable, "-c", GATEWAY, stdout=asyncio.subprocess.PIPE, process_group=0
    )
    assert gateway.stdout is not None
    assert b"ready" in await gateway.stdout.readline()
    children = _children(gateway.pid)
    assert len(children) == 2
    gateway.kill()
    await gateway.wait()
    await until(lambda: not any(_runs(pid) for pid in children))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_signals_that_stop_the_gateway_do_not_stop_it_while_it_drains(pool: Pool, number: signal.Signals) -> None:
    (child,) = _children(os.getpid())
    os.kill(child, number)
    assert await pool.ask([TEXT]) == [FOUND]
    assert _children(os.getpid()) == [child]


def _children(pid: int) -> list[int]:
    """The processes that recognise, of this one."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        pids = [int(child) for child in file.read().split()]
    return [child for child in pids if b"stand_in" in _command(child)]


def _command(pid: int) -> bytes:
    with suppress(OSError), open(f"/proc/{pid}/cmdline", "rb") as file:
        return file.read()
    return b""


def _runs(pid: int) -> bool:
    """Whether it is there and no zombie that nobody has buried yet."""
    return _command(pid) != b""


@given(st.lists(st.text(max_size=1_000), max_size=40))
def test_batches_keep_the_order_and_the_length(texts: list[str]) -> None:
    made = list(batches(texts))
    assert [text for batch in made for text in batch] == texts
    assert all(batch and (len(batch) == 1 or sum(map(len, batch)) <= BATCH_CHARS) for batch in made)
