"""What the breaker counts, what it does not, and that a probe's place is always free again."""

from __future__ import annotations

import asyncio
from collections import Counter
from itertools import product

import pytest

from sentinel_core.chain import Delivery, Exchange
from sentinel_core.errors import UpstreamError
from sentinel_core.keys import Target
from sentinel_core.testing import HANG, FakeClock, FakeProvider, StageConformance, fake_services, run, settle
from sentinel_core.testing.fake_provider import Script
from sentinel_core.testing.harness import opened
from sentinel_plugins.breaker.circuit import Circuit, Permit, Result
from sentinel_plugins.breaker.circuits import MAX_CIRCUITS, Circuits
from sentinel_plugins.breaker.config import BreakerConfig
from sentinel_plugins.breaker.stage import Breaker
from tests.plugins.targets import Targets, targets

BROKEN = UpstreamError("upstream_error", upstream_status=500)
NEUTRAL = (
    UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=2.0),
    UpstreamError("invalid_request", upstream_status=400),
    UpstreamError("model_not_found", upstream_status=404),
    UpstreamError("request_too_large", upstream_status=413),
    UpstreamError("upstream_error", upstream_status=409),
    UpstreamError("overloaded", attempted=False),
    UpstreamError("upstream_invalid_response", wire_code="invalid_tool_arguments", should_retry=False),
)


class TestBreakerConformance(StageConformance):
    stage = Breaker


def code(error: Exception | None) -> str | None:
    return error.code if isinstance(error, UpstreamError) else None


async def opened_by_failures(up: FakeProvider, live: Targets) -> None:
    up.script(BROKEN)
    for _ in range(3):
        assert code((await live.ask()).error) == "upstream_error"


async def test_u17_an_open_circuit_answers_itself_with_the_wait_that_is_left() -> None:
    up = FakeProvider(BROKEN)
    async with targets({"a": up}, breaker={}) as live:
        await opened_by_failures(up, live)
        await live.clock.advance(10.0)
        error = (await live.ask()).error
        assert isinstance(error, UpstreamError)
        assert (error.code, error.status, error.attempted, error.retry_after_s) == ("circuit_open", 503, False, 20.0)
        assert len(up.calls) == 3


async def test_it_recovers_by_one_probe() -> None:
    up = FakeProvider(BROKEN)
    async with targets({"a": up}, breaker={}) as live:
        await opened_by_failures(up, live)
        await live.clock.advance(30.0)
        up.script(("well",))
        assert (await live.ask()).text == "well"
        assert [(await live.ask()).text for _ in range(5)] == ["well"] * 5


@pytest.mark.parametrize("error", NEUTRAL, ids=lambda error: f"{error.code}-{error.upstream_status}")
async def test_u16_u18_what_is_not_the_targets_fault_never_opens_it(error: UpstreamError) -> None:
    up = FakeProvider(error)
    async with targets({"a": up}, breaker={}) as live:
        assert {code((await live.ask()).error) for _ in range(100)} == {error.code}
        assert len(up.calls) == 100


async def test_replay_14_a_hundred_timeouts_that_callers_chose_open_nothing() -> None:
    up = FakeProvider(UpstreamError("upstream_timeout"))
    async with targets({"a": up}, breaker={}) as live:
        for _ in range(100):
            assert code((await live.ask(deadline_s=0.001)).error) == "upstream_timeout"
        up.script(("well",))
        assert (await live.ask()).text == "well"


async def test_a_timeout_of_our_own_counts() -> None:
    up = FakeProvider(UpstreamError("upstream_timeout"))
    async with targets({"a": up}, breaker={}) as live:
        for _ in range(3):
            await live.ask(deadline_s=60.0)
        assert code((await live.ask(deadline_s=60.0)).error) == "circuit_open"


async def test_u16_u18_nor_does_it_behind_the_first_content_of_a_stream() -> None:
    for error in NEUTRAL:
        up = FakeProvider(("a", error))
        async with targets({"a": up}, breaker={}) as live:
            assert {code((await live.ask(stream=True)).error) for _ in range(10)} == {error.code}
            assert len(up.calls) == 10


quarantining = pytest.mark.parametrize(
    "error",
    [
        UpstreamError("upstream_auth_error", upstream_status=401),
        UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota"),
    ],
    ids=["u19", "u20"],
)


@quarantining
async def test_u19_u20_refused_credentials_and_used_up_quotas_quarantine_it_at_once(error: UpstreamError) -> None:
    up = FakeProvider(error)
    async with targets({"a": up}, breaker={}) as live:
        assert code((await live.ask()).error) == error.code
        refused = (await live.ask()).error
        assert isinstance(refused, UpstreamError)
        assert (refused.code, refused.retry_after_s) == ("circuit_open", 60.0)


@quarantining
async def test_u19_u20_so_do_those_that_a_stream_ends_in(error: UpstreamError) -> None:
    up = FakeProvider(("a", error))
    async with targets({"a": up}, breaker={}) as live:
        assert (await live.ask(stream=True)).text == "a"
        refused = (await live.ask(stream=True)).error
        assert isinstance(refused, UpstreamError)
        assert (refused.code, refused.retry_after_s) == ("circuit_open", 60.0)


async def test_u09_a_stream_that_breaks_counts_as_a_failure() -> None:
    up = FakeProvider(("a", UpstreamError("upstream_stream_interrupted")))
    async with targets({"a": up}, breaker={}) as live:
        for _ in range(3):
            assert code((await live.ask(stream=True)).error) == "upstream_stream_interrupted"
        assert code((await live.ask(stream=True)).error) == "circuit_open"


async def test_a_stream_that_was_read_to_its_end_counts_as_a_success() -> None:
    up = FakeProvider(BROKEN, BROKEN, ("a", "b"), BROKEN, BROKEN, ("c",))
    async with targets({"a": up}, breaker={}) as live:
        driven = [await live.ask(stream=True) for _ in range(6)]
        assert [item.text for item in driven] == ["", "", "ab", "", "", "c"]


async def test_c01_c02_callers_who_leave_say_nothing_about_the_target() -> None:
    up = FakeProvider(("a", HANG))
    async with targets({"a": up}, breaker={}) as live:
        for _ in range(20):
            async with Exchange(live.chain, live.context(stream=True)) as reply:
                assert isinstance(reply, Delivery)
                await anext(reply)
        up.script(HANG)
        for _ in range(20):
            await cancelled(live)
        up.script(("well",))
        assert (await live.ask()).text == "well"


async def cancelled(live: Targets) -> None:
    """One caller who leaves while the target is silent."""
    task = asyncio.create_task(run(live.chain, live.context()))
    await settle()
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.parametrize("ending", ["completed", "broken", "left", "refused_429", "cancelled", "fault"])
async def test_p2_every_ending_of_a_probe_frees_its_place(ending: str) -> None:
    up = FakeProvider(BROKEN)
    async with targets({"a": up}, breaker={}) as live:
        await opened_by_failures(up, live)
        await live.clock.advance(30.0)
        if ending == "completed":
            up.script(("well",))
            await live.ask(stream=True)
        elif ending == "broken":
            up.script(("a", UpstreamError("upstream_stream_interrupted")))
            await live.ask(stream=True)
        elif ending == "left":
            up.script(("a", HANG))
            async with Exchange(live.chain, live.context(stream=True)) as reply:
                assert isinstance(reply, Delivery)
        elif ending == "cancelled":
            up.script(HANG)
            await cancelled(live)
        else:
            up.script(NEUTRAL[0] if ending == "refused_429" else RuntimeError("a bug of the provider"))
            await live.ask()
        await live.clock.advance(60.0)
        up.script(("well",))
        assert (await live.ask()).text == "well"


async def test_p2_one_probe_at_a_time() -> None:
    up = FakeProvider(BROKEN)
    async with targets({"a": up}, breaker={}) as live:
        await opened_by_failures(up, live)
        await live.clock.advance(30.0)
        up.script(HANG)
        probe = asyncio.create_task(run(live.chain, live.context(stream=True)))
        await settle()
        calls = len(up.calls)
        assert {code((await live.ask()).error) for _ in range(10)} == {"circuit_open"}
        assert len(up.calls) == calls
        probe.cancel()
        await asyncio.wait([probe])


async def test_u17_a_stream_that_begins_ends_the_outage_for_all_and_not_only_once_it_is_over() -> None:
    up = FakeProvider(BROKEN)
    async with targets({"a": up}, breaker={}) as live:
        await opened_by_failures(up, live)
        await live.clock.advance(30.0)
        up.script(("a", HANG), ("well",))
        async with Exchange(live.chain, live.context(stream=True)) as reply:
            assert isinstance(reply, Delivery)
            assert [(await live.ask()).text for _ in range(5)] == ["well"] * 5


async def test_p2_every_call_that_was_let_through_is_settled_exactly_once(monkeypatch: pytest.MonkeyPatch) -> None:
    open_permits: Counter[Permit] = Counter()
    acquire, heard, settled = Circuit.acquire, Circuit.heard, Circuit.settle

    def acquiring(circuit: Circuit, now: float) -> Permit | float:
        permit = acquire(circuit, now)
        if isinstance(permit, Permit):
            open_permits[permit] += 1
        return permit

    def hearing(circuit: Circuit, permit: Permit) -> Permit:
        new = heard(circuit, permit)
        open_permits.subtract([permit])
        open_permits.update([new])
        return new

    def settling(circuit: Circuit, permit: Permit, result: Result, now: float) -> None:
        open_permits.subtract([permit])
        settled(circuit, permit, result, now)

    for name, method in (("acquire", acquiring), ("heard", hearing), ("settle", settling)):
        monkeypatch.setattr(Circuit, name, method)
    endings: tuple[Script, ...] = (
        ("well",),
        ("a", BROKEN),
        ("a", HANG),
        BROKEN,
        NEUTRAL[0],
        RuntimeError("a bug"),
        HANG,
    )
    for script, stream, probes in product(endings, (False, True), (False, True)):
        up = FakeProvider(BROKEN)
        async with targets({"a": up}, breaker={}) as live:
            if probes:
                await opened_by_failures(up, live)
                await live.clock.advance(30.0)
            up.script(script)
            task = asyncio.create_task(run(live.chain, live.context(stream=stream)))
            await settle(20)
            task.cancel()
            await asyncio.wait([task])
            await live.tracker.drained()
    assert +open_permits == Counter()
    assert -open_permits == Counter()


async def test_targets_have_circuits_of_their_own() -> None:
    circuits, limits = Circuits(), BreakerConfig()
    one, other = circuits.of(Target("a", "m"), limits), circuits.of(Target("a", "n"), limits)
    assert one is circuits.of(Target("a", "m"), limits)
    assert one is not other
    assert dict(circuits.states()) == {Target("a", "m"): "closed", Target("a", "n"): "closed"}


async def test_a_circuit_whose_wait_is_over_is_shown_half_open_before_anybody_calls() -> None:
    circuits, clock, limits, target = Circuits(), FakeClock(), BreakerConfig(), Target("a", "m")
    async with fake_services(clock, circuits=circuits) as services, opened(Breaker, {}, services):
        circuit = circuits.of(target, limits)
        for _ in range(limits.failure_threshold):
            permit = circuit.acquire(clock.monotonic())
            assert isinstance(permit, Permit)
            circuit.settle(permit, "failure", clock.monotonic())
        assert dict(circuits.states()) == {target: "open"}
        await clock.advance(limits.recovery_timeout_s)
        assert dict(circuits.states()) == {target: "half_open"}


def test_made_up_models_do_not_fill_the_memory() -> None:
    circuits, limits = Circuits(), BreakerConfig()
    kept = circuits.of(Target("a", "kept"), limits)
    for number in range(2 * MAX_CIRCUITS):
        circuits.of(Target("a", f"model-{number}"), limits)
        assert circuits.of(Target("a", "kept"), limits) is kept
    assert len(dict(circuits.states())) == MAX_CIRCUITS
