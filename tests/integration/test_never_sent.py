"""A call of which nothing was sent is none: it costs nothing, and nobody counts it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import SentinelError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlTable, TomlValue
from sentinel_core.testing import chat_body, settle
from tests.pace import until
from tests.plugins.recording.written import flushed, rows
from tests.upstream import Hold, Raw, Stall, Upstream, completion, head
from tests.upstream.payloads import encoded

MODEL = "gpt-4o"
"""One that has a price."""
FREE = {"prompt_tokens": 0, "cost_nanousd": 0, "provenance": "reported", "error": "not_called", "not_called": 1}


@asynccontextmanager
async def gateway(*urls: str, stages: TomlTable | None = None, **provider: TomlValue) -> AsyncIterator[Gateway]:
    """A gateway with a ledger, and a provider at each of these addresses."""
    common = {"kind": "openai", "api_key": Secret("k", "T"), **provider}
    tables: TomlTable = {
        "providers": {f"p{number}": {**common, "base_url": url} for number, url in enumerate(urls)},
        "models": [{"name": MODEL, "targets": [{"provider": f"p{number}"} for number in range(len(urls))]}],
        "stages": {"usage": {}, "audit": {}, "metrics": {}, "routing": {}, **(stages or {})},
    }
    async with Gateway(settings_from(tables)) as opened:
        yield opened


def asking(gateway: Gateway, deadline: float | None = None, **fields: JsonValue) -> Context:
    return gateway.context(OPENAI_CHAT.decode_request(chat_body(model=MODEL, **fields)), deadline=deadline, id="it")


async def ask(gateway: Gateway, ctx: Context) -> None:
    async with gateway.open(ctx):
        pass


def secure(upstream: Upstream) -> str:
    """The address of a host whose handshake never ends."""
    return upstream.base_url.replace("http://", "https://")


async def assert_uncounted(gateway: Gateway) -> None:
    """The only call of the request is none, wherever one looks."""
    await flushed(gateway)
    (row,) = await rows(gateway.records, "usage", 1, request_id="it")
    assert {name: row.fields[name] for name in FREE} == FREE
    (entry,) = await rows(gateway.records, "audit", 1, request_id="it")
    assert (entry.fields["attempts"], entry.fields["cost_nanousd"]) == (0, 0)


async def test_whoever_leaves_a_full_pool_was_never_sent_upstream(upstream: Upstream) -> None:
    upstream.script(MODEL, Stall())
    async with gateway(upstream.base_url, max_connections=1) as opened:
        first = asyncio.create_task(opened.complete(chat_body(model=MODEL)))
        await upstream.received()
        second = asyncio.create_task(ask(opened, asking(opened)))
        await settle()
        second.cancel()
        await asyncio.wait([second])
        await assert_uncounted(opened)
        first.cancel()
        await asyncio.wait([first])
        await flushed(opened)
        (sent,) = [row for row in await rows(opened.records, "usage", 2) if row.fields["request_id"] != "it"]
        assert (sent.fields["provenance"], sent.fields["not_called"]) == ("unknown", 0)
    assert len(upstream.requests) == 1


async def test_whoever_leaves_during_the_handshake_was_never_sent_upstream(upstream: Upstream) -> None:
    upstream.script(None, Stall())
    async with gateway(secure(upstream)) as opened:
        left = asyncio.create_task(ask(opened, asking(opened)))
        await until(lambda: upstream.connections == 1)
        left.cancel()
        await asyncio.wait([left])
        await assert_uncounted(opened)


@pytest.mark.parametrize("left_s", [0.1, 0.0])
async def test_a_deadline_that_passes_before_there_is_a_connection_costs_nothing(
    upstream: Upstream, left_s: float
) -> None:
    upstream.script(None, Stall())
    async with gateway(secure(upstream), stages={"retry": {}, "breaker": {}}) as opened:
        with pytest.raises(SentinelError) as late:
            await ask(opened, asking(opened, deadline=time.monotonic() + left_s))
        assert (late.value.code, late.value.status) == ("upstream_timeout", 504)
        await assert_uncounted(opened)


async def test_the_rival_of_a_hedge_that_was_given_up_while_it_connected_costs_nothing(upstream: Upstream) -> None:
    go = asyncio.Event()
    async with Upstream() as mute:
        mute.script(None, Stall())
        upstream.script(
            MODEL, Raw([Hold(go), head(200, [("Content-Type", "application/json")]), encoded(completion("well"))])
        )
        async with gateway(upstream.base_url, secure(mute), stages={"hedge": {"delay_s": 0.02}}) as opened:
            asked = asyncio.create_task(ask(opened, asking(opened)))
            await until(lambda: mute.connections == 1)
            go.set()
            await asked
            await flushed(opened)
            found = {row.fields["provider"]: row.fields for row in await rows(opened.records, "usage", 2)}
    assert {name: found["p1"][name] for name in FREE} == FREE
    assert found["p0"]["provenance"] == "reported"


async def test_what_has_no_translation_is_refused_before_anything_is_sent(upstream: Upstream) -> None:
    provider: TomlTable = {"kind": "anthropic", "on_unsupported": "refuse"}
    async with gateway(upstream.base_url, **provider) as opened:
        with pytest.raises(SentinelError, match="unsupported_parameter"):
            await ask(opened, asking(opened, seed=7))
        await assert_uncounted(opened)
    assert upstream.requests == []
