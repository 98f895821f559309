"""Money: reserved before, settled after, never more than there is (P3)."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.limits import NANO, Limits
from sentinel_core.model_facts import ModelFacts
from sentinel_core.testing import FakeClock, completion
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.state.memory import MemoryState
from tests.plugins.rate_limit.scene import FACTS, Scene, caller, code, scene

ANSWER = completion("ok", usage={"prompt_tokens": 0, "completion_tokens": 100, "total_tokens": 100})
COST = 100 * 10_000
"""Nano-dollars of that answer."""


def usd(nanousd: int) -> float:
    return nanousd / NANO


async def test_p3_1000_at_once_with_room_for_100_admit_exactly_100() -> None:
    table = {"max_requests": "unlimited", "reserve": "upper_bound"}
    facts = msgspec.structs.replace(FACTS, input_usd=0.0)
    async with scene(table, ANSWER, facts=facts) as s:
        who = caller(of_key=Limits(daily_usd=usd(100 * COST)))
        driven = await asyncio.gather(*(s.ask(who, max_tokens=100) for _ in range(1000)))
        assert sum(one.error is None for one in driven) == 100
        assert {code(one) for one in driven} == {None, "insufficient_quota"}
        assert len(s.provider.calls) == 100


async def test_replay_3_of_50_at_once_at_most_one_is_admitted_where_one_fits() -> None:
    async with scene({"max_requests": "unlimited"}, ANSWER) as s:
        who = caller(of_tenant=Limits(total_usd=usd(int(1.1 * COST) + 50_000)))
        driven = await asyncio.gather(*(s.ask(who, max_tokens=100) for _ in range(50)))
        assert sum(one.error is None for one in driven) == 1


async def test_s2_42_c_27_a_refusal_names_the_limit_what_is_left_when_it_resets_and_what_would_pass() -> None:
    async with scene({}, ANSWER) as s:
        who = caller(of_key=Limits(daily_usd=usd(3 * COST)))
        for _ in range(2):
            assert code(await s.ask(who, max_tokens=100)) is None
        refused = (await s.ask(who, max_tokens=100, n=2)).error
        assert refused is not None
        assert (refused.status, refused.code, refused.type) == (429, "insufficient_quota", "insufficient_quota")
        assert (refused.should_retry, refused.retry_after_s) == (False, None)
        details = dict(refused.details or {})
        largest = details.pop("largest_request")["max_output_tokens"]
        requested = details.pop("requested")
        assert requested > usd(2 * COST)
        assert details == {
            "subject": "key",
            "unit": "usd",
            "period": "day",
            "limit": usd(3 * COST),
            "used": usd(2 * COST),
            "remaining": usd(COST),
            "reset_at": "2026-11-27T00:00:00Z",
        }
        assert 0 < largest < 100
        assert code(await s.ask(who, max_tokens=largest + 1, n=2)) == "insufficient_quota"
        assert code(await s.ask(who, max_tokens=largest, n=2)) is None


async def test_a_refusal_says_amounts_to_the_last_digit() -> None:
    """Rounded, what is left would look like enough for what it is not enough for."""
    facts = msgspec.structs.replace(FACTS, input_usd=0.0, output_usd=1_234_567.891)
    async with scene({}, ANSWER, facts=facts) as s:
        who = caller(of_key=Limits(total_usd=123.4567))
        refused = (await s.ask(who, max_tokens=100)).error
    assert refused is not None
    said = "The total budget of this key has $123.4567 left of $123.4567; this request may cost $123.4567891."
    assert refused.message.startswith(said)


async def test_c_27_what_would_pass_is_for_one_of_several_answers() -> None:
    async with scene({}, ANSWER) as s:
        who = caller(of_key=Limits(daily_usd=usd(3 * COST)))
        refused = (await s.ask(who, max_tokens=100, n=4)).error
        assert refused is not None
        assert refused.details is not None
        largest = refused.details["largest_request"]["max_output_tokens"]
        assert f"at most {largest} tokens of each answer" in refused.message
        assert code(await s.ask(who, max_tokens=largest + 1, n=4)) == "insufficient_quota"
        assert code(await s.ask(who, max_tokens=largest, n=4)) is None


async def test_c_27_of_two_budgets_that_refuse_the_one_with_less_is_named() -> None:
    async with scene({}, ANSWER) as s:
        who = caller(of_key=Limits(daily_usd=usd(COST), monthly_usd=usd(COST // 2)))
        refused = (await s.ask(who, max_tokens=100, n=2)).error
        assert refused is not None
        assert refused.details is not None
        assert (refused.details["period"], refused.details["remaining"]) == ("month", usd(COST // 2))
        assert code(await s.ask(who, max_tokens=refused.details["largest_request"]["max_output_tokens"], n=2)) is None


async def test_a_refusal_may_have_the_status_402() -> None:
    async with scene({"quota_status": 402}) as s:
        refused = (await s.ask(caller(of_key=Limits(daily_usd=0.0)))).error
        assert refused is not None
        assert (refused.status, refused.code) == (402, "insufficient_quota")


async def test_p3_no_budget_is_unlimited_and_zero_is_none() -> None:
    async with scene({"max_requests": "unlimited"}, ANSWER) as s:
        assert [code(await s.ask(caller(tenant="a"))) for _ in range(5)] == [None] * 5
        assert code(await s.ask(caller(of_key=Limits(total_usd=0.0)))) == "insufficient_quota"


async def test_p3_a_model_whose_price_is_zero_is_never_blocked() -> None:
    free = ModelFacts(id="fake", provider="fake", input_usd=0.0, output_usd=0.0)
    async with scene({"max_requests": "unlimited"}, ANSWER, facts=free) as s:
        who = caller(of_key=Limits(total_usd=0.0))
        driven = [await s.ask(who) for _ in range(3)]
        assert [code(one) for one in driven] == [None] * 3
        ctx = driven[0].ctx
        assert ctx is not None
        assert ctx.headers["x-sentinel-cost-usd"] == "0"


async def test_an_unknown_price_is_free_of_the_budget_unless_pricing_is_required() -> None:
    nothing = ModelFacts(id="other", provider="fake")
    who = caller(of_key=Limits(total_usd=1.0))
    async with scene({"max_requests": "unlimited"}, ANSWER, facts=nothing) as s:
        driven = await s.ask(who)
        assert driven.ctx is not None
        assert driven.error is None
        assert "x-sentinel-cost-usd" not in driven.ctx.headers
    async with scene({"max_requests": "unlimited", "require_pricing": True}, ANSWER, facts=nothing) as s:
        refused = (await s.ask(who)).error
        assert refused is not None
        assert (refused.code, refused.status) == ("model_not_allowed", 403)
        assert code(await s.ask(caller(tenant="no budget"))) is None


async def test_with_required_pricing_only_targets_with_a_price_are_left() -> None:
    async with scene({"require_pricing": True}, ANSWER) as s:
        ctx = s.ctx(caller(of_key=Limits(total_usd=1.0)))
        ctx[CANDIDATES] = (Target("fake", "unpriced"), Target("fake", "fake"))
        async with s.exchange(ctx):
            pass
        assert ctx[CANDIDATES] == (Target("fake", "fake"),)
        assert [call.target.model for call in s.provider.calls] == ["fake"]


async def test_an_answer_without_a_cap_reserves_what_the_model_can_write_or_what_is_configured() -> None:
    limits = Limits(total_usd=usd(COST // 2))  # half of what the model's longest answer costs
    async with scene({}, ANSWER) as s:
        assert code(await s.ask(caller(of_key=limits))) == "insufficient_quota"
    async with scene({"max_output_tokens": 10}, ANSWER) as s:
        assert code(await s.ask(caller(of_key=limits))) is None


async def test_the_dearest_target_that_may_be_called_is_reserved_for() -> None:
    async with scene({"max_requests": "unlimited"}, ANSWER) as s:
        ctx = s.ctx(caller(of_key=Limits(total_usd=usd(COST // 2))), max_tokens=100)
        ctx[CANDIDATES] = (Target("fake", "unpriced"), Target("fake", "fake"))
        with pytest.raises(Exception, match="insufficient_quota"):
            async with s.exchange(ctx):
                pass


# -- periods ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "day", "month", "month_ends"),
    [
        ("2028-02-29T23:59:59", "2028-02-29", "2028-02", "2028-03-01T00:00:00Z"),
        ("2027-02-28T23:59:59", "2027-02-28", "2027-02", "2027-03-01T00:00:00Z"),
        ("2026-12-31T00:00:00", "2026-12-31", "2026-12", "2027-01-01T00:00:00Z"),
        ("2026-01-31T12:00:00", "2026-01-31", "2026-01", "2026-02-01T00:00:00Z"),
    ],
)
def test_d07_months_end_where_they_end(at: str, day: str, month: str, month_ends: str) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=UTC).timestamp()
    assert (span("day", now).name, span("month", now).name) == (day, month)
    assert span("month", now).reset_at == month_ends
    assert (span("total", now).name, span("total", now).begins) == ("total", None)


async def test_p3_d07_a_budget_resets_once_per_period_however_the_clock_jumps() -> None:
    limits = Limits(daily_usd=usd(COST + 50_000))
    wall = FakeClock(datetime(2028, 2, 29, 23, 59, tzinfo=UTC).timestamp())
    async with scene({"max_requests": "unlimited"}, ANSWER, clock=wall, state=MemoryState(now=lambda: 0.0)) as s:
        assert await _passed(s, limits) == 1
        await wall.advance(120)
        assert await _passed(s, limits) == 1, "1 March"
        await wall.advance(-120)
        assert await _passed(s, limits) == 0, "29 February again: spent"
        await wall.advance(120)
        assert await _passed(s, limits) == 0, "1 March again: spent"


async def _passed(s: Scene, limits: Limits) -> int:
    return sum([code(await s.ask(caller(of_key=limits), max_tokens=100)) is None for _ in range(3)])
