"""P4, S04: after streams, aborts, faults, repetitions, fall-backs and kill -9 the ledger is the upstreams' meter."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from sentinel_core.config import Secret
from sentinel_core.records import Record
from sentinel_plugins.recording.lost import LOST
from sentinel_plugins.records.redis import RedisRecords, RedisRecordsConfig
from sentinel_plugins.records.sqlite import SqliteRecords, SqliteRecordsConfig
from tests.integration.books import balance, rows_of, spent_by
from tests.integration.chaos import IN, OUT, Key, Run, client, load, make_keys, settled, tables
from tests.integration.meter import Metered, MeteredUpstream
from tests.long_form import long_form
from tests.redis.server import RedisServer
from tests.server.process import Process, running

SQLITE = '[records]\nkind = "sqlite"\npath = "ledger.db"\ntimeout_s = 5.0'
NANO = 1_000_000_000


def ledger(folder: Path) -> SqliteRecordsConfig:
    return SqliteRecordsConfig(kind="sqlite", path=str(folder / "ledger.db"))


async def used(process: Process, key: Key) -> int:
    """Nano-dollars that a refusal says were used, or are reserved, of the key's budget."""
    body = {"model": "m", "max_tokens": 1_000_000, "messages": [{"role": "user", "content": "all of it"}]}
    async with (
        client(process) as session,
        session.post("/v1/chat/completions", json=body, headers={"x-api-key": key.text}) as response,
    ):
        error = (await response.json())["error"]
        assert error["code"] == "insufficient_quota", error
        nanousd: int = round(error["details"]["used"] * NANO)
        return nanousd


async def ended(*processes: Process) -> None:
    for process in processes:
        process.signal(signal.SIGTERM)
        assert await process.exited() == 0, process.output


def lost_in(rows: Sequence[Record]) -> list[Record]:
    return [row for row in rows if row.fields["error"] == LOST]


@long_form
async def test_p4_s04_on_sqlite_a_killed_gateway_leaves_no_call_without_its_row(tmp_path: Path) -> None:
    run = Run()
    async with MeteredUpstream("a", run.meter, 1) as a, MeteredUpstream("b", run.meter, 2) as b:
        text = tables(tmp_path, [a, b], SQLITE, "required")
        async with running(tmp_path, text) as process:
            await make_keys(process, run)
            loading = asyncio.create_task(load(process, run, "killed", 20, 1))
            await run.kill(process, after=60)
            await loading
        async with running(tmp_path, text) as process:
            for seed in range(2, 22):  # what becomes of a request is drawn: until each end has been seen
                await load(process, run, f"after-{seed}", 2, seed)
                if run.endings >= {"whole", "left", "broken"}:
                    break
            async with SqliteRecords.open(ledger(tmp_path)) as records:
                await settled(records)
            await ended(process)
        async with running(tmp_path, text) as process:
            found = [await used(process, key) for key in run.keys]
            await ended(process)
        async with SqliteRecords.open(ledger(tmp_path)) as records:
            rows = await balance(records, run)
    assert found == [spent_by(rows, key.id) for key in run.keys], "budgets are what the ledger says"
    assert lost_in(rows)
    assert run.endings >= {"whole", "left", "gone", "broken"}


@long_form
async def test_p4_s04_on_redis_one_of_two_gateways_is_killed_and_the_books_are_those_of_the_meter(
    tmp_path: Path, redis_server: RedisServer
) -> None:
    run = Run()
    at = f'host = "127.0.0.1"\nport = {redis_server.port}\ntimeout_s = 5.0'
    stores = f'[state]\nkind = "redis"\n{at}\n[records]\nkind = "redis"\n{at}\nspool = "spool"'
    one, two, spool = (tmp_path / name for name in ("one", "two", "spool"))
    one.mkdir()
    two.mkdir()
    config = RedisRecordsConfig(kind="redis", url=Secret(redis_server.url, "REDIS_URL"), spool=str(spool))
    async with MeteredUpstream("a", run.meter, 3) as a, MeteredUpstream("b", run.meter, 4) as b:
        text = tables(one, [a, b], stores, "required")
        tables(two, [a, b], stores, "required")
        async with running(two, text) as other:
            async with running(one, text) as process:
                await make_keys(process, run)
                loads = [
                    asyncio.create_task(load(process, run, "killed", 20, 3)),
                    asyncio.create_task(load(other, run, "beside", 5, 4)),
                ]
                await run.kill(process, after=60)
                await asyncio.gather(*loads)
            async with RedisRecords.open(config) as records:
                await settled(records)
                async with running(one, text) as process:
                    found = [await used(process, key) - held(redis_server, key) for key in run.keys]
                    await ended(process, other)
                rows = await balance(records, run)
    sent = {key.id: sum(row.prompt * IN + row.completion * OUT for row in killed(run, key, rows)) for key in run.keys}
    for key, spent in zip(run.keys, found, strict=True):
        said = spent_by(rows, key.id)
        assert said <= spent <= said + sent[key.id], "more only by what was settled in the moment of the kill"
    assert lost_in(rows)
    assert all(asked.ended != "gone" for asked in run.asked if asked.id.startswith("beside"))


def held(server: RedisServer, key: Key) -> int:
    """Nano-dollars that reservations of the process that was killed still hold; and they, and its places, all end."""
    (money,) = server.ask("KEYS", f"sentinel:held:*{key.id}*")[:1] or (b"",)
    for name in (money, *server.ask("KEYS", f"sentinel:holders:*{key.id}*")):
        assert name == b"" or server.ask("PTTL", name) > 0
    members = server.ask("ZRANGE", money, 0, -1) if money else []
    return sum(int(member.split(b" ")[0]) for member in members)


def killed(run: Run, key: Key, rows: Sequence[Record]) -> list[Metered]:
    """The calls of a key that were sent whole, and whose rows say that their process did not live to tell."""
    lost = {row.fields["request_id"] for row in lost_in(rows) if row.fields["key"] == key.id}
    return [call for call in run.meter if call.sent and call.request in lost]


@long_form
async def test_s04_without_intents_a_kill_takes_what_runs_and_the_rows_of_the_last_moment(tmp_path: Path) -> None:
    run = Run()
    async with MeteredUpstream("a", run.meter, 5) as a, MeteredUpstream("b", run.meter, 6) as b:
        text = tables(tmp_path, [a, b], SQLITE, "best_effort")
        async with running(tmp_path, text) as process:
            await make_keys(process, run)
            loading = asyncio.create_task(load(process, run, "killed", 40, 5))
            await run.kill(process, after=300)
            await loading
    async with SqliteRecords.open(ledger(tmp_path)) as records:
        rows = await rows_of(records, "usage")
    written = Counter(row.fields["request_id"] for row in rows)
    metered = Counter(call.request for call in run.meter)
    assert written <= metered, "no row twice, and none of a call that was not made"
    before = [asked for asked in run.asked if not run.may_be_lost(asked)]
    assert before
    assert all(written[asked.id] == metered[asked.id] for asked in before)
