"""The `openai` provider's table, its pool, and its health check."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from sentinel_core.config import Secret
from sentinel_core.provider import HEALTH_TIMEOUT_S, Health
from sentinel_core.services import HttpPools, HttpTimeouts, Services
from sentinel_core.upstream import provider as upstream_provider
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.plugins.providers.calls import answer_of, chat_call, drained, openai_at, stream_of
from tests.upstream import Close, Hold, Reply, Stream, Upstream, chat_stream

BRIEFLY_S = 0.05


def services(http: HttpPools) -> Services:
    """Only the service that this provider uses."""
    unused = cast("Any", None)  # must not be touched
    return Services(clock=unused, http=http, executor=unused, state=unused, records=unused)


def test_the_documented_minimum_is_enough() -> None:
    config = OpenAIConfig()
    assert config.base_url == "https://api.openai.com/v1"
    assert (config.connect_timeout_s, config.first_byte_timeout_s) == (5.0, 60.0)
    assert (config.idle_timeout_s, config.total_timeout_s) == (60.0, 600.0)
    assert (config.max_response_bytes, config.max_event_bytes) == (64 << 20, 16 << 20)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://user:secret@host/v1", "must not hold"),
        ("http://ok@evil", "must not hold"),
        ("http://user:secret\u2100@host/v1", "its host or its port"),
        ("http://:80/v1", "names no host"),
        ("http://host:port/v1", "its host or its port"),
        ("http://host:99999/v1", "its host or its port"),
        ("http://[::1/v1", "its host or its port"),
        ("http://a..b/v1", "cannot be looked up"),
        (f"http://{'a' * 64}.example/v1", "cannot be looked up"),
        ("http://a\\b/v1", "cannot be looked up"),
    ],
)
def test_h33_a_base_url_that_could_leak_or_cannot_work_is_refused(url: str, words: str) -> None:
    with pytest.raises(ValueError, match=f"base_url: .*{words}") as refused:
        OpenAIConfig(base_url=url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    "url", ["http://[::1]:80/v1", "http://127.0.0.1", "http://m\u00fcnchen.example/v1", "http://a_b."]
)
def test_a_host_of_any_other_form_is_taken(url: str) -> None:
    assert OpenAIConfig(base_url=url).base_url == url


@pytest.mark.parametrize("text", ["sk\nX-Evil: 1", "sk-é", "sk\x00"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_quoted(text: str) -> None:
    with pytest.raises(ValueError, match="api_key") as refused:
        OpenAIConfig(api_key=Secret(text, "KEY"))
    assert "sk" not in str(refused.value)


def test_everything_that_no_request_can_carry_is_said_at_once() -> None:
    with pytest.raises(ValueError, match="api_key") as refused:
        OpenAIConfig(api_key=Secret("é", "KEY"), base_url="http://user@a..b/v1", organization="é", project="é")
    assert [said.partition(":")[0] for said in refused.value.args] == [
        *("api_key", "base_url", "base_url", "organization", "project"),
    ]


async def test_opens_one_pool_of_its_size_and_closes_it(upstream: Upstream) -> None:
    sizes: list[int] = []

    class Counting(AiohttpPools):
        @asynccontextmanager
        async def pool(self, *, connections: int) -> Any:  # an async iterator, by the decorator a context
            sizes.append(connections)
            async with super().pool(connections=connections) as made:
                yield made

    config = OpenAIConfig(base_url=f"{upstream.base_url}/", max_connections=3, models=("a", "b"))
    async with OpenAIProvider.open(config, services(Counting())) as provider:
        await answer_of(provider, chat_call())
        assert provider.models() == ("a", "b")
    assert (sizes, upstream.requests[0].target) == ([3], "/v1/chat/completions")
    await upstream.closed()


async def test_health_lists_the_models_with_the_providers_key(upstream: Upstream) -> None:
    async with openai_at(upstream, api_key=Secret("sk-own", "KEY")) as provider:
        health = await provider.health_check()
    assert (health.status, health.latency_ms is not None) == ("healthy", True)
    asked = upstream.requests[0]
    assert (asked.method, asked.target, asked.header("authorization")) == ("GET", "/v1/models", "Bearer sk-own")


@pytest.mark.parametrize(
    ("scenario", "detail"),
    [
        (Reply(b"{}", 401), "upstream_auth_error"),
        (Reply(b"", 503), "overloaded"),
        (Close(), "upstream_connection_reset"),
    ],
)
async def test_health_names_the_fault_and_does_not_raise(
    upstream: Upstream, scenario: Reply | Close, detail: str
) -> None:
    upstream.script("/v1/models", scenario)
    async with openai_at(upstream) as provider:
        health = await provider.health_check()
    assert (health.status, health.latency_ms, health.detail) == ("unhealthy", None, detail)


async def test_health_is_unknown_where_every_connection_is_taken_by_calls_that_go_well(
    upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstream_provider, "HEALTH_TIMEOUTS", HttpTimeouts(connect_s=BRIEFLY_S))
    rest = asyncio.Event()
    role, first, *others = chat_stream("a", "b")
    upstream.script("/v1/chat/completions", Stream([role, first, Hold(rest), *others]))
    async with openai_at(upstream, max_connections=1) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        health = await provider.health_check()
        rest.set()
        _, error = await drained(stream)
        assert error is None
    assert health == Health("unknown", detail="overloaded")


def test_a_check_knows_whether_there_is_a_connection_before_whoever_asks_gives_up() -> None:
    assert upstream_provider.HEALTH_TIMEOUTS.connect_s < HEALTH_TIMEOUT_S
