"""Which target is called, which one next, and what is reported about it."""

from __future__ import annotations

import pytest

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.keys import CANDIDATES, FAILOVER, PLAN, Target
from sentinel_core.testing import Driven, FakeProvider, StageConformance, drive, run
from sentinel_plugins.routing.rests import MAX_RESTS, Rests
from sentinel_plugins.routing.stage import PROVIDER_HEADER, Routing
from tests.plugins.targets import targets

A, B, C = (Target(name, "fake") for name in "abc")
WELL = ("well",)


class TestRoutingConformance(StageConformance):
    stage = Routing


def provider_of(driven: Driven) -> str | None:
    assert driven.ctx is not None
    return driven.ctx.headers.get(PROVIDER_HEADER)


FALLS_BACK = (
    UpstreamError("upstream_unreachable"),
    UpstreamError("upstream_connection_reset"),
    UpstreamError("upstream_timeout"),
    UpstreamError("upstream_tls_error"),
    UpstreamError("upstream_invalid_response", upstream_status=200),
    UpstreamError("upstream_error", upstream_status=500),
    UpstreamError("overloaded", upstream_status=529),
    UpstreamError("circuit_open", attempted=False, retry_after_s=20.0),
    UpstreamError("upstream_auth_error", upstream_status=401),
    UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota"),
    UpstreamError("model_not_found", upstream_status=404),
    UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=2.0),
    UpstreamError("unsupported_operation", upstream_status=501),
)
STAYS = (
    UpstreamError("invalid_request", upstream_status=400),
    UpstreamError("invalid_request", "This model's maximum context length is 10 tokens.", upstream_status=400),
    UpstreamError("invalid_request", upstream_status=400, wire_code="content_filter"),
    UpstreamError("request_too_large", upstream_status=413),
    UpstreamError("upstream_error", upstream_status=409),
    UpstreamError("upstream_redirect", upstream_status=307),
)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("error", FALLS_BACK, ids=lambda error: f"{error.code}-{error.upstream_status}")
async def test_s2_33_s3_10_the_next_target_takes_over_and_that_is_reported(error: UpstreamError, stream: bool) -> None:
    first, second = FakeProvider(error), FakeProvider(WELL)
    async with targets({"a": first, "b": second}, routing={}, retry={}, breaker={}) as live:
        driven = await live.ask(stream=stream)
        assert driven.ctx is not None
        assert (driven.text, provider_of(driven)) == ("well", "b")
        assert driven.ctx[FAILOVER] == (A,)
        assert [call.target for call in (*first.calls, *second.calls)] == [A, B]


@pytest.mark.parametrize("error", STAYS, ids=lambda error: f"{error.code}-{error.upstream_status}-{error.wire_code}")
async def test_u18_what_the_caller_has_to_mend_is_not_sent_elsewhere(error: UpstreamError) -> None:
    second = FakeProvider(WELL)
    async with targets({"a": FakeProvider(error), "b": second}, routing={}, retry={}, breaker={}) as live:
        assert (await live.ask()).error is error
        assert second.calls == []


WORDS_FOR_TOO_LONG = (
    "Prompt is too long: 250000 tokens > 200000 maximum",
    "Your input exceeds the context window of this model.",
    "This model's maximum context length is 8192 tokens.",
    "This model's maximum prompt length is 131072 but the request contains 200000 tokens.",
    "The input token count (2000000) exceeds the maximum number of tokens allowed (1048576).",
    "Input tokens exceed the configured limit of 272000 tokens.",
)


@pytest.mark.parametrize("words", WORDS_FOR_TOO_LONG)
async def test_a_prompt_that_is_too_long_is_known_by_every_providers_words(words: str) -> None:
    up = {"a": FakeProvider(UpstreamError("invalid_request", words, upstream_status=400)), "b": FakeProvider(WELL)}
    async with targets(up, routing={"fallback_also_on": ["context_length"]}) as live:
        assert (await live.ask()).text == "well"


TOO_LONG = UpstreamError("invalid_request", upstream_status=400, wire_code="context_length_exceeded")
SMALL, SMALLER = Target("a", "gpt-4o"), Target("b", "gpt-4")  # 128,000 and 8,192 tokens
LARGE, UNKNOWN = Target("c", "gpt-5.6-sol"), Target("d", "nobody-knows")


async def test_a_prompt_that_was_too_long_is_not_sent_to_models_that_hold_no_more() -> None:
    up = {"a": FakeProvider(TOO_LONG), "b": FakeProvider(WELL), "c": FakeProvider(WELL)}
    async with targets(up, SMALL, SMALLER, LARGE, routing={"fallback_also_on": ["context_length"]}) as live:
        driven = await live.ask()
        assert (driven.text, provider_of(driven), up["b"].calls) == ("well", "c", [])


async def test_a_prompt_that_no_larger_model_is_left_for_is_refused_in_the_providers_words() -> None:
    up = {"a": FakeProvider(TOO_LONG), "b": FakeProvider(WELL)}
    async with targets(up, SMALL, SMALLER, routing={"fallback_also_on": ["context_length"]}, retry={}) as live:
        assert (await live.ask()).error is TOO_LONG
        assert up["b"].calls == []


async def test_a_model_whose_size_nobody_knows_is_worth_a_try() -> None:
    up = {"a": FakeProvider(TOO_LONG), "d": FakeProvider(TOO_LONG), "b": FakeProvider(WELL)}
    async with targets(up, UNKNOWN, SMALL, SMALLER, routing={"fallback_also_on": ["context_length"]}) as live:
        assert (await live.ask()).error is TOO_LONG
        assert [len(provider.calls) for provider in up.values()] == [1, 1, 0]


async def test_overload_needs_no_configuration_and_asks_models_of_any_size() -> None:
    up = {"a": FakeProvider(UpstreamError("overloaded", upstream_status=529)), "b": FakeProvider(WELL)}
    async with targets(up, Target("a", LARGE.model), SMALLER, routing={}) as live:
        assert (await live.ask()).text == "well"


@pytest.mark.parametrize(("cause", "error"), [("context_length", STAYS[1]), ("content_policy", STAYS[2])])
async def test_refused_prompts_fall_back_where_that_is_configured(cause: str, error: UpstreamError) -> None:
    up = {"a": FakeProvider(error), "b": FakeProvider(WELL)}
    async with targets(up, routing={"fallback_also_on": [cause]}) as live:
        assert (await live.ask()).text == "well"


async def test_without_a_failure_nothing_is_reported() -> None:
    async with targets({"a": FakeProvider(WELL), "b": FakeProvider()}, routing={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (provider_of(driven), driven.ctx[FAILOVER], driven.ctx[PLAN]) == ("a", (), (A, B))


async def test_at_most_three_calls_of_one_request_fallbacks_included() -> None:
    providers = {name: FakeProvider(UpstreamError("upstream_error", upstream_status=500)) for name in "abcde"}
    async with targets(providers, routing={}, retry={}, breaker={}) as live:
        error = (await live.ask()).error
        assert [len(provider.calls) for provider in providers.values()] == [1, 1, 1, 0, 0]
        assert isinstance(error, UpstreamError)
        assert (error.code, error.should_retry) == ("upstream_error", False)


async def test_open_circuits_are_passed_over_and_are_no_attempts() -> None:
    refused = UpstreamError("upstream_auth_error", upstream_status=401)
    providers = {name: FakeProvider(refused) for name in "abcd"} | {"e": FakeProvider(WELL)}
    async with targets(providers, routing={}, breaker={}) as live:
        await live.ask()  # opens the first three circuits
        driven = await live.ask()
        assert driven.ctx is not None
        assert (driven.text, len(driven.ctx.attempts), len(driven.ctx[FAILOVER])) == ("well", 2, 4)


async def test_s0_38_503_with_the_shortest_wait_where_every_circuit_is_open() -> None:
    providers = {name: FakeProvider(UpstreamError("upstream_auth_error", upstream_status=401)) for name in "ab"}
    async with targets(providers, routing={}, breaker={}) as live:
        await live.ask()
        await live.clock.advance(15.0)
        driven = await live.ask()
        assert isinstance(driven.error, UpstreamError)
        assert (driven.error.code, driven.error.status, driven.error.retry_after_s) == ("circuit_open", 503, 45.0)
        assert driven.ctx is not None
        assert driven.ctx.attempts == []


async def test_the_error_of_a_call_that_was_made_says_more_than_an_open_circuit() -> None:
    up = {"a": FakeProvider(UpstreamError("upstream_timeout")), "b": FakeProvider(FALLS_BACK[7])}
    async with targets(up, routing={}) as live:
        error = (await live.ask()).error
        assert isinstance(error, UpstreamError)
        assert error.code == "upstream_timeout"


async def test_u06_no_other_target_is_called_past_the_deadline() -> None:
    second = FakeProvider(WELL)
    async with targets({"a": FakeProvider(UpstreamError("upstream_timeout")), "b": second}, routing={}) as live:
        assert isinstance((await live.ask(deadline_s=0.0)).error, UpstreamError)
        assert second.calls == []


WAITS = (FALLS_BACK[11], UpstreamError("overloaded", upstream_status=503, retry_after_s=2.0))


@pytest.mark.parametrize("error", WAITS, ids=lambda error: error.code)
async def test_u16_u17_a_target_that_named_a_wait_is_left_alone_by_later_requests(error: UpstreamError) -> None:
    first, second = FakeProvider(error, WELL), FakeProvider(WELL)
    async with targets({"a": first, "b": second}, routing={}, breaker={}) as live:
        assert [provider_of(await live.ask()) for _ in range(5)] == ["b"] * 5
        assert len(first.calls) == 1
        await live.clock.advance(2.0)
        assert provider_of(await live.ask()) == "a"


async def test_the_wait_of_an_open_circuit_is_the_breakers_to_keep() -> None:
    first = FakeProvider(FALLS_BACK[7], WELL)
    async with targets({"a": first, "b": FakeProvider(WELL)}, routing={}) as live:
        assert [provider_of(await live.ask()) for _ in range(2)] == ["b", "a"]


async def test_u16_no_wait_is_invented() -> None:
    first = FakeProvider(UpstreamError("rate_limit_exceeded", upstream_status=429), WELL)
    async with targets({"a": first, "b": FakeProvider(WELL)}, routing={}) as live:
        assert [provider_of(await live.ask()) for _ in range(2)] == ["b", "a"]


def test_where_every_target_rests_the_first_to_wake_is_asked() -> None:
    rests = Rests()
    rests.rest(A, 30.0, now=0.0)
    rests.rest(B, 99_999.0, now=0.0)
    assert rests.awake((A, B), now=1.0) == (A,)
    assert rests.awake((A, B, C), now=1.0) == (C,)
    assert rests.awake((B,), now=120.0) == (B,)
    assert rests.awake((), now=1.0) == ()


async def test_a_model_that_nobody_serves_is_refused_as_without_routing() -> None:
    async with targets({"a": FakeProvider()}, routing={}) as live:
        ctx = live.context()
        ctx[CANDIDATES] = ()
        driven = await run(live.chain, ctx)
        assert isinstance(driven.error, Refusal)
        assert driven.error.code == "model_not_found"


async def test_only_candidates_are_called() -> None:
    second = FakeProvider(WELL)
    async with targets({"a": FakeProvider(FALLS_BACK[0]), "b": second}, routing={}, retry={"max_attempts": 1}) as live:
        ctx = live.context()
        ctx[CANDIDATES] = (A,)  # as authentication narrows them
        assert isinstance((await run(live.chain, ctx)).error, UpstreamError)
        assert second.calls == []


async def test_it_needs_no_other_stage() -> None:
    assert (await drive(Routing, reply=["well"])).text == "well"


async def test_retry_states_how_many_calls_a_request_may_make() -> None:
    providers = {name: FakeProvider(UpstreamError("upstream_error", upstream_status=500)) for name in "abcde"}
    async with targets(providers, routing={}, retry={"max_attempts": 4}) as live:
        await live.ask()
        assert [len(provider.calls) for provider in providers.values()] == [1, 1, 1, 1, 0]


def test_made_up_models_do_not_fill_the_memory() -> None:
    rests = Rests()
    for number in range(2 * MAX_RESTS):
        rests.rest(Target("a", f"model-{number}"), 60.0, now=0.0)
    rests.rest(A, 60.0, now=0.0)
    assert rests.awake((Target("a", "model-0"), A), now=1.0) == (Target("a", "model-0"),)
    assert len(rests) == MAX_RESTS


async def test_a_target_without_the_operation_is_passed_over_and_has_not_failed() -> None:
    lacking = FakeProvider()
    lacking.operations = frozenset({"embedding"})  # type: ignore[misc]  # of this one object
    async with targets({"a": lacking, "b": FakeProvider(WELL)}, routing={}, retry={}, breaker={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (driven.text, driven.ctx[FAILOVER]) == ("well", ())
    async with targets({"a": lacking}, routing={}, retry={}, breaker={}) as live:
        error = (await live.ask()).error
        assert isinstance(error, Refusal)
        assert error.code == "unsupported_operation"


REFUSES = Refusal("unsupported_parameter", param="seed")


async def test_a_fallback_that_refuses_a_parameter_is_passed_over() -> None:
    down = FakeProvider(UpstreamError("upstream_error", upstream_status=500))
    refuses, well = FakeProvider(REFUSES), FakeProvider(WELL)
    async with targets({"a": down, "b": refuses, "c": well}, routing={}, retry={}, breaker={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (driven.text, provider_of(driven), driven.ctx[FAILOVER]) == ("well", "c", (A,))
        assert len(refuses.calls) == 1
    async with targets({"a": down, "b": refuses}, routing={}, retry={}, breaker={}) as live:
        error = (await live.ask()).error
        assert isinstance(error, UpstreamError)
        assert error.code == "upstream_error"


async def test_what_the_first_target_refuses_is_the_callers_to_mend() -> None:
    """Nobody asked for the difference that `on_unsupported = "refuse"` is to spare them from another target."""
    second = FakeProvider(WELL)
    async with targets({"a": FakeProvider(REFUSES), "b": second}, routing={}, retry={}, breaker={}) as live:
        assert ((await live.ask()).error, second.calls) == (REFUSES, [])


async def test_any_other_refusal_ends_the_plan() -> None:
    refusal = Refusal("ledger_unavailable")
    down = FakeProvider(UpstreamError("upstream_error", upstream_status=500))
    third = FakeProvider(WELL)
    async with targets({"a": down, "b": FakeProvider(refusal), "c": third}, routing={}, retry={}) as live:
        assert ((await live.ask()).error, third.calls) == (refusal, [])
