"""What a request may use: at most what is reserved with `upper_bound`, and the largest that would pass does."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Context
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue, TomlValue
from sentinel_core.keys import CANDIDATES, PRINCIPAL, Target
from sentinel_core.limits import Limits
from sentinel_core.messages import Request
from sentinel_core.model_facts import ModelFacts, PriceTier
from sentinel_core.prices import Prices
from sentinel_core.testing import FakeProvider, completion, context, run
from sentinel_core.tokens import RoughTokens, Tokens
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.estimate import Asked, Estimate, Estimator
from sentinel_plugins.tokens.counter import TiktokenCounter
from tests.plugins.rate_limit.scene import DAY, FACTS, caller, code, scene

Reserve = Literal["estimate", "upper_bound"]
COUNTERS: tuple[Tokens, ...] = (RoughTokens(), TiktokenCounter())


def estimator(rows: Sequence[ModelFacts], tokens: Tokens = COUNTERS[0], **config: TomlValue) -> Estimator:
    prices = Prices(FileCatalogue(DAY, rows), {"fake": FakeProvider})
    return Estimator(RateLimitConfig(**config), prices, tokens)


def asked(of: Estimator, ctx: Context, rows: Sequence[ModelFacts], *, tokens: bool = True, money: bool = True) -> Asked:
    ctx[CANDIDATES] = tuple([Target("fake", row.id) for row in rows])
    return asyncio.run(of.of(ctx, tokens=tokens, money=money))


# -- the largest request ---------------------------------------------------------------------------------------------

dollars = st.sampled_from([0.0, 0.1, 1 / 3, 1.0, 2.5, 6.25, 20.0])
sizes = st.none() | st.integers(1, 5_000)
tiers = st.builds(
    PriceTier, above_tokens=st.integers(1, 400), input_usd=dollars, output_usd=dollars, cached_input_usd=dollars
)
models = st.builds(
    ModelFacts,
    id=st.uuids().map(str),
    provider=st.just("fake"),
    max_output_tokens=sizes,
    input_usd=dollars,
    output_usd=dollars,
    cache_write_usd=st.none() | dollars,
    cache_write_1h_usd=st.none() | dollars,
    reasoning_usd=st.none() | dollars,
    tiers=st.lists(tiers, max_size=1).map(tuple),
    service_factors=st.just({"flex": 0.5, "priority": 2.0}),
)
questions = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(1, 5),
        "max_tokens": st.integers(1, 100_000),
        "max_completion_tokens": st.integers(1, 100_000),
        "service_tier": st.sampled_from(["flex", "priority", "auto"]),
    },
)


@given(
    st.lists(models, min_size=1, max_size=3, unique_by=lambda row: row.id), questions, st.integers(0, 200),
    st.sampled_from(["estimate", "upper_bound"]), st.sampled_from(COUNTERS), st.integers(0, 10_000_000),
    st.integers(0, 50_000),
)  # fmt: skip
def test_c_27_the_largest_request_that_would_pass_does_and_one_token_more_does_not(
    rows: list[ModelFacts], body: JsonObject, words: int, reserve: Reserve, counter: Tokens, money: int, tokens: int
) -> None:
    of = estimator(rows, counter, reserve=reserve)

    def fits(estimate: Estimate) -> bool:
        return estimate.nanousd <= money and estimate.tokens <= tokens

    def passes(cap: int) -> bool:
        caps = dict.fromkeys([name for name in body if name.startswith("max_")] or ["max_tokens"], cap)
        return fits(asked(of, context("word " * words, **{**body, **caps}), rows).estimate())

    largest = asked(of, context("word " * words, **body), rows).largest(fits)
    if largest is None:
        assert passes(100_000_000)
    else:
        assert not largest or passes(largest)
        assert not passes(largest + 1)


async def test_c_27_the_largest_request_has_room_in_every_budget_and_window() -> None:
    """Whichever of them refuses."""
    for bound in (Limits(daily_usd=0.0005, tokens_per_minute=10_000), Limits(daily_usd=1.0, tokens_per_minute=50)):
        async with scene({"max_requests": "unlimited"}, completion("ok")) as s:
            who = caller(of_key=msgspec.structs.replace(bound, total_usd=0.0004))
            refused = (await s.ask(who, max_tokens=100)).error
            assert refused is not None
            assert refused.details is not None
            largest = refused.details["largest_request"]["max_output_tokens"]
            assert code(await s.ask(who, max_tokens=largest + 1)) is not None
            assert code(await s.ask(who, max_tokens=largest)) is None


async def test_c_27_where_only_time_is_missing_any_answer_would_pass() -> None:
    async with scene({"max_requests": "unlimited"}, completion("ok")) as s:
        who = caller(of_key=Limits(tokens_per_minute=200))
        async with s.exchange(s.ctx(who, max_tokens=100)):
            refused = (await s.ask(who, max_tokens=100)).error
        assert refused is not None
        assert refused.details is not None
        assert refused.details["largest_request"] == {"max_output_tokens": None}, "the model writes 100 at most"


# -- the upper bound -------------------------------------------------------------------------------------------------

KEPT = {"previous_response_id": "resp_1", "input": "go on", "max_output_tokens": 16}
KNOWN = msgspec.structs.replace(FACTS, id="known", context_window=200_000)
UNKNOWN = msgspec.structs.replace(FACTS, id="unknown")
FREE = ModelFacts(id="free", provider="fake", input_usd=0.0, output_usd=0.0)
UNPRICED = ModelFacts(id="unpriced", provider="fake")


def response(**body: JsonValue) -> Context:
    return Context(Request(OPENAI_RESPONSES, body, "response"), id="test")


def bounded(
    *rows: ModelFacts, tokens: bool = True, money: bool = True, **body: JsonValue
) -> tuple[Estimate, list[str]]:
    """What is reserved for a request of that body, and the models that are left for it."""
    ctx = response(**(body or KEPT))
    found = asked(estimator(rows, reserve="upper_bound"), ctx, rows, tokens=tokens, money=money)
    return found.estimate(), [target.model for target in ctx[CANDIDATES]]


def test_p3_what_a_provider_keeps_reserves_the_models_context_window() -> None:
    assert bounded(KNOWN) == (Estimate(200_016, 200_000 * 1_000 + 16 * 10_000), ["known"])


def test_p3_a_target_whose_window_nobody_knows_is_not_called_for_it() -> None:
    assert bounded(UNKNOWN, KNOWN)[1] == ["known"]
    assert bounded(UNKNOWN, KNOWN, input="Hello")[1] == ["unknown", "known"]
    for tokens, money in ((True, False), (False, True)):
        with pytest.raises(Refusal) as refused:
            bounded(UNKNOWN, tokens=tokens, money=money)
        assert (refused.value.code, refused.value.param) == ("unsupported_parameter", "previous_response_id")
        assert "context window" in refused.value.message


def test_p3_a_model_that_nobody_serves_has_no_window() -> None:
    with pytest.raises(Refusal, match="unsupported_parameter"):
        asyncio.run(estimator((), reserve="upper_bound").of(response(**KEPT), tokens=True, money=True))


def test_what_costs_nothing_needs_no_window_where_only_money_is_limited() -> None:
    for row in (FREE, UNPRICED):
        estimate, left = bounded(row, tokens=False)
        assert (estimate.nanousd, left) == (0, [row.id])
        with pytest.raises(Refusal, match="unsupported_parameter"):
            bounded(row)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (Limits(tokens_per_minute=1_000_000), "unsupported_parameter"),
        (Limits(daily_usd=1_000.0), "unsupported_parameter"),
        (Limits(requests_per_minute=5), None),
    ],
)
async def test_p3_what_is_not_limited_needs_no_bound(limits: Limits, expected: str | None) -> None:
    async with scene({"reserve": "upper_bound"}, completion("ok")) as s:
        ctx = response(**KEPT, messages=[{"content": "what the scene's guard reads"}])
        ctx[PRINCIPAL], ctx[CANDIDATES] = caller(of_key=limits), (Target("fake", "fake"),)
        assert code(await run(s.chain, ctx)) == expected
        assert len(s.provider.calls) == (expected is None)


def test_an_estimate_counts_what_is_in_the_request_alone() -> None:
    ctx = response(**KEPT)
    assert asked(estimator([UNKNOWN]), ctx, [UNKNOWN]).estimate().tokens < 100


def test_p3_an_image_reserves_the_most_that_each_target_may_count_for_it() -> None:
    mini = msgspec.structs.replace(KNOWN, id="mini", image_tokens=48_169)
    large = msgspec.structs.replace(KNOWN, id="large", image_tokens=1_445)
    shown = [{"role": "user", "content": [{"type": "input_image", "image_url": "https://x.example/a.png"}]}]
    one, _ = bounded(large, input=shown)
    both, _ = bounded(large, mini, input=shown)
    assert both.tokens - one.tokens == 48_169 - 1_445
    assert both.nanousd > 48_169 * 1_000
