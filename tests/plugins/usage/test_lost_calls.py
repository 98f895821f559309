"""S04, P4: a call is in the ledger before it is made, and gets one row, whoever lives to write it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.keys import Target
from sentinel_core.records import Record, RecordStore
from sentinel_core.testing import FakeClock, chat_body
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.lost import LOST
from sentinel_plugins.recording.reach import Reach
from sentinel_plugins.recording.witness import Witness
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.usage.lost_calls import LostCalls
from sentinel_plugins.usage.row import INTENTS, TABLE, nonce_of
from sentinel_plugins.usage.stage import WITNESS
from sentinel_plugins.usage.summary import Asked, summary
from tests.plugins.recording.spooled import Spooled
from tests.plugins.usage.ledger import Books, Fate, books
from tests.plugins.wall import Wall
from tests.properties import promised

REQUIRED = {"guarantee": "required"}
OVER_AFTER_S = 7.0


async def intents(b: Books) -> dict[str, Record]:
    page = await b.gateway.records.query(INTENTS, tenant=None, limit=1000)
    return {record.id: record for record in page.records}


@promised()
@given(
    fates=st.lists(st.sampled_from(("serve", "refuse", "lose", "break")), max_size=8),
    streams=st.lists(st.booleans(), min_size=1, max_size=4),
)
async def test_p4_every_call_is_announced_under_the_id_of_its_row(fates: list[Fate], streams: list[bool]) -> None:
    async with books(fates, usage=REQUIRED) as b:
        for stream in streams:
            await b.ask(stream=stream, leave_after=1 if stream else None)
        rows = {row.id: row for row in await b.rows()}
        announced = await intents(b)
        assert rows.keys() == announced.keys()
        assert len(rows) == sum(len(upstream.calls) for upstream in b.upstreams)
        for one in announced.values():
            assert (one.fields["error"], one.fields["provenance"]) == (LOST, "unknown")
            assert one.fields["prompt_tokens"] > 0
        clock = FakeClock(4e9)
        job = LostCalls(b.gateway.records, clock, 1.0, 1.0, Witness())
        await clock.advance(1.0)
        await job.adopt()
        assert {row.id: row for row in await b.rows()} == rows, "nothing comes of the intent of a call that ended"
        assert await intents(b) == {}


async def test_s04_a_call_that_nobody_lived_to_tell_of_gets_one_row_from_any_number_of_gateways() -> None:
    records, clock = MemoryRecords(), FakeClock()
    lost, young = (Record(name, "acme", clock.time() + at, {"error": LOST}) for name, at in (("a", 0.0), ("b", 9.5)))
    await records.append(INTENTS, [lost, young])
    jobs = [LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness()) for _ in range(2)]
    await clock.advance(11.0)
    for job in (*jobs, *jobs):
        await job.adopt()
    assert (await records.query(TABLE, tenant=None)).records == (lost,)
    assert (await records.query(INTENTS, tenant=None)).records == (young,)


async def test_s04_an_intent_that_comes_late_while_others_are_adopted_is_adopted_after_them(
    records: RecordStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Out of a spool, say: between the look at the intents and their end."""
    clock, append = FakeClock(), records.append
    now = clock.time()
    early, late = ([Record(f"{name}{n}", "acme", now - 99.0 - n, {}) for n in range(3)] for name in ("early", "late"))
    await append(INTENTS, early)

    async def interrupted(table: str, rows: Sequence[Record]) -> None:
        await append(table, rows)
        await append(INTENTS, late)

    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())
    await clock.advance(10.0)
    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(records, "append", interrupted)
        await job.adopt()
    assert len((await records.query(INTENTS, tenant=None)).records) == len(late)
    await job.adopt()
    assert (await records.query(INTENTS, tenant=None)).records == ()
    rows = (await records.query(TABLE, tenant=None)).records
    assert {row.id for row in rows} == {row.id for row in (*early, *late)}


async def test_s04_no_call_is_taken_for_lost_while_its_row_waits_in_a_spool() -> None:
    records, clock = Spooled(), FakeClock()
    old = clock.time() - 99.0
    intent, row = (Record("call", "acme", old, {"error": error}) for error in (LOST, None))
    await records.append(INTENTS, [intent])
    records.waiting, records.down = [(TABLE, row)], True
    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())
    await clock.advance(10.0)
    for _ in range(3):
        with pytest.raises(Refusal, match="wait"):
            await job.look()
    records.down = False
    for _ in range(2):
        await job.look()
    assert (await records.query(TABLE, tenant=None)).records == (row,)
    assert (await records.query(INTENTS, tenant=None)).records == ()


async def test_s04_others_have_a_round_to_send_what_waits_at_the_start_and_after_an_outage() -> None:
    records, clock = Spooled(), FakeClock()
    old = clock.time() - 99.0
    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())
    await clock.advance(10.0)
    for name in ("start", "outage"):
        intent, row = (Record(name, "acme", old, {"error": error}) for error in (LOST, None))
        await records.append(INTENTS, [intent])
        await job.look()
        await records.append(TABLE, [row])  # out of another gateway's spool
        await job.look()
        assert await records.get(TABLE, "acme", name) == row
        assert await records.get(INTENTS, "acme", name) is None
        records.waiting, records.down = [("audit", row)], True
        with pytest.raises(Refusal):
            await job.look()
        records.down = False


async def test_d06_a_clock_that_is_set_forward_makes_no_call_lost_that_runs_in_another_process() -> None:
    records, clock = MemoryRecords(), Wall()
    begun = Record("call:1:other", "acme", clock.time(), {"error": LOST})
    await records.append(INTENTS, [begun])
    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())
    clock.ahead = 3_600.0
    late = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())  # of a process that starts behind the jump
    for _ in range(6):
        await clock.advance(1.0)
        for one in (job, late):
            await one.adopt()
    await clock.advance(3.0)
    await job.adopt()
    assert (await records.query(INTENTS, tenant=None)).records == (begun,)
    await clock.advance(2.0)
    await job.adopt()
    assert (await records.query(TABLE, tenant=None)).records == (begun,), "in its time it is lost all the same"


async def test_s04_a_process_finds_what_was_lost_before_it_though_it_lives_no_longer_than_a_request() -> None:
    records, clock = MemoryRecords(), Wall()
    lost = Record("call:1:dead", "acme", clock.time() - 99.0, {"error": LOST})
    await records.append(INTENTS, [lost])
    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, Witness())
    await clock.advance(OVER_AFTER_S - 1.0)
    await job.adopt()
    assert (await records.query(TABLE, tenant=None)).records == ()
    await clock.advance(1.0)
    await job.adopt()
    assert (await records.query(TABLE, tenant=None)).records == (lost,)


async def test_d06_a_call_that_runs_in_this_process_is_not_lost_however_the_clock_is_set() -> None:
    records, clock, witness = MemoryRecords(), Wall(), Witness()
    job = LostCalls(records, clock, 10.0, OVER_AFTER_S, witness)
    await clock.advance(20.0)
    mine, other = (Record(f"call:1:{nonce}", "acme", clock.time() - 99.0, {}) for nonce in ("mine", "other"))
    await records.append(INTENTS, [mine, other])
    witness.running.add("mine")
    await job.adopt()
    assert (await records.query(INTENTS, tenant=None)).records == (mine,)
    assert (await records.query(TABLE, tenant=None)).records == (other,)


async def test_what_runs_is_known_until_its_rows_are_taken_also_behind_a_reload() -> None:
    async with books(usage=REQUIRED) as b:
        witness = b.gateway.services.find(WITNESS)
        assert witness is not None
        async with b.gateway.stream({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}) as events:
            await anext(events)
            await b.gateway.reload()
            assert witness.running == {nonce_of(row) for row in (await intents(b)).values()}
            async for _ in events:
                pass
        await b.ask(stream=False)
        await b.rows()
        assert witness.running == set()


async def test_a_call_that_cannot_be_announced_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    async with books(usage=REQUIRED) as b:
        append = b.gateway.records.append

        async def full(table: str, records: Sequence[Record]) -> None:
            if table == INTENTS:
                raise Refusal("ledger_unavailable")
            await append(table, records)

        with monkeypatch.context() as disk:
            disk.setattr(b.gateway.records, "append", full)
            for stream in (False, True):
                await b.ask(stream=stream)
        assert [call for upstream in b.upstreams for call in upstream.calls] == []
        rows = [row.fields for row in await b.rows()]
        told = [(row["error"], row["ending"], row["prompt_tokens"], row["provenance"]) for row in rows]
        assert told == [("not_called", "discarded", 0, "reported")] * 2
        total = (await summary(b.gateway.records, Asked(Reach(None, {})))).total
        assert (total.attempts, total.requests, total.unpriced) == (0, 0, 0)


async def test_a_request_whose_second_call_is_the_first_that_was_made_counts_once() -> None:
    async with books(usage=REQUIRED) as b:
        ctx = b.gateway.context(OPENAI_CHAT.decode_request(chat_body(model="m")))
        ctx.attempts.append(Attempt(1, Target("fake", "fake"), 1.0, "discarded", NOT_CALLED, 1.0))
        async with b.gateway.open(ctx):
            pass
        await b.rows()
        assert [row.fields["requests"] for row in (await intents(b)).values()] == [1]
        total = (await summary(b.gateway.records, Asked(Reach(None, {})))).total
        assert (total.attempts, total.requests) == (1, 1)


async def test_by_default_nothing_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(journal: Journal, record: Record) -> None:
        raise AssertionError

    monkeypatch.setattr(Journal, "write", never)
    async with books() as b:
        await b.ask(stream=False)
        assert len(await b.rows()) == 1
        assert await intents(b) == {}
