"""What clients read from the wire while upstreams fail: status, headers, and how soon."""

from __future__ import annotations

import pytest

from sentinel_server.app import asgi
from tests.plugins.routing.test_outages import gateway_at
from tests.server.gateway_fixture import chat
from tests.server.serving import RUNNERS, serving
from tests.server.wire import Answer
from tests.upstream import Pause, Reply, Scenario, Stall, Stream, Upstream, chat_stream, completion

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

BROKEN = Reply({"error": {"message": "boom"}}, 500)


async def answers(runner: str, count: int, *upstreams: Upstream, stream: bool = False) -> list[Answer]:
    """So many chat requests, one after the other, through routing, retry and breaker."""
    gateway = gateway_at(*(upstream.base_url for upstream in upstreams), breaker={"recovery_timeout_s": 20})
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
        return [await wire.ask(chat(stream=stream)) for _ in range(count)]


async def test_u17_an_open_circuit_says_how_long_to_wait(upstream: Upstream, runner: str) -> None:
    upstream.script("m", BROKEN)
    *_, answer = await answers(runner, 5, upstream)
    assert (answer.status, answer.code) == (503, "circuit_open")
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert 0 < int(answer.headers["retry-after-ms"]) <= 20_000
    assert answer.headers["x-should-retry"] == "true"


async def test_only_one_layer_retries(upstream: Upstream, runner: str) -> None:
    upstream.script("m", BROKEN)
    (answer,) = await answers(runner, 1, upstream)
    assert (answer.status, answer.headers["x-should-retry"], len(upstream.requests)) == (502, "false", 3)


async def test_u16_a_limit_reaches_the_caller_with_the_upstreams_own_wait(upstream: Upstream, runner: str) -> None:
    upstream.script("m", Reply({"error": {"message": "slow"}}, 429, [("Retry-After", "99999")]))
    (answer,) = await answers(runner, 1, upstream)
    assert (answer.status, answer.code, answer.headers["x-should-retry"]) == (429, "rate_limit_exceeded", "false")
    assert "retry-after" not in answer.headers


HASTY = ("X-Stainless-Read-Timeout: 0.005",)


async def test_p10_nothing_is_repeated_once_the_client_has_given_up(upstream: Upstream, runner: str) -> None:
    upstream.script("m", Stall())
    gateway = gateway_at(upstream.base_url, retry={"base_delay_s": 0.01})
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
        answer = await wire.ask(chat(headers=HASTY))
        assert (answer.status, answer.code) == (504, "upstream_timeout")
        assert len(upstream.requests) <= 1


async def test_replay_14_one_hasty_caller_and_a_storm_of_429_open_the_circuit_for_nobody(
    upstream: Upstream, runner: str
) -> None:
    """A caller whose limit no target could keep, then limits, beside a caller who gets every answer in time."""
    gateway = gateway_at(upstream.base_url, retry={"enabled": False})
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire, served.connect() as other:
        limited = Reply({"error": {"message": "slow"}}, 429)
        storms: tuple[tuple[Scenario, tuple[str, ...], int], ...] = ((Stall(), HASTY, 504), (limited, (), 429))
        for scenario, headers, status in storms:
            for _ in range(20):
                upstream.script("m", scenario)
                assert (await wire.ask(chat(headers=headers))).status == status
                upstream.script("m", Reply(completion("well")))
                assert (await other.ask(chat())).status == 200


@pytest.mark.parametrize("value", ["-1", "soon", "1e400", "nan", "", "0x10", "99999999999"])
async def test_a_limit_that_is_none_is_not_heard(upstream: Upstream, runner: str, value: str) -> None:
    upstream.script("m", Reply(completion("well")))
    gateway = gateway_at(upstream.base_url)
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
        assert (await wire.ask(chat(headers=(f"X-Stainless-Read-Timeout: {value}",)))).status == 200


async def test_a_stream_may_last_longer_than_a_client_waits_for_its_next_event(upstream: Upstream, runner: str) -> None:
    upstream.script("m", Stream([*chat_stream("a", done=False, finish=None), Pause(0.02), *chat_stream("b")]))
    gateway = gateway_at(upstream.base_url)
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
        answer = await wire.ask(chat(headers=HASTY, stream=True))
        assert answer.body.endswith(b"data: [DONE]\n\n")


@pytest.mark.parametrize("stream", [False, True])
async def test_s3_10_the_answer_names_its_provider(upstream: Upstream, runner: str, stream: bool) -> None:
    good: Scenario = Stream(chat_stream("spare")) if stream else Reply(completion("spare"))
    async with Upstream() as spare:
        upstream.script("m", BROKEN)
        spare.script("m", good)
        (answer,) = await answers(runner, 1, upstream, spare, stream=stream)
        assert (answer.status, answer.headers["x-sentinel-provider"]) == (200, "p1")
        assert b"spare" in answer.body
