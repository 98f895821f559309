"""The gateway's life: closed, open, draining, drained."""

from __future__ import annotations

import asyncio
import math
from collections import ChainMap, UserDict
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType

import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.config import settings_from
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.testing import FakeProvider, chat_body

SOON_S = 0.1


def gateway(provider: FakeProvider) -> Gateway:
    registry = Registry()
    registry.register(provider.kind())
    return Gateway(settings_from({"providers": {"fake": {"models": ["fake"]}}}), registry=registry)


def test_files_may_be_named_by_text(tmp_path: Path) -> None:
    file, env_file = tmp_path / "own.toml", tmp_path / "own.env"
    file.write_text("[providers.echo]\n", "utf-8")
    env_file.write_text("SENTINEL_PORT=8123\n", "utf-8")
    settings = Gateway.load(str(file), environ={}, env_file=str(env_file)).settings
    assert (settings.path, settings.server.port) == (file, 8123)


async def test_a_gateway_that_is_not_open_says_so() -> None:
    with pytest.raises(Refusal) as caught:
        await gateway(FakeProvider()).complete(chat_body())
    assert (caught.value.code, caught.value.status) == ("not_started", 503)


async def test_it_completes_and_streams_the_same_text() -> None:
    async with gateway(FakeProvider(("Hel", "lo"))) as live:
        answer = await live.complete(chat_body())
        async with live.stream(chat_body()) as events:
            texts = [getattr(event, "text", "") async for event in events]
    assert answer.body["choices"][0]["message"]["content"] == "".join(texts) == "Hello"


async def test_a_drain_refuses_newcomers_and_waits_for_whoever_is_inside() -> None:
    gate = asyncio.Event()
    async with gateway(FakeProvider(("a", gate))) as live:
        async with live.stream(chat_body()) as events:
            await anext(events)
            assert live.in_flight == 1
            assert not await live.drain(SOON_S)
            with pytest.raises(Refusal) as caught:
                await live.complete(chat_body())
            assert caught.value.code == "draining"
            gate.set()
            assert [event async for event in events]
        assert await live.drain(SOON_S)
        assert live.in_flight == 0


@pytest.mark.parametrize("value", [math.nan, math.inf, [{"deep": (-math.inf,)}]])
async def test_a_number_that_json_does_not_have_is_refused_and_null_is_not(value: object) -> None:
    provider = FakeProvider()
    async with gateway(provider) as live:
        with pytest.raises(Refusal) as caught:
            await live.complete({**chat_body(), "temperature": value})
        assert caught.value.code == "invalid_json"
        assert provider.calls == []
        await live.complete({**chat_body(), "temperature": None, "top_p": 0.5})
    assert provider.calls[0].request.body["temperature"] is None


@pytest.mark.parametrize("kind", [MappingProxyType, UserDict, ChainMap])
async def test_a_body_may_be_any_mapping_and_hold_others(kind: Callable[[JsonObject], JsonMapping]) -> None:
    provider = FakeProvider()
    async with gateway(provider) as live:
        message = chat_body()["messages"][0]
        await live.complete(kind({**chat_body(), "messages": [kind(message)]}))
        with pytest.raises(Refusal) as caught:
            await live.complete(kind({**chat_body(), "metadata": kind({"deep": math.nan})}))
        assert caught.value.code == "invalid_json"
    assert [call.request.body for call in provider.calls] == [chat_body()]


async def test_an_unknown_model_is_refused_with_its_name() -> None:
    async with gateway(FakeProvider()) as live:
        with pytest.raises(Refusal, match="'no-such'") as caught:
            await live.complete({**chat_body(), "model": "no-such"})
        assert (caught.value.code, caught.value.status, caught.value.param) == ("model_not_found", 404, "model")
        assert [model.id for model in live.models()] == ["fake"]


def test_one_loop_after_the_other_opens_the_same_gateway() -> None:
    live = gateway(FakeProvider(("Hello",)))
    for _ in range(2):
        with asyncio.Runner() as runner:
            runner.run(used_at_once(live))


async def used_at_once(live: Gateway) -> None:
    """Several at a time want what one alone may have."""
    async with live:
        await asyncio.gather(*(live.health(anew=True) for _ in range(3)), *(live.reload() for _ in range(3)))
        assert (await live.complete(chat_body())).body["choices"]
