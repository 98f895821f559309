"""Zion: who a bearer is, what they may use, and that their usage is told once."""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any, NoReturn

import msgspec
import pytest

from sentinel_core.attempt import BEFORE_CALL, NOT_CALLED, Attempt
from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.config import Secret
from sentinel_core.context import Context
from sentinel_core.costs import COSTS
from sentinel_core.errors import Refusal
from sentinel_core.events import TextEvent, UsageReport
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable, TomlValue
from sentinel_core.keys import PRINCIPAL
from sentinel_core.limits import Limits, Remainder
from sentinel_core.records import Page, Record, Stored
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.state import StateStore, state_key
from sentinel_core.testing import FakeProvider, fake_services
from sentinel_core.testing.fake_clock import FakeClock, settle
from sentinel_core.testing.harness import Driven, chain_of, context, opened, run, stage_config
from sentinel_core.usage import Usage
from sentinel_plugins.auth import Auth, AuthConfig
from sentinel_plugins.auth.zion.due import KEPT_S, SWEEP_ROWS, SWEEP_S
from sentinel_plugins.auth.zion.outbox import LEASE_S, TELLERS, Outbox
from sentinel_plugins.auth.zion.row import TABLE, Row
from sentinel_plugins.rate_limit.stage import RateLimit
from sentinel_plugins.recording.journal import RETRY_S
from sentinel_plugins.records.memory import MemoryRecords
from sentinel_plugins.records.memory.config import MemoryRecordsConfig
from tests.plugins.auth.callers import PEPPER, Known, client, secret
from tests.plugins.auth.zion_server import KEY, ZionServer, limit
from tests.plugins.wall import Wall

NOW = 1_000_000.0
BOTH = {"ai_input_tokens": 300, "ai_output_tokens": 200, "ai_requests": 50}


def token(name: str = "ann", **claims: JsonValue) -> str:
    body = urlsafe_b64encode(json.dumps({"sub": name, "exp": NOW + 9e6, **claims}).encode()).rstrip(b"=").decode()
    return f"eyJhbGciOiJIUzI1NiJ9.{body}.c2lnbmF0dXJl"


def bearer(text: str | None = None) -> Any:  # a Client
    return client(authorization=f"Bearer {text or token()}")


@asynccontextmanager
async def zion(
    server: ZionServer | None = None,
    records: MemoryRecords | None = None,
    clock: FakeClock | None = None,
    pepper: Secret | None = None,
    state: StateStore | None = None,
    **fields: TomlValue,
) -> AsyncIterator[tuple[Known, ZionServer]]:
    server = server or ZionServer()
    if not server.users:
        server.user(token(), "ann", **BOTH)
    table: TomlTable = {"zion": {"url": "https://zion.test", "api_key": secret(KEY), **fields}}
    config = stage_config(Auth, table if pepper is None else {**table, "pepper": pepper})
    assert isinstance(config, AuthConfig)
    clock = clock or FakeClock(NOW)
    async with fake_services(clock) as made:
        services = replace(made, http=server.web, state=state or made.state, records=records or made.records)
        async with Auth.open(config, services) as auth:
            yield Known(auth, services, clock), server


def outbox_of(auth: Known) -> Outbox:
    assert auth.auth.meter is not None
    return auth.auth.meter.outbox


async def ask(
    auth: Known,
    usage: Usage | None = Usage(7, 5, 12),  # noqa: B008 - frozen
    who: str = "ann",
    reply: tuple[Any, ...] = ("hello",),  # a provider's script
    behind: Sequence[tuple[Stage, StageConfig]] = (),
) -> Driven:
    script = (*reply, UsageReport(usage=usage)) if usage is not None else reply
    tracker = Tracker()
    chain = chain_of([auth.auth, *behind], FakeProvider(script), tracker)
    driven = await run(chain, context(client=bearer(token(who)), stream=True))
    await tracker.drained()
    return driven


async def test_z13_limits_are_kept_under_the_tenants_name() -> None:
    async with zion() as (auth, _):
        await auth.who(bearer())
        name = hashlib.sha256(b"https://zion.test\nann").hexdigest()
        assert await auth.services.state.get(state_key("default", "zion limits", name)) is not None
        assert await auth.services.state.get(state_key("acme", "zion limits", name)) is None


async def test_s1_14_s1_21_a_bearer_is_the_user_that_zion_knows() -> None:
    async with zion() as (auth, server):
        principal = await auth.who(bearer())
        assert (principal.kind, principal.id, principal.user, principal.tenant) == ("user", "ann", "ann", "default")
        assert server.web.asked == ["GET /api/v1/users/me", "GET /api/v1/limits/external/ann"]


async def test_s1_18_s1_19_limits_become_the_principals_by_what_is_left() -> None:
    async with zion() as (auth, _):
        windows = (
            Remainder(limit=50, period_s=300, since=NOW),
            Remainder(unit="tokens", part="input_tokens", limit=300, period_s=300, since=NOW),
            Remainder(unit="tokens", part="output_tokens", limit=200, period_s=300, since=NOW),
            Remainder(unit="tokens", limit=500, period_s=300, since=NOW),
        )
        assert (await auth.who(bearer())).limits == {"user": Limits(windows=windows)}


@pytest.mark.parametrize("daily_first", [True, False])
async def test_of_several_limits_of_one_name_the_one_with_the_least_left_binds(daily_first: bool) -> None:
    """A day's and a month's: whoever asks at the same time must not have what is left of the month."""
    server = ZionServer()
    server.user(token(), "ann", ai_requests=900)
    daily, monthly = limit("ai_requests", 2), {**limit("ai_requests", 900), "resetPeriod": "MONTHLY"}
    server.limits["ann"] = [daily, monthly] if daily_first else [monthly, daily]
    async with zion(server) as (auth, _):
        windows = (Remainder(limit=2, period_s=300, since=NOW),)
        assert (await auth.who(bearer())).limits == {"user": Limits(windows=windows)}


async def test_a_limit_of_what_nobody_uses_here_refuses_nobody() -> None:
    """Zion may govern more than this gateway: whose storage is full may still ask a model."""
    server = ZionServer()
    server.user(token(), "ann", ai_requests=2, storage_gb=0)
    async with zion(server) as (auth, _):
        assert (await ask(auth)).error is None
        assert (await auth.who(bearer())).limits == {
            "user": Limits(windows=(Remainder(limit=2, period_s=300, since=NOW),))
        }


async def test_what_zion_says_is_null_is_as_if_it_were_not_there() -> None:
    server = ZionServer()
    server.user(token(), "ann", ai_requests=2)
    server.users[token()] |= {"email": None, "name": None}
    nulls = dict.fromkeys(("used", "resetPeriod", "periodEnd", "displayName"))
    server.limits["ann"][0] |= nulls
    server.limits["ann"].append({**server.limits["ann"][0], "name": "ai_input_tokens", "remaining": None, "limit": 9})
    async with zion(server, usage_body="totals") as (auth, _):
        (requests, tokens) = (await auth.who(bearer())).limits["user"].windows
        assert (requests.limit, tokens.limit) == (2, 9)
        assert (await ask(auth, Usage(9, 0, 9))).error is None
        used_up = (await ask(auth)).error
        assert used_up is not None
        assert used_up.details is not None
        assert (used_up.code, used_up.details["used"]) == ("insufficient_quota", 9)
        await outbox_of(auth).flush()
        assert [body["email"] for body in server.bodies] == [""]


async def test_s1_22_s1_23_both_caches_last_300_seconds_and_hold_no_token() -> None:
    async with zion() as (auth, server):
        for _ in range(10):
            await auth.who(bearer())
        await auth.clock.advance(299)
        await auth.who(bearer())
        assert (server.asked("/me"), server.asked("/ann")) == (1, 1)
        await auth.clock.advance(1)
        await auth.who(bearer())
        assert (server.asked("/me"), server.asked("/ann")) == (2, 2)
        kept = repr(vars(auth.auth.callers.cache)) + repr([vars(source) for source in auth.auth.callers._sources])
        assert token() not in kept


async def test_z10_a_user_of_a_disabled_tenant_is_refused_within_the_time_that_keys_are_believed() -> None:
    async with zion(pepper=secret(PEPPER), tenant="stored") as (auth, server):
        await auth.tenant("stored")
        assert await auth.code(bearer()) is None
        await auth.auth.tenants.change("stored", lambda tenant: msgspec.structs.replace(tenant, disabled_at=NOW))
        await auth.clock.advance(1)
        assert await auth.code(bearer()) == "invalid_api_key"
        assert server.asked("/me") == 1


async def test_zion_that_is_down_is_asked_for_limits_every_ten_seconds_however_often_the_tenant_is_looked_up() -> None:
    async with zion(pepper=secret(PEPPER), tenant="stored", token_ttl_s=1e6) as (auth, server):
        await auth.tenant("stored")
        assert await auth.code(bearer()) is None
        server.fail["limits"] = ["down"]
        await auth.clock.advance(300)
        for _ in range(10):
            assert await auth.code(bearer()) is None
            await auth.clock.advance(1)
        assert server.asked("/ann") == 2


@pytest.mark.parametrize("back_s", [3_600.0, 200.0])
async def test_d06_a_clock_that_is_set_back_makes_nobody_believed_for_longer(back_s: float) -> None:
    clock = Wall(NOW)
    async with zion(clock=clock) as (auth, server):
        await auth.who(bearer())
        await clock.advance(250)
        clock.ahead = -back_s
        await auth.who(bearer())
        assert (server.asked("/me"), server.asked("/ann")) == (1, 1)
        await clock.advance(50)
        await auth.who(bearer())
        assert (server.asked("/me"), server.asked("/ann")) == (2, 2)
        server.fail["users"] = [401]
        await clock.advance(300)
        assert await auth.code(bearer()) == "invalid_api_key"


async def test_d06_what_zion_heard_of_before_the_clock_was_set_back_is_not_counted_twice() -> None:
    server, clock = ZionServer(), Wall(NOW)
    server.user(token(), "ann", ai_requests=2)
    async with zion(server, clock=clock) as (auth, _):
        await ask(auth)
        await outbox_of(auth).flush()
        server.user(token(), "ann", ai_requests=1)
        clock.ahead = -3_600.0
        await clock.advance(300)
        assert (await ask(auth)).error is None
        refused = (await ask(auth)).error
        assert refused is not None
        assert refused.code == "insufficient_quota"


async def test_a_remembered_token_does_not_outlive_what_it_says_itself() -> None:
    server = ZionServer()
    short = token(exp=NOW + 10)
    server.user(short, "ann", **BOTH)
    async with zion(server) as (auth, _):
        assert await auth.code(bearer(short)) is None
        await auth.clock.advance(10)
        assert await auth.code(bearer(short)) == "invalid_api_key"
        assert server.asked("/me") == 1


async def test_a_token_whose_claims_cannot_be_read_is_shown_to_zion() -> None:
    nested = urlsafe_b64encode(b'{"a":' + b"[" * 2900 + b"]" * 2900 + b"}").rstrip(b"=").decode()
    async with zion() as (auth, server):
        assert await auth.code(bearer(f"eyJhbGciOiJIUzI1NiJ9.{nested}.c2lnbmF0dXJl")) == "invalid_api_key"
        assert server.asked("/me") == 1


async def test_what_has_not_the_shape_of_a_token_is_not_shown_to_zion() -> None:
    async with zion() as (auth, server):
        for text in ("sk-some-key", "a.b", "' OR '1'='1", "a.b.c.d"):
            assert await auth.code(bearer(text)) == "invalid_api_key"
        assert server.web.asked == []


POLICY = [
    ("users", [401], "invalid_api_key", 401),
    ("users", [404], "not_found", 404),
    ("users", [429], "state_unavailable", 503),
    ("users", [500], "upstream_error", 502),
    ("users", ["down"], "state_unavailable", 503),
    ("limits", [404], "not_found", 404),
    ("limits", [401], "upstream_auth_error", 502),
    ("limits", [429], "state_unavailable", 503),
    ("limits", [503], "upstream_error", 502),
    ("limits", ["down"], "state_unavailable", 503),
]


@pytest.mark.parametrize(("kind", "failures", "code", "status"), POLICY)
async def test_zion_failures_follow_the_policy(kind: str, failures: list[int | str], code: str, status: int) -> None:
    async with zion() as (auth, server):
        server.fail[kind] = failures
        asking = asyncio.create_task(auth.who(bearer()))
        await settle()
        await auth.clock.advance(1)
        with pytest.raises(Refusal) as refusal:
            await asking
        assert (refusal.value.code, refusal.value.status) == (code, status)
        server.fail.clear()
        assert await auth.code(bearer()) is None  # nothing of the failure was remembered


async def test_zion_that_is_busy_for_a_moment_is_asked_again() -> None:
    async with zion() as (auth, server):
        server.fail["users"] = [429]
        asking = asyncio.create_task(auth.who(bearer()))
        await settle()
        server.fail.clear()
        await auth.clock.advance(1)
        assert (await asking).id == "ann"


@pytest.mark.parametrize("failure", [500, 429, "down"])
async def test_stale_limits_are_used_while_zion_is_down_and_503_or_502_follow_when_they_are_too_old(
    failure: int | str,
) -> None:
    async with zion(token_ttl_s=1e6, stale_limits_s=1000) as (auth, server):
        before = await auth.who(bearer())
        server.fail["limits"] = [failure]
        await auth.clock.advance(301)
        asking = asyncio.create_task(auth.who(bearer()))
        await settle()
        await auth.clock.advance(1)
        assert (await asking).limits == before.limits
        await auth.clock.advance(1000)
        asking = asyncio.create_task(auth.who(bearer()))
        await settle()
        await auth.clock.advance(1)
        with pytest.raises(Refusal) as refusal:
            await asking
        assert refusal.value.status == (502 if failure == 500 else 503)


async def test_what_zion_knows_of_is_not_subtracted_again_when_limits_are_told_anew() -> None:
    server = ZionServer()
    server.user(token(), "ann", ai_requests=10)
    async with zion(server) as (auth, _), opened(RateLimit, {}, auth.services) as counting:
        await ask(auth, behind=[counting])
        await auth.clock.advance(200)
        assert [(await ask(auth, behind=[counting])).error for _ in range(5)] == [None] * 5
        await outbox_of(auth).flush()
        server.user(token(), "ann", ai_requests=4)  # it heard of all six
        await auth.clock.advance(100)
        codes = [error.code if (error := (await ask(auth, behind=[counting])).error) else None for _ in range(5)]
        assert codes == [None] * 4 + ["insufficient_quota"]


@pytest.mark.parametrize("elsewhere", [False, True])
async def test_what_zion_was_not_told_when_it_was_asked_anew_is_not_there_to_be_used_again(elsewhere: bool) -> None:
    """Whichever worker's it is, and however long Zion takes none of it."""
    server, clock, records = ZionServer(), FakeClock(NOW), MemoryRecords()
    server.user(token(), "ann", ai_requests=10)
    server.fail["usage"] = [500]
    async with AsyncExitStack() as stack:
        first, _ = await stack.enter_async_context(zion(server, records, clock))
        second, _ = await stack.enter_async_context(zion(server, records, clock, state=first.services.state))
        workers = [
            (worker, await stack.enter_async_context(opened(RateLimit, {}, worker.services)))
            for worker in (first, second)
        ]
        passed = 0
        for index in range(3):
            worker, counting = workers[index % 2 if elsewhere else 0]
            asked = [await ask(worker, behind=[counting]) for _ in range(7 if index == 0 else 10)]
            passed += sum(driven.error is None for driven in asked)
            for each, _ in workers:
                await outbox_of(each).flush()
            await clock.advance(300)
        assert passed == 10


@pytest.mark.parametrize(("limit", "each"), [("ai_input_tokens", 7), ("ai_output_tokens", 5), ("ai_requests", 1)])
async def test_what_is_left_is_counted_once_whichever_worker_is_asked(limit: str, each: int) -> None:
    server, clock = ZionServer(), FakeClock(NOW)
    server.user(token(), "ann", **{limit: 3 * each})
    async with AsyncExitStack() as stack:
        first, _ = await stack.enter_async_context(zion(server, clock=clock))
        second, _ = await stack.enter_async_context(zion(server, clock=clock, state=first.services.state))
        workers = [
            (worker, await stack.enter_async_context(opened(RateLimit, {}, worker.services)))
            for worker in (first, second)
        ]
        asked = [await ask(worker, behind=[counting]) for _ in range(3) for worker, counting in workers]
        assert [driven.error is None for driven in asked] == [True] * 3 + [False] * 3
        assert {driven.error.status for driven in asked if driven.error is not None} == {429}
        assert server.asked("/ann") == 1


async def test_workers_that_ask_for_limits_at_one_time_count_since_one_of_the_answers() -> None:
    server, clock = ZionServer(), FakeClock(NOW)
    server.user(token(), "ann", ai_requests=2)
    async with zion(server, clock=clock) as (one, _), zion(server, clock=clock, state=one.services.state) as (two, _):
        server.fail["limits"] = ["down"]
        assert [await worker.code(bearer()) for worker in (one, two)] == ["state_unavailable"] * 2
        server.fail.clear()
        server.web.answering.clear()
        asking = []
        for worker in (one, two):
            asking.append(asyncio.create_task(worker.who(bearer())))
            await clock.advance(1)
        assert server.asked("/ann") == 4
        server.web.answering.set()
        limits = [(await principal).limits for principal in asking]
        assert limits[0] == limits[1]


async def test_what_ends_after_limits_were_told_anew_counts_against_them() -> None:
    server, gate = ZionServer(), asyncio.Event()
    server.user(token(), "ann", ai_requests=2)
    async with zion(server) as (auth, _):
        held = asyncio.create_task(ask(auth, reply=(gate, "late")))
        await settle()
        await auth.clock.advance(300)
        assert (await ask(auth)).error is None
        gate.set()
        assert (await held).error is None
        error = (await ask(auth)).error
        assert error is not None
        assert error.code == "insufficient_quota"


async def test_s1_25_a_limit_that_is_used_up_is_429_with_its_details() -> None:
    server = ZionServer()
    server.user(token(), "ann", **{**BOTH, "ai_output_tokens": 5})
    async with zion(server) as (auth, _):
        assert (await ask(auth)).error is None  # what Zion hears later counts here at once
        error = (await ask(auth)).error
        assert error is not None
        assert (error.code, error.status, error.should_retry) == ("insufficient_quota", 429, False)
        assert error.details is not None
        assert {
            "limit_name": "ai_output_tokens",
            "limit": 1000,
            "reset_period": "DAILY",
        }.items() <= error.details.items()


async def test_s1_20_usage_is_told_for_each_limit() -> None:
    async with zion() as (auth, server):
        await ask(auth)
        await outbox_of(auth).flush()
        assert server.usage == {"ai_input_tokens": 7, "ai_output_tokens": 5, "ai_requests": 1}
        assert {"externalId": "ann", "limitName": "ai_input_tokens", "amount": 7} in server.bodies


async def test_zion_drift_usage_is_told_in_totals_where_the_configuration_says_so() -> None:
    async with zion(usage_body="totals") as (auth, server):
        await ask(auth)
        await outbox_of(auth).flush()
        assert server.bodies == [{"email": "ann@zion.test", "aiInputTokens": 7, "aiOutputTokens": 5, "aiRequests": 1}]


async def test_what_the_provider_does_not_count_is_counted_here() -> None:
    async with zion() as (auth, server):
        driven = await ask(auth, usage=None)
        await outbox_of(auth).flush()
        assert driven.ctx is not None
        (cost,) = driven.ctx[COSTS]
        assert (cost.provenance, cost.usage.completion_tokens) == ("estimated", 2)
        assert server.usage == {
            "ai_input_tokens": cost.usage.prompt_tokens,
            "ai_output_tokens": cost.usage.completion_tokens,
            "ai_requests": 1,
        }


async def test_a_stream_that_its_caller_leaves_is_told_as_far_as_it_came() -> None:
    async with zion() as (auth, server):
        tracker, ctx = Tracker(), context(client=bearer(), stream=True)
        provider = FakeProvider(("hello ", "world, ", "and more"))
        async with Exchange(chain_of([auth.auth], provider, tracker), ctx) as reply:
            assert isinstance(reply, Delivery)
            async for event in reply:
                if isinstance(event, TextEvent) and event.text == "world, ":
                    break
        await tracker.drained()
        await outbox_of(auth).flush()
        assert ctx[COSTS][0].provenance == "partial"
        assert server.usage["ai_output_tokens"] == ctx[COSTS][0].usage.completion_tokens > 0
        assert server.usage["ai_input_tokens"] == ctx[COSTS][0].usage.prompt_tokens > 0


@pytest.mark.parametrize("failure", [500, 429, 401, "down"])
async def test_usage_waits_while_zion_does_not_take_it(failure: int | str) -> None:
    async with zion() as (auth, server):
        await ask(auth)
        server.fail["usage"] = [failure]
        await outbox_of(auth).flush()
        await outbox_of(auth).flush()
        assert server.usage == {}
        server.fail.clear()
        await outbox_of(auth).flush()
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1


async def test_usage_that_zion_refuses_for_good_is_not_told_for_ever(caplog: pytest.LogCaptureFixture) -> None:
    async with zion() as (auth, server):
        await ask(auth)
        server.fail["usage"] = [400]
        await outbox_of(auth).flush()
        await outbox_of(auth).flush()
        assert server.asked("/increment") == 3, "once for each limit"
        assert "Zion refuses usage" in caplog.text


async def test_only_limits_that_a_user_has_are_told() -> None:
    server = ZionServer()
    server.user(token(), "ann", ai_requests=50)
    async with zion(server) as (auth, _):
        await ask(auth)
        await outbox_of(auth).flush()
        assert (server.usage, server.asked("/increment")) == ({"ai_requests": 1}, 1)


async def test_a_limit_that_zion_refuses_keeps_no_other_from_being_told(caplog: pytest.LogCaptureFixture) -> None:
    server, records = ZionServer(), MemoryRecords()
    server.user(token(), "ann", **BOTH)
    async with zion(server, records) as (auth, _):
        await ask(auth)
        server.user(token(), "ann", ai_requests=50)  # the others were taken away since they were told
        await outbox_of(auth).flush()
        assert server.usage == {"ai_requests": 1}
        assert caplog.text.count("Zion refuses usage") == 2
        page = await records.query(TABLE, tenant=None)
        assert [row.fields["state"] for row in page.records] == ["refused"]


async def test_a_user_whose_usage_zion_cannot_take_holds_up_nobody_else() -> None:
    server = ZionServer()
    for name in ("ann", "bob"):
        server.user(token(name), name, **BOTH)
    async with zion(server) as (auth, _):
        for name in ("ann", "bob", "bob"):
            await ask(auth, who=name)
            await auth.clock.advance(1)
        server.ill = {"bob": 500}
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1, "ann's"
        assert server.asked("/increment") == 4, "one failure a user and round"
        server.ill = {}
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 3


async def test_several_users_are_told_of_at_a_time_and_of_each_the_oldest_first() -> None:
    server, users = ZionServer(), [f"user-{number}" for number in range(TELLERS + 3)]
    for name in users:
        server.user(token(name), name, ai_input_tokens=300)
    async with zion(server) as (auth, _):
        for amount in (1, 2):
            for name in users:
                await ask(auth, Usage(amount, 0, amount), who=name)
            await auth.clock.advance(1)
        telling = asyncio.create_task(outbox_of(auth).flush())
        server.web.answering.clear()
        await settle()
        assert server.asked("/increment") == 1, "the first shows whether any is taken"
        server.web.answering.set()
        await asyncio.sleep(0)
        server.web.answering.clear()
        await settle()
        assert server.asked("/increment") == 1 + TELLERS
        server.web.answering.set()
        await telling
        told = {name: [body["amount"] for body in server.bodies if body["externalId"] == name] for name in users}
        assert told == {name: [1, 2] for name in users}


@pytest.mark.parametrize("failure", [429, "down"])
async def test_zion_that_takes_nothing_is_asked_once_a_round(failure: int | str) -> None:
    server = ZionServer()
    for name in ("ann", "bob"):
        server.user(token(name), name, **BOTH)
    async with zion(server) as (auth, _):
        for name in ("ann", "bob"):
            await ask(auth, who=name)
        server.fail["usage"] = [failure]
        await outbox_of(auth).flush()
        assert server.asked("/increment") == 1


class Crash(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("after", ["append", "lease", "first_call", "calls", "mark"])
async def test_usage_is_counted_once_whenever_the_process_crashes(after: str) -> None:
    server, records, clock = ZionServer(), MemoryRecords(), FakeClock(NOW)
    async with zion(server, records, clock) as (auth, _):
        await ask(auth)
        outbox = outbox_of(auth)
        await _crash(after, outbox, records)
    async with zion(server, records, clock) as (auth, _):  # another process, the same rows
        await clock.advance(LEASE_S + 1)
        for _ in range(2):
            await outbox_of(auth).flush()
        assert server.usage == {"ai_input_tokens": 7, "ai_output_tokens": 5, "ai_requests": 1}
        page = await records.query(TABLE, tenant=None)
        assert [row.fields["state"] for row in page.records] == ["told"]


async def _crash(after: str, outbox: Outbox, records: MemoryRecords) -> None:
    """Flush, and end at this point of it."""
    calls, puts = 0, 0
    increment, put = outbox._api.increment, records.put

    async def told(body: JsonObject, key: str) -> int:
        nonlocal calls
        if after == "lease":
            raise Crash
        status = await increment(body, key)
        calls += 1
        if after == "first_call" and calls == 1:
            raise Crash
        return status

    async def written(table: str, record: Record, *, expect: Record | None) -> bool:
        nonlocal puts
        puts += 1
        if after == "calls" and puts == 2:
            raise Crash
        done = await put(table, record, expect=expect)
        if after == "mark" and puts == 2:
            raise Crash
        return done

    if after == "append":
        return
    outbox._api.increment = told  # type: ignore[method-assign]  # the point where this process ends
    records.put = written  # type: ignore[method-assign]  # as above
    with pytest.raises(Crash):
        await outbox.flush()
    del records.put


async def test_two_workers_tell_each_row_once() -> None:
    server, records, clock = ZionServer(), MemoryRecords(), FakeClock(NOW)
    async with zion(server, records, clock) as (one, _), zion(server, records, clock) as (other, _):
        for _ in range(5):
            await ask(one)
        await asyncio.gather(*(outbox_of(worker).flush() for worker in (one, other) for _ in range(3)))
        assert server.usage["ai_requests"] == 5
        assert server.asked("/increment") == 15


class Full(MemoryRecords):
    """A store that takes nothing."""

    down = True

    async def append(self, table: str, records: Any) -> None:  # the Protocol's own
        """Take rows, once it is not down."""
        if self.down:
            raise Refusal("ledger_unavailable")
        await super().append(table, records)


async def test_usage_that_cannot_be_written_down_waits_in_memory() -> None:
    records = Full()
    async with zion(records=records) as (auth, server):
        assert (await ask(auth)).error is None
        records.down = False
        await auth.clock.advance(RETRY_S)
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1


async def test_usage_that_waits_in_memory_outlives_a_reload() -> None:
    records, clock, server = Full(), FakeClock(NOW), ZionServer()
    async with AsyncExitStack() as old:
        auth, _ = await old.enter_async_context(zion(server, records, clock))
        await ask(auth)
        async with zion(server, records, clock) as (new, _):
            await old.aclose()
            records.down = False
            await clock.advance(RETRY_S)
            await outbox_of(new).flush()
            assert server.usage["ai_requests"] == 1


class Large(MemoryRecords):
    """A store whose table is too large to be read for what no index knows."""

    async def query(self, table: str, **asked: Any) -> Page:  # the Protocol's own
        """Look for rows, unless by what they say."""
        if table == TABLE and asked.get("where"):
            raise Refusal("ledger_unavailable")
        return await super().query(table, **asked)


def written(id_: str, at: float, state: Any = "told") -> Record:  # a State
    row = Row(external_id="ann", email="", input_tokens=1, output_tokens=1, requests=1, state=state)
    return Record(id_, "default", at, msgspec.to_builtins(row))


async def test_however_much_was_told_what_waits_is_told_and_what_is_old_is_forgotten() -> None:
    records = Large()
    await records.append(TABLE, [written("left", NOW - 86_400, "waiting"), written("old", NOW - KEPT_S - 1)])
    await records.append(TABLE, [written(f"row-{number}", NOW - number) for number in range(2 * SWEEP_ROWS)])
    async with zion(records=records) as (auth, server):
        await ask(auth)
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1, "what this process wrote needs no look"
        for _ in range(2):
            await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 2
        assert await records.get(TABLE, None, "old") is None
        assert len(await states(records)) == 100


async def test_of_what_is_old_only_what_waits_is_kept() -> None:
    records, server = MemoryRecords(), ZionServer()
    old = NOW - KEPT_S
    await records.append(
        TABLE, [written("first", old - 3), written("left", old - 2, "waiting"), written("last", old - 1)]
    )
    server.ill = {"ann": 500}
    async with zion(server, records) as (auth, _):
        await outbox_of(auth).flush()
        assert [row.id for row in (await records.query(TABLE, tenant=None)).records] == ["left"]
        server.ill = {}
        await auth.clock.advance(SWEEP_S)
        for _ in range(2):
            await outbox_of(auth).flush()
            await auth.clock.advance(SWEEP_S)
        assert await states(records) == []


async def test_what_comes_out_of_a_spool_while_what_is_old_is_forgotten_is_told() -> None:
    class Late(MemoryRecords):
        late = True

        async def scan(self, table: str) -> AsyncIterator[Stored]:
            async for stored in super().scan(table):
                yield stored
            if self.late:
                self.late = False
                await self.append(TABLE, [written("left", NOW - KEPT_S - 2, "waiting")])

    records = Late()
    await records.append(TABLE, [written("old", NOW - KEPT_S - 1)])
    async with zion(records=records) as (auth, server):
        await outbox_of(auth).flush()
        assert [row.id for row in (await records.query(TABLE, tenant=None)).records] == ["left"]
        await auth.clock.advance(SWEEP_S)
        await outbox_of(auth).flush()
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1


async def test_a_look_that_fails_keeps_nobody_from_being_told_and_nothing_from_being_forgotten() -> None:
    class Breaking(MemoryRecords):
        broken = True

        async def query(self, table: str, **asked: Any) -> Page:  # the Protocol's own
            if self.broken and table == TABLE:
                raise Refusal("ledger_unavailable")
            return await super().query(table, **asked)

        async def scan(self, table: str) -> AsyncIterator[Stored]:
            async for stored in super().scan(table):
                yield stored
                if self.broken:
                    raise Refusal("ledger_unavailable")

    records = Breaking()
    await records.append(TABLE, [written("last", NOW - KEPT_S - 1), written("left", NOW - KEPT_S - 2, "waiting")])
    async with zion(records=records) as (auth, server):
        await ask(auth)
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 1
        assert await records.get(TABLE, None, "left") is not None, "nobody has seen it"
        records.broken = False
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 2
        await auth.clock.advance(SWEEP_S)
        await outbox_of(auth).flush()
        assert await records.get(TABLE, None, "left") is None


async def test_usage_that_its_store_has_no_room_for_is_told_and_holds_no_quota() -> None:
    records = MemoryRecords(MemoryRecordsConfig(max_rows=1))
    async with zion(records=records) as (auth, server):
        for _ in range(3):
            await ask(auth)
            await auth.clock.advance(1)
        for _ in range(2):
            await outbox_of(auth).flush()
            await auth.clock.advance(LEASE_S + 1)
        assert (server.usage["ai_requests"], server.asked("/increment")) == (3, 9)
        server.user(token(), "ann", **{**BOTH, "ai_requests": 1})
        await auth.clock.advance(300)
        assert (await ask(auth)).error is None


async def test_more_than_a_process_remembers_is_told_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_plugins.auth.zion.due.MOST", 2)
    async with zion() as (auth, server):
        for _ in range(5):
            await ask(auth)
        for _ in range(3):
            await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 5


async def test_a_refused_request_is_no_usage_and_whose_it_was_is_known() -> None:
    server = ZionServer()
    server.user(token(), "ann", **{**BOTH, "ai_requests": 0})
    async with zion(server) as (auth, _):
        ctx = context(client=bearer())
        refused = await run(chain_of([auth.auth], FakeProvider(["x"]), Tracker()), ctx)
        assert refused.error is not None
        assert (refused.error.code, ctx[PRINCIPAL].user) == ("insufficient_quota", "ann")
        await outbox_of(auth).flush()
        assert server.asked("/increment") == 0


class NoLedger(Stage):
    """A stage that must write down each call before it is made, and cannot."""

    name = "no_ledger"
    writes = (BEFORE_CALL,)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        async def refused(attempt: Attempt) -> NoReturn:
            raise Refusal("ledger_unavailable")

        ctx[BEFORE_CALL] = refused


async def test_a_call_that_was_never_made_is_no_usage() -> None:
    async with zion() as (auth, server):
        driven = await ask(auth, behind=[(NoLedger(StageConfig()), StageConfig())])
        assert driven.ctx is not None
        assert [attempt.error for attempt in driven.ctx.attempts] == [NOT_CALLED]
        await outbox_of(auth).flush()
        assert server.asked("/increment") == 0


async def test_the_job_tells_what_waits() -> None:
    async with zion() as (auth, server):
        job = asyncio.create_task(outbox_of(auth).run())
        await ask(auth)
        await settle()
        await auth.clock.advance(1)
        assert server.usage["ai_requests"] == 1
        job.cancel()
        await asyncio.wait([job])


async def test_rows_that_arrive_while_others_are_written_are_written_too() -> None:
    class Slow(MemoryRecords):
        def __init__(self) -> None:
            super().__init__()
            self.may = asyncio.Event()

        async def append(self, table: str, records: Any) -> None:  # the Protocol's own
            await self.may.wait()
            await super().append(table, records)

    records = Slow()
    async with zion(records=records) as (auth, server):
        asking = [asyncio.create_task(ask(auth)) for _ in range(5)]
        await settle(50)
        records.may.set()
        await asyncio.gather(*asking)
        await outbox_of(auth).flush()
        assert server.usage["ai_requests"] == 5


async def test_the_end_of_a_gateway_tells_what_waits() -> None:
    async with zion() as (auth, server):
        await ask(auth)
    assert server.usage["ai_requests"] == 1


@asynccontextmanager
async def telling(server: ZionServer, records: MemoryRecords, clock: FakeClock) -> AsyncIterator[Known]:
    """A stage whose job was ended in the middle of its first call, which Zion has heard and not answered."""
    async with zion(server, records, clock) as (auth, _):
        job = asyncio.create_task(outbox_of(auth).run())
        await ask(auth)
        server.web.answering.clear()
        await clock.advance(1)
        job.cancel()
        await asyncio.wait([job])
        assert server.asked("/increment") == 1
        yield auth


ONCE = {"ai_input_tokens": 7, "ai_output_tokens": 5, "ai_requests": 1}


async def states(records: MemoryRecords) -> list[str]:
    return [row.fields["state"] for row in (await records.query(TABLE, tenant=None)).records]


async def test_usage_that_is_being_told_when_a_gateway_ends_is_told_to_its_end_and_once() -> None:
    server, records = ZionServer(), MemoryRecords()
    async with telling(server, records, FakeClock(NOW)):
        asyncio.get_running_loop().call_soon(server.web.answering.set)
    assert (server.usage, server.asked("/increment")) == (ONCE, 3)
    assert await states(records) == ["told"]


async def test_usage_that_is_being_told_at_a_reload_is_told_once() -> None:
    server, records, clock = ZionServer(), MemoryRecords(), FakeClock(NOW)
    async with AsyncExitStack() as old:
        await old.enter_async_context(telling(server, records, clock))
        async with zion(server, records, clock) as (new, _):
            await outbox_of(new).flush()
            assert server.asked("/increment") == 1
            server.web.answering.set()
            await old.aclose()
            await outbox_of(new).flush()
    assert (server.usage, server.asked("/increment")) == (ONCE, 3)


async def test_a_zion_that_answers_too_late_holds_up_no_end_of_a_gateway(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("sentinel_plugins.auth.zion.outbox.CLOSE_S", 0)
    server, records, before = ZionServer(), MemoryRecords(), asyncio.all_tasks()
    async with telling(server, records, FakeClock(NOW)):
        pass
    assert asyncio.all_tasks() == before
    assert "waits until the next start" in caplog.text
    assert await states(records) == ["sending"]
