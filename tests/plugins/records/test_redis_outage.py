"""A Redis that is gone, frozen, full or not as it was: appended rows wait on disk and arrive once (R13)."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import pytest

from sentinel_core.errors import ConfigError, Refusal
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.recording.cursor import Position
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.late import take_in
from sentinel_plugins.records.redis import RedisRecords, sentinel_stores
from sentinel_plugins.records.redis.server import OLDEST, Server
from sentinel_plugins.records.redis.table import RedisTable
from sentinel_plugins.redis.command import Argument
from sentinel_plugins.redis.scripts import Script
from tests.long_form import long_form
from tests.pace import PATIENCE_S, in_time, until
from tests.plugins.records.opened import redis, row
from tests.redis.server import RedisServer, running_server

TABLE = "usage"
QUICK_S = 0.1
HANGS_S = 5.0
"""Beyond this a test calls it a hang."""
LASTING = ("--appendonly", "yes", "--appendfsync", "no")
"""What the kernel was given outlives the process: only a machine that stops needs more."""


@pytest.fixture
def server(redis_binary: str, tmp_path: Path) -> Iterator[RedisServer]:
    """A server of one's own, which keeps its rows when it is killed."""
    with running_server(redis_binary, tmp_path, *LASTING) as running:
        yield running


async def ids(store: RecordStore) -> list[str]:
    """Every row there is, or none while nobody answers."""
    try:
        page = await store.query(TABLE, tenant=None, limit=10_000)
    except Refusal:
        return []
    return sorted(record.id for record in page.records)


def has(store: RecordStore, *expected: Record) -> Callable[[], Awaitable[bool]]:
    """Whether these rows are there, each once, and no other."""

    async def look() -> bool:
        return await ids(store) == sorted(record.id for record in expected)

    return look


async def accepted(store: RecordStore, record: Record) -> bool:
    """Whether an append goes through now."""
    try:
        await store.append(TABLE, [record])
    except Refusal as refusal:
        return refusal.code != "ledger_unavailable"
    return True


def spooled(folder: Path) -> int:
    """How many appends wait on disk."""
    return sum(len(path.read_bytes().splitlines()) for path in (folder / "spool").glob("*.rows"))


def emptied(folder: Path, but: int = 0) -> Callable[[], Awaitable[bool]]:
    """Whether nothing waits on disk any more, or so much: a file goes after its last row is there."""

    async def look() -> bool:
        return spooled(folder) == but

    return look


async def test_r13_rows_of_an_outage_wait_on_disk_and_are_there_once_when_redis_is_back(
    server: RedisServer, tmp_path: Path
) -> None:
    rows = [row(number, tenant=f"t{number % 3}", cost=number) for number in range(20)]
    async with redis(server, tmp_path) as store:
        await store.append(TABLE, rows[:5])
        server.kill()
        for record in rows[3:]:  # some of them again
            await store.append(TABLE, [record])
        assert spooled(tmp_path) == 17
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.get(TABLE, None, "row-1")
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.put("keys", row(1), expect=None)
        server.start()
        await until(has(store, *rows))
        (total,) = await store.aggregate(TABLE, tenant=None, sums=["cost"])
        assert (total.count, total.sums) == (20, (sum(range(20)),))
        await until(emptied(tmp_path))


async def test_r13_nobody_need_judge_by_rows_that_still_wait(server: RedisServer, tmp_path: Path) -> None:
    async with redis(server, tmp_path) as store:
        await take_in(store)
        server.kill()
        await store.append(TABLE, [row(1)])
        with pytest.raises(Refusal, match="wait on disk"):
            await take_in(store)
        server.start()
        await until(partial(_taken_in, store))
        assert await ids(store) == ["row-1"]


async def _taken_in(store: RecordStore) -> bool:
    try:
        await take_in(store)
    except Refusal:
        return False
    return True


async def one_after_the_other(store: RecordStore, rows: Sequence[Record]) -> None:
    """Append rows singly."""
    for record in rows:
        await until(partial(accepted, store, record))


async def test_r03_a_frozen_redis_holds_nobody_longer_than_its_time_limit(server: RedisServer, tmp_path: Path) -> None:
    """What it was sent before it froze may have been done: the row is spooled all the same, and is there once."""
    rows = [row(number) for number in range(30)]
    async with redis(server, tmp_path, timeout_s=QUICK_S) as store:  # its spool gives up as soon: it is asked again
        await until(lambda: accepted(store, rows[0]))
        server.freeze()
        for record in rows[1:]:
            await in_time(until(partial(accepted, store, record)), HANGS_S)
        await in_time(one_after_the_other(store, rows[1:]), HANGS_S)  # once it is known, nobody waits for it
        server.thaw()
        await until(has(store, *rows))


async def test_r06_a_redis_without_memory_takes_all_of_a_batch_or_nothing(server: RedisServer, tmp_path: Path) -> None:
    async with redis(server, tmp_path) as store:
        await store.append(TABLE, [row(0)])
        server.ask("CONFIG", "SET", "maxmemory", "1")
        await store.append(TABLE, [row(1), row(2, tenant="globex")])
        assert server.ask("HLEN", "sentinel:records:{5:usage}:tenants") == 1
        assert spooled(tmp_path) == 1
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await until(has(store, row(0), row(1), row(2)))


async def test_r06_a_full_redis_is_read_and_forgets_what_is_old_so_that_it_has_room_again(
    server: RedisServer, tmp_path: Path
) -> None:
    async with redis(server, tmp_path) as store:
        await store.append(TABLE, [row(1), row(2), row(3)])
        server.ask("CONFIG", "SET", "maxmemory", "1")
        await until(lambda: _found_full(store))
        assert await store.get(TABLE, None, "row-3") == row(3)
        assert await store.delete(TABLE, until=3.0) == 2
        assert await ids(store) == ["row-3"]
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.put("keys", row(1), expect=None)
        server.ask("CONFIG", "SET", "maxmemory", "0")
        await until(has(store, row(3), row(4)))


async def _found_full(store: RedisRecords) -> bool:
    """Whether the store knows that its server takes no rows."""
    await store.append(TABLE, [row(4)])
    return not store.available


async def test_r07_a_redis_that_has_forgotten_the_steps_is_told_again(server: RedisServer, tmp_path: Path) -> None:
    async with redis(server, tmp_path) as store:
        await store.append(TABLE, [row(1)])
        server.ask("SCRIPT", "FLUSH")
        await store.append(TABLE, [row(2)])
        assert await ids(store) == ["row-1", "row-2"]
    assert spooled(tmp_path) == 0


async def test_a_row_that_comes_anew_during_retention_stays(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the oldest rows and their end, somebody else forgets one and appends it with a later time."""
    async with redis(server, tmp_path) as store, redis(server, tmp_path) as other:
        await store.append(TABLE, [row(1), row(2)])
        run = Server.run

        async def interrupted(
            self: Server, script: Script, keys: Sequence[bytes], *arguments: Argument
        ) -> Any:  # a step's answer
            answer = await run(self, script, keys, *arguments)
            if script is OLDEST:
                monkeypatch.undo()
                assert await other.delete(TABLE, until=2.0) == 1
                await other.append(TABLE, [row(1, at=99.0)])
            return answer

        monkeypatch.setattr(Server, "run", interrupted)
        assert await store.delete(TABLE, until=3.0) == 1
        assert await store.get(TABLE, "acme", "row-1") == row(1, at=99.0)
        assert await ids(store) == ["row-1"]


async def test_a_row_that_comes_anew_while_it_is_forgotten_by_its_id_stays(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with redis(server, tmp_path) as store, redis(server, tmp_path) as other:
        await store.append(TABLE, [row(1), row(2)])
        look = Server.look

        async def interrupted(self: Server, *words: Argument, key: bytes) -> Any:  # a command's answer
            answer = await look(self, *words, key=key)
            monkeypatch.undo()
            assert await other.delete(TABLE, until=2.0) == 1
            await other.append(TABLE, [row(1, at=99.0)])
            return answer

        monkeypatch.setattr(Server, "look", interrupted)
        assert await store.delete(TABLE, until=3.0, ids=["row-1", "row-2"]) == 1
        assert await ids(store) == ["row-1"]


async def test_r08_somebody_elses_value_under_our_name_is_a_refusal(server: RedisServer, tmp_path: Path) -> None:
    async with redis(server, tmp_path, spool_max_bytes=0) as store:
        server.ask("SET", "sentinel:records:{5:usage}:tenants", "not a hash")
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.append(TABLE, [row(1)])
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.get(TABLE, None, "row-1")
        await store.append("audit", [row(2)])
        server.ask("HSET", "sentinel:records:{5:audit}:rows:4:acme", "row-2", "no row")
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.query("audit", tenant="acme")


async def test_r13_what_was_not_sent_when_the_gateway_ends_is_sent_then(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end comes in the middle of sending."""
    run, sending = Server.run, asyncio.Event()

    async def held(self: Server, *step: Any) -> Any:  # a step and its answer
        if not sending.is_set() and self.available and spooled(tmp_path):
            sending.set()
            await asyncio.Event().wait()
        return await run(self, *step)

    async with redis(server, tmp_path) as store:
        server.kill()
        await until(lambda: _down(store))
        await store.append(TABLE, [row(1), row(2)])
        monkeypatch.setattr(Server, "run", held)
        server.start()
        await asyncio.wait_for(sending.wait(), PATIENCE_S)
    assert spooled(tmp_path) == 0
    async with redis(server, tmp_path) as again:
        assert await ids(again) == ["row-1", "row-2"]


async def _down(store: RedisRecords) -> bool:
    """Whether the store knows that its server is down."""
    try:
        await store.get(TABLE, None, "row-1")
    except Refusal:
        return not store._server.available
    return False


async def test_r01_a_redis_that_is_down_at_start_is_found_when_it_is_up(server: RedisServer, tmp_path: Path) -> None:
    server.kill()
    async with redis(server, tmp_path) as store:
        await store.append(TABLE, [row(1)])
        server.start()
        await until(has(store, row(1)))


@long_form
async def test_r13_what_a_killed_gateway_left_is_sent_by_the_next_one(server: RedisServer, tmp_path: Path) -> None:
    server.kill()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", __name__, str(tmp_path), str(server.port)), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await asyncio.wait_for(process.stdout.readline(), PATIENCE_S) == b"kept\n"
    process.send_signal(signal.SIGSTOP)
    async with redis(server, tmp_path) as other:
        await other.append(TABLE, [row(100)])
        server.start()
        await until(has(other, row(100)))
        await until(emptied(tmp_path, but=3))  # the other gateway lives: what it holds is its own to send
        process.kill()
        await process.wait()
    async with redis(server, tmp_path) as successor:
        await until(has(successor, row(100), row(1), row(2), row(3)))
        await until(emptied(tmp_path))


async def test_r13_a_full_spool_refuses_and_takes_rows_again_when_they_were_sent(
    server: RedisServer, tmp_path: Path
) -> None:
    async with redis(server, tmp_path, spool_max_bytes=2_000) as store:
        server.kill()
        rows = [row(number, text="x" * 100) for number in range(100)]
        kept = 0
        while await accepted(store, rows[kept]):
            kept += 1
        assert 5 < kept < 20
        server.start()
        await until(has(store, *rows[:kept]))
        await until(emptied(tmp_path))
        server.kill()
        await store.append(TABLE, [row(1_000)])
        assert spooled(tmp_path) == 1


async def test_without_a_spool_an_outage_is_a_refusal(server: RedisServer, tmp_path: Path) -> None:
    async with redis(server, tmp_path, spool_max_bytes=0) as store:
        server.kill()
        with pytest.raises(Refusal, match="ledger_unavailable"):
            await store.append(TABLE, [row(1)])
        assert not (tmp_path / "spool").exists()


async def test_a_query_that_takes_too_long_says_so(
    server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def endless(self: RedisTable, wanted: Filter, behind: Position | None, step: int) -> NoReturn:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(RedisTable, "slice", endless)
    async with redis(server, tmp_path, query_timeout_s=QUICK_S) as store:
        for question in (store.query(TABLE, tenant=None), store.aggregate(TABLE, tenant=None)):
            with pytest.raises(Refusal, match=r"ledger_unavailable: .*`query_timeout_s` \(0\.1 s\)"):
                await question
    assert caplog.text.count("a query of usage took longer than query_timeout_s (0.1 s)") == 2


async def test_s07_a_spool_that_cannot_be_made_is_named(server: RedisServer, tmp_path: Path) -> None:
    (tmp_path / "spool").touch()
    with pytest.raises(ConfigError) as error:
        async with redis(server, tmp_path):
            pass
    (problem,) = error.value.problems
    assert (problem.table, problem.key) == ("records", "spool")


async def test_r06_a_redis_that_keeps_nothing_is_told_of_at_start(
    redis_binary: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with running_server(redis_binary, tmp_path) as forgetful:
        async with redis(forgetful, tmp_path):
            assert "keeps no append-only file" in caplog.text


def test_the_plugin_brings_the_store() -> None:
    assert tuple(sentinel_stores()) == (RedisRecords,)


async def keep(folder: Path, port: int) -> None:
    """The gateway that is killed: it keeps three rows on disk, and says so."""
    server = RedisServer("", folder)
    server.port = port
    async with redis(server, folder) as store:
        for number in range(1, 4):
            await store.append(TABLE, [row(number)])
        print("kept", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1]), int(sys.argv[2])))
