"""The three stages together, over real sockets: what a caller sees while upstreams fail."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sentinel_core.config import settings_from
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.events import TextDelta
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.keys import FAILOVER, Target
from sentinel_core.messages import Answer
from tests.pace import PATIENCE_S
from tests.ports import HOST, free_port
from tests.upstream import Reply, Reset, Stall, Stream, Upstream, chat_stream, completion, delta, sse

SHORT_S = 0.1
RECOVERY_S = 0.2
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
BROKEN = Reply({"error": {"message": "boom"}}, 500)


@pytest_asyncio.fixture
async def spare() -> AsyncIterator[Upstream]:
    """The upstream that takes over."""
    async with Upstream() as running:
        running.script("m", Reply(completion("spare")))
        yield running


def refusing() -> str:
    """A base URL at which nobody listens."""
    return f"http://{HOST}:{free_port()}/v1"


def tables(*base_urls: str, **stages: TomlTable) -> TomlTable:
    """A configuration with one provider per base URL, `p0` first, and the three stages with quick settings."""
    names = [f"p{number}" for number in range(len(base_urls))]
    quick = {"connect_timeout_s": 1.0, "first_byte_timeout_s": SHORT_S, "idle_timeout_s": SHORT_S}
    return {
        "providers": {
            name: {"kind": "openai", "base_url": url, **quick} for name, url in zip(names, base_urls, strict=True)
        },
        "models": [{"name": "m", "targets": [{"provider": name} for name in names]}],
        "stages": {
            "routing": {},
            "retry": {"base_delay_s": 0.01},
            "breaker": {"recovery_timeout_s": RECOVERY_S, "max_recovery_timeout_s": 1.0},
            **stages,
        },
    }


def gateway_at(*base_urls: str, **stages: TomlTable) -> Gateway:
    return Gateway(settings_from(tables(*base_urls, **stages)))


async def ask(gateway: Gateway) -> str:
    """The text of one unary answer."""
    return text_of(await gateway.complete(BODY))


def text_of(answer: Answer) -> str:
    text: str = answer.body["choices"][0]["message"]["content"]
    return text


async def failure(gateway: Gateway) -> UpstreamError:
    """The error of one unary request."""
    with pytest.raises(UpstreamError) as caught:
        await gateway.complete(BODY)
    return caught.value


async def read_through(gateway: Gateway) -> None:
    """Read one stream to its end."""
    async with gateway.stream(BODY) as events:
        async for _ in events:
            pass


async def until_answered(gateway: Gateway, text: str) -> None:
    """Ask until this text comes, as a caller who retries does."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            if await ask(gateway) == text:
                return
        except SentinelError as error:
            await asyncio.sleep(min(error.retry_after_s or 0.01, 0.05))
    raise AssertionError(f"nobody said {text!r}")


async def test_u01_refused_connections_are_answered_by_the_next_target(spare: Upstream) -> None:
    async with gateway_at(refusing(), spare.base_url) as gateway:
        ctx = gateway.context(OPENAI_CHAT.decode_request(BODY))
        async with gateway.open(ctx) as reply:
            assert isinstance(reply, Answer)
            assert text_of(reply) == "spare"
        assert ctx[FAILOVER] == (Target("p0", "m"),)
        assert ctx.headers["x-sentinel-provider"] == "p1"


@pytest.mark.parametrize(
    "beside", [{}, {"x_groq": {"id": "req_01"}}, {"provider": "OpenAI"}], ids=["openai", "groq", "openrouter"]
)
async def test_a_stream_that_breaks_behind_its_opening_is_taken_over(
    upstream: Upstream, spare: Upstream, beside: JsonObject
) -> None:
    upstream.script("m", Stream([sse({**delta("", role="assistant"), **beside}), Reset()]))
    spare.script("m", Stream(chat_stream("spare")))
    async with gateway_at(upstream.base_url, spare.base_url) as gateway, gateway.stream(BODY) as events:
        assert "".join([event.text async for event in events if isinstance(event, TextDelta)]) == "spare"


async def test_p10_a_storm_on_one_target_adds_a_tenth_at_most(upstream: Upstream) -> None:
    upstream.script("m", BROKEN)
    async with gateway_at(upstream.base_url, breaker={"enabled": False}) as gateway:
        await asyncio.gather(*(failure(gateway) for _ in range(100)))
        assert len(upstream.requests) <= 100 * 1.1 + 3


async def test_a_reload_remembers_which_targets_fail(upstream: Upstream) -> None:
    upstream.script("m", BROKEN)
    settings = settings_from(tables(upstream.base_url, breaker={"recovery_timeout_s": 60}))
    async with Gateway(settings) as gateway:
        while (await failure(gateway)).code != "circuit_open":
            pass
        called = len(upstream.requests)
        await gateway.reload(settings)
        assert (await failure(gateway)).code == "circuit_open"
        assert len(upstream.requests) == called


async def test_a_breaker_that_a_reload_brought_is_remembered_by_the_next(upstream: Upstream) -> None:
    upstream.script("m", BROKEN)
    settings = settings_from(tables(upstream.base_url, breaker={"recovery_timeout_s": 60}))
    async with gateway_at(upstream.base_url, breaker={"enabled": False}) as gateway:
        await gateway.reload(settings)
        while (await failure(gateway)).code != "circuit_open":
            pass
        await gateway.reload(settings)
        assert (await failure(gateway)).code == "circuit_open"


async def test_a_slow_target_gets_a_rival_and_its_connection_is_closed(upstream: Upstream, spare: Upstream) -> None:
    upstream.script("m", Stall())
    settings = tables(upstream.base_url, spare.base_url, hedge={"delay_s": 0.02})
    settings["providers"]["p0"]["first_byte_timeout_s"] = 60.0
    async with Gateway(settings_from(settings)) as gateway:
        assert await ask(gateway) == "spare"
        await upstream.closed()
