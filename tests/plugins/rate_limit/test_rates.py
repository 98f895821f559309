"""Requests and tokens in windows: who is counted together, what is told, what a refusal leaves."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import msgspec
import pytest

from sentinel_core.limits import Limits, Part, Rate, Remainder
from sentinel_core.testing import completion, run
from sentinel_plugins.rate_limit.headers import duration
from tests.plugins.rate_limit.scene import NOON, caller, code, scene


async def test_s0_22_without_configuration_a_client_has_100_requests_in_a_minute() -> None:
    async with scene() as s:
        codes = [code(await s.ask(client="10.0.0.1")) for _ in range(101)]
        assert codes == [None] * 100 + ["rate_limit_exceeded"]
        await s.clock.advance(60)
        assert code(await s.ask(client="10.0.0.1")) is None


async def test_s0_23_c_11_the_unknown_count_by_address_and_the_known_by_tenant() -> None:
    async with scene({"max_requests": 1}) as s:
        assert [code(await s.ask(client=ip)) for ip in ("10.0.0.1", "10.0.0.2")] == [None, None]
        first = [code(await s.ask(caller(key=key), client="10.0.0.1")) for key in ("k1", "k2")]
        assert first == [None, "rate_limit_exceeded"]
        assert code(await s.ask(caller(tenant="other"))) is None


async def test_an_unknown_ipv6_client_owns_its_whole_network() -> None:
    async with scene({"max_requests": 1}) as s:
        codes = [code(await s.ask(client=f"2001:db8:1:{net}::{host}")) for net in (2, 3) for host in (1, 2)]
        assert codes == [None, "rate_limit_exceeded"] * 2


async def test_the_default_is_for_who_has_no_limit_of_requests() -> None:
    generous = Limits(requests_per_minute=3)
    async with scene({"max_requests": 1}) as s:
        assert [code(await s.ask(caller(tenant=t, of_key=generous))) for t in "aaaa"] == [None] * 3 + [
            "rate_limit_exceeded"
        ]
        only_money = caller(tenant="b", of_tenant=Limits(daily_usd=1.0))
        assert [code(await s.ask(only_money)) for _ in range(2)] == [None, "rate_limit_exceeded"]
    async with scene({"max_requests": "unlimited"}) as s:
        driven = await s.ask(client="10.0.0.1")
        assert driven.ctx is not None
        assert not [name for name in driven.ctx.headers if "ratelimit" in name], "C-37: unlimited routes say nothing"


async def test_s0_24_s0_25_s1_16_c_11_headers_describe_the_tightest_window() -> None:
    limits = Limits(requests_per_minute=10, requests_per_day=5, tokens_per_minute=1000)
    async with scene({}, completion("Hello")) as s:
        driven = await s.ask(caller(of_key=limits))
        assert driven.ctx is not None
        told = {name: value for name, value in driven.ctx.headers.items() if "ratelimit" in name}
        assert told["x-ratelimit-limit"] == told["x-ratelimit-limit-requests"] == "5"
        assert told["x-ratelimit-remaining"] == told["x-ratelimit-remaining-requests"] == "4"
        assert told["x-ratelimit-reset"] == str(int(NOON) + 86_400)
        assert (told["x-ratelimit-reset-requests"], told["x-ratelimit-reset-tokens"]) == ("24h0m0s", "1m0s")
        assert told["x-ratelimit-limit-tokens"] == "1000"


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0.0, "0ms"),
        (0.0111, "12ms"),
        (0.9991, "1s"),
        (1.0, "1s"),
        (1.41, "1.5s"),
        (59.9, "59.9s"),
        (59.91, "1m0s"),
        (60.0, "1m0s"),
        (60.1, "1m1s"),
        (3599.5, "1h0m0s"),
        (3723.0, "1h2m3s"),
    ],
)
def test_resets_are_written_as_openai_writes_them(seconds: float, written: str) -> None:
    assert duration(seconds) == written


async def test_c_11_the_window_with_the_least_share_left_is_told_first_whatever_it_counts() -> None:
    limits = Limits(requests_per_minute=100, tokens_per_minute=1000)
    async with scene({}, completion("Hello")) as s:
        driven = await s.ask(caller(of_key=limits), max_tokens=500)
        assert driven.ctx is not None
        told = driven.ctx.headers
        assert (told["x-ratelimit-limit"], told["x-ratelimit-remaining-requests"]) == ("1000", "99")
        assert told["x-ratelimit-remaining"] == told["x-ratelimit-remaining-tokens"]


async def test_s0_26_p1_a_refusal_says_which_limit_and_a_wait_that_is_tight() -> None:
    async with scene({"max_requests": 2, "window_s": 30}) as s:
        await s.ask(client="a")
        await s.clock.advance(10)
        await s.ask(client="a")
        await s.clock.advance(5)
        refused = (await s.ask(client="a")).error
        assert refused is not None
        assert (refused.status, refused.should_retry, refused.retry_after_s) == (429, True, 15.0)
        assert refused.details == {
            "subject": "address",
            "unit": "requests",
            "limit": 2,
            "remaining": 0,
            "period_s": 30.0,
        }
        assert "2 requests in 30 seconds" in refused.message
        await s.clock.advance(14.95)
        assert code(await s.ask(client="a")) == "rate_limit_exceeded"
        await s.clock.advance(0.05)
        assert code(await s.ask(client="a")) is None


@pytest.mark.parametrize(("part", "each"), [("input_tokens", 3), ("output_tokens", 2)])
async def test_a_part_of_the_tokens_may_be_used_up_by_requests_that_do_not_say_how_many(part: Part, each: int) -> None:
    left = Remainder(unit="tokens", part=part, limit=2 * each, period_s=300, since=NOON)
    who = caller(user="ann", of_user=Limits(windows=(left,)))
    async with scene({}, completion("Hello"), completion("Hello"), completion("Hello")) as s:
        assert code(await s.ask(who, "forbidden")) == "content_policy_violation", "which used none"
        assert [code(await s.ask(who)) for _ in range(2)] == [None, None]
        refused = (await s.ask(who)).error
        assert refused is not None
        assert f"This user may use {2 * each} {part.replace('_', ' ')} in 300 seconds" in refused.message
        assert refused.details is not None
        assert (refused.details["unit"], refused.details["remaining"]) == (part, 0)
        anew = msgspec.structs.replace(left, since=NOON + 1)
        assert code(await s.ask(caller(user="ann", of_user=Limits(windows=(anew,))))) is None


async def test_a_long_window_is_told_in_digits() -> None:
    async with scene({}, completion("ok")) as s:
        who = caller(of_key=Limits(windows=(Rate(limit=0, period_s=30 * 86_400.0),)))
        refused = (await s.ask(who)).error
    assert refused is not None
    assert "0 requests in 2592000 seconds" in refused.message


async def test_of_two_full_windows_the_longer_wait_is_told() -> None:
    both = Limits(windows=(Rate(limit=1, period_s=10), Rate(limit=1, period_s=300)))
    async with scene() as s:
        who = caller(of_key=both)
        await s.ask(who)
        refused = (await s.ask(who)).error
        assert refused is not None
        assert refused.retry_after_s == 300.0


async def test_p1_a_rejected_request_changes_nothing_and_no_other_window_counts_it() -> None:
    limits = Limits(requests_per_minute=5, max_concurrency=1)
    gate = asyncio.Event()
    async with scene({}, (gate, "late"), completion("now")) as s:
        who = caller(of_key=limits)
        held = asyncio.create_task(s.ask(who, stream=True))
        while not s.provider.calls:
            await asyncio.sleep(0)
        refused = [(await s.ask(who)).error for _ in range(20)]
        assert {error.code for error in refused if error} == {"concurrency_limit_exceeded"}
        assert all(error is not None and error.retry_after_s == 1.0 for error in refused)
        gate.set()
        await held
        codes = [code(await s.ask(who)) for _ in range(5)]
        assert codes == [None] * 4 + ["rate_limit_exceeded"], "replay 2's twin: the rejected ones used no request"


async def test_a_later_refusal_returns_tokens_and_the_place_while_the_request_counts() -> None:
    limits = Limits(requests_per_minute=3, tokens_per_minute=200, max_concurrency=1, daily_usd=0.01)
    async with scene({}, completion("ok")) as s:
        who = caller(of_key=limits)
        codes = [code(await s.ask(who, "forbidden", max_tokens=150)) for _ in range(2)]
        assert codes == ["content_policy_violation"] * 2
        assert s.provider.calls == []
        passed = await s.ask(who, max_tokens=150)
        assert passed.error is None, "two refused ones of 150 tokens each would not have left room for it"
        assert code(await s.ask(who, max_tokens=1)) == "rate_limit_exceeded"


async def test_tokens_settle_to_what_was_reported() -> None:
    async with scene({}, completion("ok")) as s:  # which reports 5 tokens
        who = caller(of_key=Limits(tokens_per_minute=150))
        assert [code(await s.ask(who, max_tokens=100)) for _ in range(5)] == [None] * 5
        refused = (await s.ask(who, max_tokens=60, n=2)).error
        assert refused is not None
        assert refused.details is not None
        assert refused.details["unit"] == "tokens"
        assert (refused.retry_after_s, refused.details["remaining"]) == (60.0, 125)


async def test_a_request_that_can_never_pass_is_told_the_largest_that_can() -> None:
    async with scene({"reserve": "estimate"}) as s:
        who = caller(of_key=Limits(tokens_per_minute=150))
        refused = (await s.ask(who, max_tokens=100_000, n=5)).error
        assert refused is not None
        assert (refused.code, refused.should_retry, refused.retry_after_s) == ("rate_limit_exceeded", False, None)
        assert refused.details is not None
        largest = refused.details["largest_request"]["max_output_tokens"]
        assert code(await s.ask(who, max_tokens=largest)) is None


WINDOWS = tuple(Rate(unit="tokens", limit=limit, period_s=limit) for limit in (400, 300))


@pytest.mark.parametrize(("used", "asked"), [(0, 99), (250, 40)])
async def test_the_largest_that_can_pass_is_within_every_window_and_for_each_answer(used: int, asked: int) -> None:
    usage = {"prompt_tokens": 0, "completion_tokens": used, "total_tokens": used}
    async with scene({"max_requests": "unlimited"}, completion("ok", usage=usage)) as s:
        who = caller(of_key=Limits(windows=WINDOWS))
        assert code(await s.ask(who, max_tokens=1)) is None
        refused = (await s.ask(who, max_tokens=asked, n=5)).error
        assert refused is not None
        assert refused.details is not None
        assert refused.details["limit"] == (400 if used else 300), "of those that never have room, the smallest"
        await s.clock.advance(refused.retry_after_s or 0)
        largest = refused.details["largest_request"]["max_output_tokens"]
        assert code(await s.ask(who, max_tokens=largest + 1, n=5)) == "rate_limit_exceeded"
        assert code(await s.ask(who, max_tokens=largest, n=5)) is None


async def test_models_are_counted_on_their_own_for_each_client() -> None:
    async with scene({"max_requests": "unlimited", "models": {"fak*": {"requests_per_minute": 1}}}) as s:
        assert [code(await s.ask(caller(tenant=t))) for t in ("a", "b", "a")] == [None, None, "rate_limit_exceeded"]
        assert code(await s.ask(caller(tenant="a"), model="other")) is None


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"requests_per_minute": 0}, "With this model you may use 0 requests in 60 seconds. It can never pass."),
        ({"max_concurrency": 0}, "With this model you may have 0 requests at a time, and so many are running."),
        ({"daily_usd": 0.0}, "Your daily budget for this model has $0 left of $0; this request may cost $"),
    ],
)
async def test_a_limit_of_a_model_is_told_as_one(limit: dict[str, float], said: str) -> None:
    async with scene({"max_requests": "unlimited", "models": {"fak*": limit}}, completion("Hello")) as s:
        refused = (await s.ask(caller())).error
    assert refused is not None
    assert refused.message.startswith(said)


async def test_s1_15_users_of_one_key_are_counted_on_their_own_and_their_own_limit_outweighs_the_table() -> None:
    async with scene({"max_requests": "unlimited", "user": {"requests_per_minute": 1}}) as s:
        two = Limits(requests_per_minute=2)
        ann, bob = caller(user="ann"), caller(user="bob", of_user=two)
        assert [code(await s.ask(ann)) for _ in range(2)] == [None, "rate_limit_exceeded"]
        assert [code(await s.ask(bob)) for _ in range(3)] == [None, None, "rate_limit_exceeded"]


async def test_l05_a_noisy_tenant_takes_nothing_from_a_quiet_one() -> None:
    async with scene({"max_requests": 20}) as s:
        for _ in range(1000):
            await s.ask(caller(tenant="noisy"))
        quiet = [code(await s.ask(caller(tenant=f"quiet{number}"))) for number in range(20) for _ in range(20)]
        assert quiet == [None] * 400


async def test_l10_strangers_do_not_grow_what_the_stage_remembers() -> None:
    async with scene() as s:
        for number in range(5000):
            s.stage._subjects.of(s.ctx(client=f"10.0.{number // 256}.{number % 256}"))
        assert len(s.stage._subjects._bounds) <= 4096


@pytest.mark.parametrize("algorithm", ["exact", "gcra", "sliding_window"])
async def test_each_algorithm_refuses_the_burst_that_is_one_too_many(algorithm: str) -> None:
    async with scene({"max_requests": 10, "algorithm": algorithm}) as s:
        codes = [code(await s.ask(client="a")) for _ in range(11)]
        assert codes == [None] * 10 + ["rate_limit_exceeded"]


async def test_p3_1000_at_once_with_room_for_100_admit_exactly_100() -> None:
    limits = Limits(requests_per_minute=100)
    async with scene({}, completion("ok")) as s:
        who = caller(of_key=limits)
        driven = await asyncio.gather(*(s.ask(who) for _ in range(1000)))
        assert sum(one.error is None for one in driven) == 100


def test_noon_is_noon() -> None:
    assert datetime.fromtimestamp(NOON, UTC).isoformat() == "2026-11-26T12:00:00+00:00"


async def test_s2_41_a_tenant_has_its_limit_in_every_minute_hour_and_day() -> None:
    bound = Limits(requests_per_minute=2, requests_per_hour=3, requests_per_day=4)
    async with scene({}, completion("ok")) as s:

        async def asked(key: str) -> str | None:
            return code(await s.ask(caller(key=key, of_tenant=bound)))

        assert [await asked("k1"), await asked("k2"), await asked("k1")] == [None, None, "rate_limit_exceeded"]
        await s.clock.advance(60)
        assert [await asked("k1"), await asked("k2")] == [None, "rate_limit_exceeded"]
        await s.clock.advance(3_600)
        assert [await asked("k1"), await asked("k2")] == [None, "rate_limit_exceeded"]
        await s.clock.advance(86_400)
        assert await asked("k2") is None


async def test_a_request_that_names_no_model_counts_for_the_one_that_it_gets() -> None:
    table = {"max_requests": "unlimited", "models": {"fa*": {"requests_per_minute": 1}}}
    async with scene(table, completion("ok")) as s:
        first, second = s.ctx(client="a"), s.ctx(client="a")
        for ctx in (first, second):
            ctx.request = msgspec.structs.replace(ctx.request, model=None)
        assert code(await run(s.chain, first)) is None
        assert code(await run(s.chain, second)) == "rate_limit_exceeded"
