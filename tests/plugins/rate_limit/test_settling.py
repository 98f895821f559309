"""Every ending is settled, once, and the ledger says what the upstream's own meter says (replays 2 and 4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NoReturn

import msgspec
import pytest

from sentinel_core.chain import Delivery
from sentinel_core.costs import COSTS, AttemptCost, Provisional, so_far
from sentinel_core.errors import UpstreamError
from sentinel_core.events import UsageReport
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.limits import NANO, Limits
from sentinel_core.state import Admission, Budget, Claim, Lease, Settlement, state_key
from sentinel_core.testing import HANG, FakeProvider, completion, run
from sentinel_core.testing.fake_provider import Script
from sentinel_core.testing.harness import Driven
from sentinel_core.usage import Usage
from sentinel_plugins.rate_limit.reservation import RESERVATION
from sentinel_plugins.tokens.counter import TiktokenCounter
from tests.plugins.rate_limit.scene import Scene, caller, code, scene

LIMITS = Limits(total_usd=1.0, max_concurrency=3, tokens_per_day=100_000)
WHO = caller(of_key=LIMITS)
WORDS = ["one ", "two ", "three ", "four "]
TEXT = "".join(WORDS)
IN, OUT = 1_000, 10_000  # nano-dollars a token


class Meter:
    """What the upstream would bill: the tokens of the prompt, and of what it has sent."""

    def __init__(self, prompt: int, completion: int) -> None:
        self.usage = Usage(prompt, completion, prompt + completion)
        self.nanousd = prompt * IN + completion * OUT


async def metered(said: str) -> Meter:
    async with scene() as s:
        request = s.ctx(prompt="Hello").request
    count = TiktokenCounter()
    return Meter((await count.prompt(request, "fake")).tokens, (await count.text(said, "fake")).tokens)


async def spent(s: Scene) -> int:
    """What the store has committed to the key's budget, by asking for nothing."""
    ctx = s.ctx(WHO)
    bounds = s.stage._subjects.of(ctx)
    (row,) = bounds.budgets
    claim = Budget(row.key, row.limit, 0, "total", 1.0)
    admission = await s.state.admit(_id("look"), (claim,))
    await s.state.settle(_id("look"), Settlement())
    return row.limit - admission.claims[0].remaining


async def held(s: Scene) -> int:
    """How many places of the key are taken."""
    (place,) = s.stage._subjects.of(s.ctx(WHO)).leases
    admission = await s.state.admit(_id("place"), (Lease(place.key, 10**6, 1.0),))
    await s.state.settle(_id("place"), Settlement())
    return 10**6 - admission.claims[0].remaining - 1


def _id(name: str) -> str:
    return state_key("acme", name)


def usage_of(meter: Meter) -> JsonObject:
    usage = meter.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }


def costs(driven: Driven) -> Sequence[AttemptCost]:
    assert driven.ctx is not None
    found: tuple[AttemptCost, ...] = driven.ctx[COSTS]
    return found


async def test_replay_4_a_stream_and_an_answer_of_the_same_text_cost_the_same() -> None:
    meter = await metered(TEXT)
    report = UsageReport(usage=meter.usage)
    async with scene({}, completion(TEXT, usage=usage_of(meter)), (*WORDS, report), tokens=TiktokenCounter()) as s:
        whole, streamed = await s.ask(WHO), await s.ask(WHO, stream=True)
        assert [(row.nanousd, row.provenance) for row in (*costs(whole), *costs(streamed))] == [
            (meter.nanousd, "reported")
        ] * 2
        assert await spent(s) == 2 * meter.nanousd
        assert whole.ctx is not None
        assert float(whole.ctx.headers["x-sentinel-cost-usd"]) == meter.nanousd / NANO


@pytest.mark.parametrize("table", [{}, {"requests_per_minute": 1000}], ids=["no_limit", "requests"])
@pytest.mark.parametrize("reported", [True, False])
async def test_where_neither_tokens_nor_money_are_limited_a_stream_has_a_cost_as_an_answer_has(
    table: TomlTable, reported: bool
) -> None:
    meter = await metered(TEXT)
    report = [UsageReport(usage=meter.usage)] if reported else []
    answer = completion(TEXT, usage=usage_of(meter) if reported else None)
    async with scene(table, answer, (*WORDS, *report), tokens=TiktokenCounter()) as s:
        for stream in (False, True):
            (row,) = costs(await s.ask(stream=stream))
            assert row.nanousd == meter.nanousd


@pytest.mark.parametrize("stream", [False, True])
async def test_replay_4_usage_that_is_absent_is_counted_and_called_an_estimate(stream: bool) -> None:
    meter = await metered(TEXT)
    script = WORDS if stream else completion(TEXT, usage=None)
    async with scene({}, script, tokens=TiktokenCounter()) as s:
        (row,) = costs(await s.ask(WHO, stream=stream))
        assert (row.usage, row.provenance, row.nanousd) == (meter.usage, "estimated", meter.nanousd)
        assert await spent(s) == meter.nanousd


@pytest.mark.parametrize("stream", [False, True])
async def test_replay_4_u26_usage_that_is_zero_is_zero(stream: bool) -> None:
    none = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
    script: Script = (*WORDS, UsageReport(usage=Usage())) if stream else completion(TEXT, usage=none)
    async with scene({}, script, tokens=TiktokenCounter()) as s:
        (row,) = costs(await s.ask(WHO, stream=stream))
        assert (row.usage, row.provenance, row.nanousd) == (Usage(), "reported", 0)
        assert await spent(s) == 0


@pytest.mark.parametrize("stream", [False, True])
async def test_u26_beside_a_prompt_alone_the_answer_is_counted_and_all_is_called_an_estimate(stream: bool) -> None:
    meter = await metered(TEXT)
    alone = {"prompt_tokens": 7}
    script: Script = (*WORDS, UsageReport(usage=Provisional(7, 0, 7))) if stream else completion(TEXT, usage=alone)
    async with scene({}, script, tokens=TiktokenCounter()) as s:
        driven = await s.ask(WHO, stream=stream)
        (row,) = costs(driven)
        said = meter.usage.completion_tokens
        assert (row.usage, row.provenance) == (Usage(7, said, 7 + said), "estimated")
        assert await spent(s) == row.nanousd == 7 * 1_000 + said * 10_000
        assert driven.outcome is not None
        assert driven.outcome.usage is None, "nobody has reported what the answer used"


async def test_replay_4_a_stream_that_is_left_halfway_costs_what_was_produced() -> None:
    meter = await metered("one two ")
    async with scene({}, WORDS, tokens=TiktokenCounter()) as s:
        ctx = s.ctx(WHO, stream=True)
        exchange = s.exchange(ctx)
        async with exchange as reply:
            assert isinstance(reply, Delivery)
            taken = 0
            async for _ in reply:
                taken += 1
                if taken == 3:  # the opening, and two words
                    break
        await s.tracker.drained()
        (row,) = ctx[COSTS]
        assert (row.usage, row.provenance, row.nanousd) == (meter.usage, "partial", meter.nanousd)
        assert (await spent(s), await held(s)) == (meter.nanousd, 0)


async def test_replay_4_a_stream_that_breaks_costs_what_came_and_a_count_that_came_early_is_not_the_end() -> None:
    meter = await metered("one two ")
    early = UsageReport(usage=Usage(meter.usage.prompt_tokens, 1, meter.usage.prompt_tokens + 1))
    broken = UpstreamError("upstream_stream_interrupted")
    async with scene({}, (early, "one ", "two ", broken), tokens=TiktokenCounter()) as s:
        driven = await s.ask(WHO, stream=True)
        assert code(driven) == "upstream_stream_interrupted"
        (row,) = costs(driven)
        assert (row.usage, row.provenance) == (meter.usage, "partial")
        assert await spent(s) == meter.nanousd


async def test_replay_4_zeros_that_came_early_say_nothing_of_the_prompt() -> None:
    """Some servers write counts of nothing into every chunk until the last one."""
    meter = await metered("one two ")
    broken = UpstreamError("upstream_stream_interrupted")
    async with scene({}, (UsageReport(usage=Usage()), "one ", "two ", broken), tokens=TiktokenCounter()) as s:
        (row,) = costs(await s.ask(WHO, stream=True))
        assert (row.usage, row.provenance) == (meter.usage, "partial")
        assert await spent(s) == meter.nanousd


@pytest.mark.parametrize(
    ("error", "provenance", "charged"),
    [
        ("upstream_error", "reported", False),
        ("upstream_unreachable", "reported", False),
        ("overloaded", "reported", False),
        ("upstream_timeout", "unknown", True),
        ("upstream_connection_reset", "unknown", True),
    ],
)
async def test_a_call_that_was_refused_costs_nothing_and_one_that_was_lost_perhaps_its_prompt(
    error: str, provenance: str, charged: bool
) -> None:
    meter = await metered("")
    async with scene({}, UpstreamError(error), tokens=TiktokenCounter()) as s:
        (row,) = costs(await s.ask(WHO))
        assert row.provenance == provenance
        assert row.nanousd == (meter.nanousd if charged else 0)
        assert (await spent(s), await held(s)) == (row.nanousd, 0)


async def test_who_only_has_tokens_counted_is_not_charged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeProvider, "operations", frozenset({"chat", "count_tokens"}))
    async with scene({}, completion(TEXT, usage=None), tokens=TiktokenCounter()) as s:
        ctx = s.ctx(WHO)
        ctx.request = msgspec.structs.replace(ctx.request, operation="count_tokens")
        async with s.exchange(ctx):
            pass
        assert [(row.usage, row.nanousd) for row in ctx[COSTS]] == [(Usage(), 0)]
        assert await spent(s) == 0


async def test_what_a_stream_costs_is_known_when_its_usage_passes() -> None:
    meter = await metered(TEXT)
    async with scene({}, (*WORDS, UsageReport(usage=meter.usage))) as s:
        ctx = s.ctx(WHO, stream=True)
        async with s.exchange(ctx) as reply:
            assert isinstance(reply, Delivery)
            found = [so_far(ctx, event.usage) async for event in reply if isinstance(event, UsageReport)]
        assert found == [meter.nanousd]
        assert so_far(ctx, Provisional(7, 0, 7)) is None


# -- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("turns", range(40))
@pytest.mark.parametrize("stream", [False, True])
async def test_replay_2_a_cancellation_at_any_await_point_leaks_nothing(turns: int, stream: bool) -> None:
    limits = Limits(max_concurrency=1, total_usd=1.0)
    who = caller(of_key=limits)
    async with scene({}, ("a", "b", "c", "d")) as s:
        task = asyncio.create_task(s.ask(who, stream=stream))
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        await s.tracker.drained()
        assert s.provider.opened == s.provider.closed
        assert code(await s.ask(who)) is None, "the one place is free again"


async def test_replay_2_after_a_timeout_and_a_broken_stream_the_next_request_is_served() -> None:
    who = caller(of_key=Limits(max_concurrency=1))
    broken = UpstreamError("upstream_stream_interrupted")
    async with scene({}, UpstreamError("upstream_timeout"), ("a", broken), completion("ok")) as s:
        assert code(await s.ask(who)) == "upstream_timeout"
        assert code(await s.ask(who, stream=True)) == "upstream_stream_interrupted"
        assert code(await s.ask(who)) is None


async def test_a_request_that_dies_with_its_process_frees_its_place_after_the_lease() -> None:
    who = caller(of_key=Limits(max_concurrency=1))
    async with scene({"lease_ttl_s": 30}, HANG, completion("ok")) as s:
        ctx = s.ctx(who)
        await s.stage.on_request(ctx)  # and nobody ever finishes it
        assert RESERVATION in ctx
        assert code(await s.ask(who)) == "concurrency_limit_exceeded"
        s.provider.script(completion("ok"))
        await s.clock.advance(30)
        assert code(await s.ask(who)) is None


async def test_p3_no_lease_is_over_before_its_request_may_be() -> None:
    who = caller(of_key=Limits(max_concurrency=1))
    async with scene({"lease_ttl_s": 30}) as s:
        ctx = s.ctx(who)
        ctx.deadline = s.clock.monotonic() + 500
        await s.stage.on_request(ctx)
        await s.clock.advance(500)
        assert code(await s.ask(who)) == "concurrency_limit_exceeded"


async def test_the_reservation_is_in_the_context_before_the_step_is_sent_and_a_late_step_is_not_admitted() -> None:
    """The caller leaves while the step is on its way; the step arrives after it was settled."""
    who = caller(of_key=Limits(max_concurrency=1))
    async with scene() as s:
        arrived: list[Admission] = []
        admit, sent, go = s.state.admit, asyncio.Event(), asyncio.Event()

        async def slow(reservation: str, claims: Sequence[Claim]) -> NoReturn:
            async def later() -> None:
                await go.wait()
                arrived.append(await admit(reservation, claims))

            background.append(asyncio.create_task(later()))
            sent.set()
            await asyncio.Event().wait()
            raise AssertionError("nobody sets it")

        background: list[asyncio.Task[None]] = []
        s.state.admit = slow  # type: ignore[method-assign]  # a step whose answer never comes
        ctx = s.ctx(who)
        task = asyncio.create_task(run(s.chain, ctx))
        await sent.wait()
        assert RESERVATION in ctx
        task.cancel()
        await asyncio.wait([task])
        await s.tracker.drained()
        go.set()
        await asyncio.gather(*background)
        assert [admission.admitted for admission in arrived] == [False]
        s.state.admit = admit  # type: ignore[method-assign]
        assert code(await s.ask(who)) is None
