"""The observer: what every stage must keep, and what it notes."""

from __future__ import annotations

import pytest

from sentinel_core.attempt import NOT_CALLED, Attempt
from sentinel_core.context import Context
from sentinel_core.errors import INVALID_TOOL_ARGUMENTS, Refusal, UpstreamError
from sentinel_core.keys import FAILOVER, Target
from sentinel_core.provider import Health as Found
from sentinel_core.reroute import reroute_of
from sentinel_core.testing import StageConformance, chain_of, context, opened
from sentinel_core.testing.fake_provider import FakeProvider
from sentinel_core.testing.harness import run
from sentinel_plugins.health import Health
from sentinel_plugins.health.config import HealthConfig
from sentinel_plugins.health.observations import Observations
from sentinel_plugins.health.standing import standing
from sentinel_plugins.health.traffic import Calls

A, B = Target("a", "m"), Target("b", "m")


class TestHealth(StageConformance):
    stage = Health


async def test_it_counts_streams_and_answers_alike() -> None:
    seen = Observations()
    stage = Health(HealthConfig(), seen)
    for stream in (False, True):
        async with opened(stage) as live:
            await run(chain_of([live], FakeProvider(["Hello"])), context("hi", stream=stream))
    assert (seen.traffic.requests, seen.traffic.successes) == (2, 2)
    assert seen.traffic.active == "fake"


async def test_a_refused_request_is_neither_a_success_nor_a_failure() -> None:
    seen = Observations()
    async with opened(Health(HealthConfig(), seen)) as live:
        await run(chain_of([live], FakeProvider(Refusal("rate_limit_exceeded"))), context("hi"))
    assert (seen.traffic.requests, seen.traffic.successes, seen.traffic.failures) == (1, 0, 0)


def exchange(*rows: tuple[Target, str | None]) -> Context:
    """A context with these attempts: where to, and the error if there was one."""
    ctx = context("hi")
    for number, (target, error) in enumerate(rows, 1):
        ctx.attempts.append(Attempt(number, target, 0.0, "failed" if error else "completed", error, 1.0))
    return ctx


def test_a_failed_attempt_before_another_targets_answer_is_a_failover() -> None:
    found = reroute_of(exchange((A, "upstream_timeout"), (A, "upstream_timeout"), (B, None)))
    assert found.occurred
    assert (found.passed, found.used) == ((A,), B)


def test_a_repetition_at_the_same_target_is_none() -> None:
    assert not reroute_of(exchange((A, "upstream_timeout"), (A, None))).occurred


def test_of_two_answers_the_one_that_was_taken_counts_whichever_came_last() -> None:
    ctx = exchange((A, None), (B, None))
    assert reroute_of(ctx).used == B
    ctx.attempts[0].taken = True
    assert (reroute_of(ctx).used, reroute_of(ctx).occurred) == (A, False)


def test_a_target_whose_circuit_was_open_was_passed_over_without_an_attempt() -> None:
    ctx = exchange((B, None))
    ctx[FAILOVER] = (A,)
    assert reroute_of(ctx).passed == (A,)


def test_a_hedge_that_lost_before_its_call_was_made_did_not_fail() -> None:
    assert not reroute_of(exchange((A, None), (B, NOT_CALLED))).occurred


def test_a_call_that_was_not_made_is_none_of_its_provider() -> None:
    calls = Calls()
    for row in exchange((A, None), (A, NOT_CALLED)).attempts:
        calls.add(row)
    assert (calls.total, calls.failures, calls.rolling.success_rate_pct) == (1, 0, 100)


def test_a_request_that_nobody_answered_was_routed_nowhere() -> None:
    assert not reroute_of(exchange((A, "upstream_timeout"), (B, "upstream_timeout"))).occurred


def test_a_call_that_was_given_up_answered_nobody() -> None:
    ctx = exchange((A, "upstream_error"), (B, None))
    ctx.attempts[1].ending = "discarded"
    assert reroute_of(ctx) == ((A,), None)
    ctx.attempts[1].taken = True
    assert reroute_of(ctx).used == B, "its caller had begun to read"


@pytest.mark.parametrize(
    ("error", "rate"),
    [
        (UpstreamError("upstream_error", upstream_status=500), 0.0),
        (UpstreamError("upstream_timeout"), 0.0),
        (UpstreamError("upstream_auth_error", upstream_status=401), 0.0),
        (RuntimeError("a provider's own"), 0.0),
        (UpstreamError("rate_limit_exceeded", upstream_status=429), None),
        (UpstreamError("upstream_error", upstream_status=409), None),
        (UpstreamError("overloaded", attempted=False), None),
        (UpstreamError("upstream_invalid_response", wire_code=INVALID_TOOL_ARGUMENTS), None),
        (Refusal("rate_limit_exceeded"), None),
    ],
    ids=["500", "timeout", "key", "bug", "429", "409", "full_pool", "bad_json_of_a_model", "refusal"],
)
@pytest.mark.parametrize("script", ["call", "stream"])
async def test_a_providers_rate_counts_what_a_breaker_would(error: Exception, rate: float | None, script: str) -> None:
    seen = Observations()
    up = FakeProvider(("a", error)) if script == "stream" else FakeProvider(error)
    async with opened(Health(HealthConfig(), seen)) as live:
        await run(chain_of([live], up), context("hi", stream=script == "stream"))
    assert seen.traffic.providers["fake"].rolling.success_rate_pct == rate


def test_an_outage_lasts_until_the_provider_is_well_again() -> None:
    down = standing(None, Found("unhealthy"), set(), 1e9, 1.0)
    half = standing(down, Found("healthy"), {"half_open"}, 2e9, 2.0)
    well = standing(half, Found("healthy"), {"closed"}, 3e9, 3.0)
    assert [one.status for one in (down, half, well)] == ["unhealthy", "degraded", "healthy"]
    assert [one.down_since for one in (down, half, well)] == [1.0, 1.0, None]
