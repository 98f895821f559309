"""The thread that writes in groups: order, patience, failure and end."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from time import monotonic, sleep

import pytest

from sentinel_core.counts import Counts, Outages
from sentinel_core.errors import Refusal
from sentinel_plugins.recording import group_commit
from sentinel_plugins.recording.group_commit import MAX_GROUP, GroupCommit
from tests.loops import LOOPS, runner_on


class Gate:
    """A medium that a test opens and shuts. It keeps the groups that it was given."""

    def __init__(self) -> None:
        self.groups: list[Sequence[int]] = []
        self.error: Exception | None = None
        self.closed = threading.Event()
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def commit(self, gather: Callable[[], Sequence[int]]) -> Sequence[str]:
        """As a database: wait for the lock, gather, write."""
        self.arrived.release()
        self.open.wait(30)
        if self.error is not None:
            raise self.error
        self.groups.append(gather())
        return [str(number) for number in self.groups[-1]]

    def close(self) -> None:
        """The thread ends."""
        self.closed.set()


@pytest.fixture
def gate() -> Gate:
    """An open one."""
    return Gate()


@pytest.fixture
async def writer(gate: Gate) -> AsyncIterator[GroupCommit[int, str]]:
    """Patient for longer than any test lasts, unless a test says otherwise."""
    made: GroupCommit[int, str] = GroupCommit("ledger", gate, 30.0, (OSError,))
    yield made
    gate.open.set()
    await made.close(5.0)
    assert gate.closed.is_set()


async def running(writer: GroupCommit[int, str], numbers: Sequence[int]) -> list[asyncio.Task[str]]:
    """Handed over, in this order."""
    tasks = [asyncio.create_task(writer.run(number)) for number in numbers]
    await asyncio.sleep(0)
    return tasks


async def test_what_gathers_during_a_commit_is_committed_together_and_in_order(
    gate: Gate, writer: GroupCommit[int, str]
) -> None:
    gate.open.clear()
    tasks = await running(writer, range(2 * MAX_GROUP))
    gate.open.set()
    assert await asyncio.gather(*tasks) == [str(number) for number in range(2 * MAX_GROUP)]
    assert [number for group in gate.groups for number in group] == list(range(2 * MAX_GROUP))
    assert max(map(len, gate.groups)) == MAX_GROUP
    assert len([group for group in gate.groups if group]) < 4


@pytest.mark.parametrize("loop", LOOPS)
def test_a_busy_loop_is_no_outage(gate: Gate, loop: str) -> None:
    async def busy() -> None:
        writer: GroupCommit[int, str] = GroupCommit("ledger", gate, 0.05, (OSError,))
        (task,) = await running(writer, [1])
        sleep(0.1)  # somebody's long work on the loop
        assert await task == "1"
        await writer.close(5.0)

    with runner_on(loop) as runner:
        runner.run(busy())


async def test_one_who_left_is_not_waited_for_and_harms_nobody(gate: Gate, writer: GroupCommit[int, str]) -> None:
    gate.open.clear()
    left, stayed = await running(writer, [1, 2])
    left.cancel()
    await asyncio.wait([left])
    gate.open.set()
    assert await stayed == "2"
    assert left.cancelled()


async def test_a_failed_group_is_refused_whole_and_the_next_one_is_tried(
    gate: Gate, writer: GroupCommit[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    gate.error = OSError("no room")
    for number in range(3):
        with pytest.raises(Refusal, match="ledger_unavailable") as refusal:
            await writer.run(number)
        assert refusal.value.retry_after_s == 1
    gate.error = None
    assert await writer.run(4) == "4"
    assert [(record.levelno, record.message) for record in caplog.records] == [
        (logging.ERROR, "ledger: cannot be written: no room"),
        (logging.WARNING, "ledger: can be written again"),
    ]


async def test_a_mistake_of_ours_is_logged_with_its_traceback_and_ends_nothing(
    gate: Gate, writer: GroupCommit[int, str], caplog: pytest.LogCaptureFixture
) -> None:
    gate.error = KeyError("mistake")
    with pytest.raises(Refusal):
        await writer.run(1)
    assert caplog.records[-1].exc_info is not None
    gate.error = None
    assert await writer.run(2) == "2"


def read(counts: Counts) -> tuple[int, ...]:
    """How often it was lost and how often it was back."""
    return tuple(number for family in counts for _, number in family.read())


async def test_an_outage_is_counted_where_somebody_wants_to_know(gate: Gate) -> None:
    counts = Counts()
    outages = Outages(counts, "records")
    writer: GroupCommit[int, str] = GroupCommit("ledger", gate, 30.0, (OSError,), outages)
    gate.error = OSError("no room")
    for number in range(3):
        with pytest.raises(Refusal):
            await writer.run(number)
    assert (outages.now, read(counts)) == (True, (1, 0))
    gate.error = None
    await writer.run(4)
    assert (outages.now, read(counts)) == (False, (1, 1))
    await writer.close(5.0)


async def test_d03_what_was_not_begun_when_patience_ends_is_never_done(gate: Gate) -> None:
    counts = Counts()
    writer: GroupCommit[int, str] = GroupCommit("ledger", gate, 0.01, (OSError,), Outages(counts, "records"))
    gate.open.clear()
    for task in await running(writer, range(5)):
        with pytest.raises(Refusal):
            await task
    with pytest.raises(Refusal):
        await writer.run(6)
    assert read(counts) == (1, 0), "an outage is one, however many wait for its end"
    gate.open.set()
    await writer.close(5.0)
    assert [number for group in gate.groups for number in group] == []
    assert read(counts) == (1, 1)


async def test_a_stuck_medium_does_not_keep_the_process_from_ending(
    gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    writer: GroupCommit[int, str] = GroupCommit("ledger", gate, 0.01, (OSError,))
    gate.open.clear()
    (task,) = await running(writer, [1])
    await asyncio.to_thread(gate.arrived.acquire)
    await writer.close(0.01)
    assert "what waits there is lost" in caplog.text
    with pytest.raises(Refusal):
        await task
    with pytest.raises(Refusal):
        await writer.run(2)
    gate.open.set()
    assert await asyncio.to_thread(gate.closed.wait, 5)


async def test_a_commit_that_ends_while_its_time_is_looked_at_refuses_nobody(
    gate: Gate, writer: GroupCommit[int, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate.open.clear()
    (first,) = await running(writer, [1])
    await asyncio.to_thread(gate.arrived.acquire)

    def looked() -> float:
        writer._began = None  # as the thread does, between any two steps of the loop
        return monotonic()

    monkeypatch.setattr(group_commit, "monotonic", looked)
    (second,) = await running(writer, [2])
    monkeypatch.undo()
    gate.open.set()
    assert [await first, await second] == ["1", "2"]
