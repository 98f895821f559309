"""Peers' bug 14: one caller, or a 429, opened the breaker for everybody, or nothing ever closed it.

BerriAI/litellm #41223, #17464, #40130, voidllm #184 and #185, teamclaude #288.
"""

from __future__ import annotations

import asyncio
import time

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_server.app import asgi
from tests.plugins.providers.faults.behind import RETRYING, asked, gateway_at
from tests.plugins.providers.faults.rig import BODY, SAID, streamed
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import CHAT, encoded
from tests.upstream import Reply, Scenario, Stall, Upstream
from tests.upstream.apis import Spoken

CALLERS = 100
ANOTHER = "another caller"
RECOVERY_S = 0.1


def good(spoken: Spoken) -> Scenario:
    return Reply(spoken.api.answer(SAID))


async def is_served_at_once(gateway: Gateway, spoken: Spoken, upstream: Upstream, words: str = ANOTHER) -> None:
    """Another caller gets an answer, by one call of the upstream. What the callers before it sent may still arrive."""
    upstream.script(None, good(spoken))
    assert (await asked(gateway, messages=[{"role": "user", "content": words}])).status == 200
    assert sum(words.encode() in each.body for each in upstream.requests) == 1


async def out_of_time(gateway: Gateway) -> str:
    """What a caller with a millisecond is told."""
    ctx = gateway.context(OPENAI_CHAT.decode_request(BODY), deadline=time.monotonic() + 0.001)
    try:
        async with gateway.open(ctx):
            return ""
    except UpstreamError as error:
        return error.code


async def test_replay_14_callers_with_no_time_open_nothing(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Stall())
    async with gateway_at(spoken, upstream.root, retry=RETRYING, breaker={}) as gateway:
        codes = {await out_of_time(gateway) for _ in range(CALLERS)}
        assert codes == {"upstream_timeout"}
        await is_served_at_once(gateway, spoken, upstream)


async def leaves(gateway: Gateway, upstream: Upstream, *, begun: bool) -> None:
    """A caller who goes away once everybody's request is there, and where an answer has begun, after its head."""
    client = AsgiClient(asgi(gateway), path=CHAT, body=encoded({**BODY, "stream": True}))
    await upstream.received(CALLERS)
    if begun:
        await client.next()
    client.leave()
    await client.ended()


@pytest.mark.parametrize("begun", [False, True], ids=["before the answer", "in its middle"])
async def test_replay_14_callers_who_leave_open_nothing(spoken: Spoken, upstream: Upstream, begun: bool) -> None:
    wire = spoken.api.stream(SAID)
    upstream.script(None, streamed(spoken, wire.opening, wire.content, [Stall()]) if begun else Stall())
    async with gateway_at(spoken, upstream.root, breaker={}) as gateway:
        await asyncio.gather(*(leaves(gateway, upstream, begun=begun) for _ in range(CALLERS)))
        await is_served_at_once(gateway, spoken, upstream)


async def test_replay_14_one_failure_of_one_opens_nothing(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Reply(spoken.api.error(500, "boom"), 500))
    async with gateway_at(spoken, upstream.root, breaker={}) as gateway:
        assert (await asked(gateway)).status == 502
        await is_served_at_once(gateway, spoken, upstream)


async def test_replay_14_a_storm_of_429_opens_nothing(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Reply(spoken.api.error(429, "slow down"), 429))
    async with gateway_at(spoken, upstream.root, breaker={}) as gateway:
        answers = await asyncio.gather(*(asked(gateway) for _ in range(CALLERS)))
        assert {(answer.status, answer.code) for answer in answers} == {(429, "rate_limit_exceeded")}
        assert not any("retry-after" in answer.headers for answer in answers), (
            "a wait that nobody named is not invented"
        )
        await is_served_at_once(gateway, spoken, upstream)


async def test_replay_14_a_probe_that_is_answered_429_leaves_room_for_the_next(
    spoken: Spoken, upstream: Upstream
) -> None:
    breaker = {"recovery_timeout_s": RECOVERY_S, "max_recovery_timeout_s": RECOVERY_S}
    upstream.script(None, Reply(spoken.api.error(500, "boom"), 500))
    async with gateway_at(spoken, upstream.root, breaker=breaker) as gateway:
        while (await asked(gateway)).code != "circuit_open":
            pass
        await asyncio.sleep(RECOVERY_S)
        upstream.script(None, Reply(spoken.api.error(429, "slow down"), 429))
        assert [(await asked(gateway)).status for _ in range(3)] == [429] * 3
        await is_served_at_once(gateway, spoken, upstream)
        await is_served_at_once(gateway, spoken, upstream, "one more")
