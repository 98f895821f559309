"""One record for every request, whatever its ending; where it is required, no call without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.chain import Chain, Delivery, Exchange, Tracker
from sentinel_core.chain.account import Account
from sentinel_core.config import Secret
from sentinel_core.context import Context
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, JsonValue, TomlValue
from sentinel_core.keys import INJECTION_SCORE, PRINCIPAL, Principal
from sentinel_core.messages import Answer
from sentinel_core.records import Record, RecordStore
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import Driven, FakeClock, FakeProvider, chain_of, completion, context, fake_services, opened
from sentinel_core.testing import run as run_exchange
from sentinel_core.testing.fake_clock import settle
from sentinel_core.testing.fake_provider import Script
from sentinel_plugins.audit import Audit, AuditConfig
from sentinel_plugins.audit.checkpoints import Checkpoints, read
from sentinel_plugins.audit.retention import Retention
from sentinel_plugins.audit.seal import Keys
from sentinel_plugins.recording.witness import Witness
from tests.plugins.audit.verified import verify
from tests.plugins.recording.flaky import Flaky
from tests.plugins.recording.written import emptied
from tests.properties import promised

KEY = "a key of the tests"
SECRET = Secret(KEY, "TEST")
WHO = Principal("acme", "k1", kind="key", user="ann")


class Guards(Stage):
    """A guard named `pii` that masks one word both ways, refuses another, and measures injections."""

    name = "pii"

    def __init__(self) -> None:
        super().__init__(StageConfig())

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx[INJECTION_SCORE] = 0.25
        texts = {slot.path: slot.text.replace("Ann", "<NAME>") for slot in ctx.request.texts() if "Ann" in slot.text}
        ctx.request = ctx.request.with_texts(texts)
        if any("forbidden" in slot.text for slot in ctx.request.texts()):
            raise Refusal("content_policy_violation")

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        texts = {slot.path: slot.text.replace("Bob", "<NAME>") for slot in answer.texts() if "Bob" in slot.text}
        return answer.with_texts(texts)


@dataclass
class Scene:
    """What the tests act on."""

    chain: Chain
    provider: FakeProvider
    store: Flaky
    clock: FakeClock
    tracker: Tracker
    stage: Audit

    async def ask(self, prompt: str = "Hello", *, stream: bool = False, **fields: JsonValue) -> Driven:
        ctx = context(prompt, stream=stream, **fields)
        ctx[PRINCIPAL] = WHO
        driven = await run_exchange(self.chain, ctx)
        await self.written()
        return driven

    async def written(self) -> None:
        """Wait until what happened is in the store, unless that is down."""
        await self.tracker.drained()
        await settle()
        if not self.store.down:
            await emptied(self.stage.journal)

    async def entries(self, kind: str = "terminal") -> list[JsonObject]:
        """The records of a kind, oldest first."""
        page = await self.store.query("audit", tenant=None, where={"kind": kind}, limit=1000)
        return [dict(record.fields) for record in reversed(page.records)]


@pytest.fixture
def store(records: RecordStore) -> Flaky:
    """Each record store, which can be told to refuse."""
    return Flaky(records)


@asynccontextmanager
async def scene(*scripts: Script, store: Flaky | None = None, **table: TomlValue) -> AsyncIterator[Scene]:
    clock, provider, tracker, store = FakeClock(), FakeProvider(*scripts), Tracker(), store or Flaky()
    async with (
        fake_services(clock) as services,
        opened(Audit, AuditConfig(**table), replace(services, records=store)) as live,
    ):
        stage = live[0]
        assert isinstance(stage, Audit)
        yield Scene(chain_of([live, Guards()], provider, tracker), provider, store, clock, tracker, stage)
        await tracker.drained()


async def test_s4_39_s4_40_a_record_says_what_the_request_was_and_how_it_ended(store: Flaky) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    async with scene(completion("I am Bob", usage=usage), store=store) as s:
        await s.ask("I am Ann")
        (entry,) = await s.entries()
    expected = {
        "request_id": "test",
        "principal": "k1",
        "key": "k1",
        "user": "ann",
        "model": "fake",
        "provider": "fake",
        "prompt_tokens": 3,
        "completion_tokens": 5,
        "finish_reason": "stop",
        "pii_detected": True,
        "pii_redacted": True,
        "injection_score": 0.25,
        "status": "completed",
        "ending": "completed",
        "error": None,
        "attempts": 1,
    }
    assert {name: entry[name] for name in expected} == expected
    assert entry["latency_ms"] >= 0
    assert {verdict["direction"] for verdict in entry["verdicts"]} == {"request", "response"}


@promised()
@given(st.text(min_size=1), st.booleans())
async def test_s4_41_p11_one_record_without_content_for_any_text(text: str, stream: bool) -> None:
    async with scene((f"§secret§{text}",)) as s:
        await s.ask(f"§secret§{text}", stream=stream)
        (entry,) = await s.entries()
    assert entry["content"] is None
    assert "§secret§" not in str(entry)


@pytest.mark.parametrize("stream", [False, True])
async def test_content_is_what_the_guards_left(stream: bool) -> None:
    async with scene(("I am ", "Bob"), content=True) as s:
        await s.ask("I am Ann", stream=stream)
        await s.ask("forbidden", stream=stream)
        first, second = await s.entries()
    assert "I am <NAME>" in first["content"]["request"]
    assert "I am <NAME>" in first["content"]["response"]
    assert (second["content"], second["status"], second["error"]) == (None, "refused", "content_policy_violation")


ENDINGS: tuple[tuple[Script, str, str | None], ...] = (
    (("a",), "completed", None),
    (UpstreamError("upstream_timeout"), "failed", "upstream_timeout"),
    (("a", UpstreamError("upstream_stream_interrupted")), "failed", "upstream_stream_interrupted"),
)


@pytest.mark.parametrize(("script", "status", "error"), ENDINGS)
async def test_p11_one_record_for_every_ending(script: Script, status: str, error: str | None) -> None:
    async with scene(script) as s:
        await s.ask(stream=True)
        (entry,) = await s.entries()
    assert (entry["status"], entry["error"]) == (status, error)
    assert entry["finish_reason"] == ("stop" if status == "completed" else None), "what broke off did not finish"


async def test_without_content_no_stream_is_put_together_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would cost more than the whole record."""
    monkeypatch.setattr(Account, "guarded", lambda _: pytest.fail("somebody asked for the text"))
    async with scene(("a", "b")) as s:
        await s.ask(stream=True)
        await s.ask()
        assert [entry["finish_reason"] for entry in await s.entries()] == ["stop", "stop"]


async def test_p11_a_stream_that_is_left_has_its_record() -> None:
    async with scene(("a", "b", "c")) as s:
        async with Exchange(s.chain, context(stream=True)) as reply:
            assert isinstance(reply, Delivery)
            async for _ in reply:
                break
        await s.written()
        (entry,) = await s.entries()
    assert (entry["status"], entry["attempts"], entry["principal"]) == ("cancelled", 1, "")


async def test_d01_required_refuses_before_the_provider_is_called_and_recovers_by_itself(store: Flaky) -> None:
    async with scene(store=store, guarantee="required") as s:
        await s.ask()
        assert len(s.provider.calls) == 1
        s.store.down = True
        for _ in range(2):
            driven = await s.ask()
            assert driven.error is not None
            assert (driven.error.code, driven.error.status) == ("ledger_unavailable", 503)
        assert len(s.provider.calls) == 1, "no call without a record"
        s.store.down = False
        await s.clock.advance(1)
        await s.written()
        assert (await s.ask()).error is None
        assert [entry["error"] for entry in await s.entries()] == [
            None,
            "ledger_unavailable",
            "ledger_unavailable",
            None,
        ]
        assert len(await s.entries("intent")) == 3, "two that were followed by a call, and one that was refused"


async def test_required_writes_no_intent_for_what_never_reaches_a_provider(store: Flaky) -> None:
    async with scene(store=store, guarantee="required") as s:
        await s.ask("forbidden")
        assert (await s.entries("intent"), len(await s.entries())) == ([], 1)


async def test_d01_best_effort_serves_without_its_store_and_says_how_many_records_were_lost(store: Flaky) -> None:
    async with scene(store=store, max_waiting=2) as s:
        s.store.down = True
        for _ in range(4):
            assert (await s.ask()).error is None
        s.store.down = False
        await s.clock.advance(1)
        await s.written()
        await s.ask()
        assert [entry["lost"] for entry in await s.entries()] == [0, 0, 2]


async def entries(store: Flaky) -> Sequence[Record]:
    return (await store.query("audit", tenant=None, limit=1000)).records


async def test_s4_45_what_is_left_at_the_end_is_written_and_noted(tmp_path: Path, store: Flaky) -> None:
    path = tmp_path / "notes"
    async with scene(store=store, key=SECRET, checkpoints=str(path)) as s:
        for _ in range(3):
            s.stage.journal.add(_bare(s.clock.time()))
    found = await entries(store)
    noted = read(path, Keys(KEY.encode()))
    assert [head.seq for head in noted.heads.values()] == [3]
    assert verify(found, Keys(KEY.encode()), noted).findings == ()
    assert verify(found[1:], Keys(KEY.encode()), noted).findings != ()


async def test_d06_both_chains_of_a_clock_that_was_set_back_are_noted_and_retention_holds_neither_up(
    tmp_path: Path, store: Flaky
) -> None:
    path, keys = tmp_path / "notes", Keys(KEY.encode())
    async with fake_services() as services, scene(store=store, key=SECRET, checkpoints=str(path)) as s:
        notes, now = Checkpoints(path, keys, services.executor), s.clock.time()
        for at in (now + 900.0, now + 901.0, now, now + 1.0):
            s.stage.journal.add(_bare(at))
        await s.written()
        await s.clock.advance(200.0)
        assert await Retention(store, s.clock, 150.0, notes, Witness()).forget() == 2
        s.stage.journal.add(_bare(s.clock.time()))
    noted, found = read(path, keys), await entries(store)
    assert sorted(head.seq for head in noted.heads.values()) == [2, 3]
    assert [record.at for record in found] == [now + 901.0, now + 900.0, now + 200.0]
    assert verify(found, keys, noted).findings == ()
    for gap in range(3):
        left = [record for place, record in enumerate(found) if place != gap]
        assert verify(left, keys, noted).findings != ()


@pytest.mark.parametrize("fate", ["rotated", "deleted"])
async def test_d05_the_chain_and_its_notes_go_on_in_a_new_file_and_gaps_are_found(
    tmp_path: Path, store: Flaky, fate: str
) -> None:
    path = tmp_path / "notes"
    async with scene(store=store, key=SECRET, checkpoints=str(path)) as s:
        await s.ask()
        await _noted(path)
        if fate == "rotated":
            path.rename(tmp_path / "rotated")
        else:
            path.unlink()
        await s.ask()
        await s.ask()
    noted, found = read(path, Keys(KEY.encode())), await entries(store)
    assert [head.seq for head in noted.heads.values()] == [3]
    assert verify(found, Keys(KEY.encode()), noted).findings == ()
    for gap in range(3):
        left = [record for place, record in enumerate(found) if place != gap]
        assert verify(left, Keys(KEY.encode()), noted).findings != ()


async def test_notes_that_cannot_be_written_are_logged_and_stop_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "mounted"
    folder.mkdir()
    async with scene(key=SECRET, checkpoints=str(folder / "notes")) as s:
        (folder / "notes").unlink()
        folder.rmdir()
        assert (await s.ask()).error is None
    assert "the checkpoint cannot be written" in caplog.text


async def test_s4_42_old_records_are_deleted_and_the_rest_is_still_verified(tmp_path: Path, store: Flaky) -> None:
    path = tmp_path / "notes"
    async with fake_services() as services, scene(store=store, key=SECRET, checkpoints=str(path)) as s:
        notes = Checkpoints(path, Keys(KEY.encode()), services.executor)
        for _ in range(3):
            await s.ask()
            await s.clock.advance(100)
        retention = Retention(store, s.clock, 150.0, notes, Witness())
        assert await retention.forget() == 2
        assert await retention.forget() == 0
        await s.ask()
    found = await entries(store)
    assert len(found) == 2
    assert verify(found, Keys(KEY.encode()), read(path, Keys(KEY.encode()))).findings == ()
    assert verify(found[:1], Keys(KEY.encode()), read(path, Keys(KEY.encode()))).findings != ()


async def test_what_cannot_be_noted_is_not_deleted(tmp_path: Path, store: Flaky) -> None:
    async with fake_services() as services, scene(store=store, key=SECRET) as s:
        await s.ask()
        await s.clock.advance(1000)
        notes = Checkpoints(tmp_path / "no" / "folder", Keys(KEY.encode()), services.executor)
        assert await Retention(store, s.clock, 1.0, notes, Witness()).forget() == 0
    assert len(await entries(store)) == 1


async def test_the_job_waits_for_a_store_that_does_not_answer_and_goes_on() -> None:
    async with scene() as s:
        await s.ask()
        await s.clock.advance(1000)
        s.store.down = True
        job = asyncio.create_task(Retention(s.store, s.clock, 100.0, None, Witness()).run())
        await settle()
        assert len(await entries(s.store)) == 1
        s.store.down = False
        await s.clock.advance(60)
        assert await entries(s.store) == ()
        job.cancel()
        await asyncio.wait([job])


def _bare(at: float) -> Record:
    return Record("", "", at, {"kind": "terminal", "request_id": "r"})


async def _noted(path: Path) -> None:
    while not path.exists():
        await settle()
