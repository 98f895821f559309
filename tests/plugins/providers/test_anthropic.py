"""The `anthropic` provider: what it sends, what it makes of answers, streams and faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sentinel_core.config import Secret
from sentinel_core.config.load import load_settings
from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES, BETAS
from sentinel_core.dialects.base import Dialect
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import ReasoningDelta, TextDelta
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.keys import Target
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.anthropic.config import AnthropicConfig
from sentinel_plugins.providers.anthropic.provider import AnthropicProvider
from tests.plugins.providers.calls import Nobody, answer_of, chat_call, drained, stream_of, text_of
from tests.promises.tree import page
from tests.upstream import Hold, Reply, Stall, Stream, Upstream
from tests.upstream.anthropic import ending, message, message_stream, opening, text_block, thinking_block


@asynccontextmanager
async def anthropic_at(upstream: Upstream, **config: Any) -> AsyncIterator[AnthropicProvider]:  # fields of the config
    settings = AnthropicConfig(base_url=upstream.base_url, **config)
    async with AiohttpPools().pool(connections=settings.max_connections) as http:
        yield AnthropicProvider(settings, http)


def call_of(*betas: str, dialect: Dialect = ANTHROPIC_MESSAGES, **fields: JsonValue) -> Call:
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    request = dialect.decode_request(body)
    request = msgspec.structs.replace(request, gateway={BETAS: list(betas)})
    return Call(request, Target("upstream", "m"), Nobody(), attempt=1, request_id="req-1")


async def test_a_message_is_sent_and_comes_back_as_it_is(upstream: Upstream) -> None:
    upstream.script("m", Reply(message("hello", unknown={"kept": True})))
    async with anthropic_at(upstream, api_key=Secret("key", "TEST")) as provider:
        answer = await answer_of(provider, call_of(unknown=1))
    assert answer.body == message("hello", unknown={"kept": True})
    sent = upstream.requests[0]
    assert (sent.target, sent.json["unknown"]) == ("/v1/messages", 1)
    assert (sent.header("x-api-key"), sent.header("anthropic-version")) == ("key", "2023-06-01")
    assert sent.header("authorization") is None
    assert sent.header("anthropic-beta") is None


async def test_h30_only_betas_that_are_allowed_are_passed_on(upstream: Upstream) -> None:
    upstream.script("m", Reply(message()))
    async with anthropic_at(upstream, betas=("a-1", "b-2")) as provider:
        answer = await answer_of(provider, call_of("a-1", "evil", "b-2"))
        assert (await answer_of(provider, call_of("a-1"))).dropped == ()
    assert upstream.requests[0].header("anthropic-beta") == "a-1,b-2"
    assert answer.dropped == ("anthropic-beta",)


async def test_a_chat_request_is_translated_there_and_its_answer_back(upstream: Upstream) -> None:
    upstream.script("m", Reply(message("hello")))
    async with anthropic_at(upstream) as provider:
        answer = await answer_of(provider, chat_call(seed=1))
    assert upstream.requests[0].json["messages"] == [{"role": "user", "content": "hi"}]
    assert answer.body["choices"][0]["message"]["content"] == "hello"
    assert answer.dropped == ("seed",)


async def test_what_cannot_be_expressed_is_refused_where_that_is_the_policy(upstream: Upstream) -> None:
    unknown: JsonValue = {"seed": 1, "a name\nof two lines": 2}
    async with anthropic_at(upstream, on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as raised:
            await provider.call(chat_call(**unknown))
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", "seed")
    assert raised.value.message == "The model's API cannot express: seed, (unnamed)."
    assert upstream.requests == []


async def test_tokens_are_counted(upstream: Upstream) -> None:
    upstream.script("/v1/messages/count_tokens", Reply({"input_tokens": 7}))
    async with anthropic_at(upstream) as provider:
        answer = await answer_of(provider, call_of(dialect=ANTHROPIC_COUNTING))
    assert answer.body == {"input_tokens": 7}


@pytest.mark.parametrize(
    ("status", "kind", "text", "code", "answered"),
    [
        (400, "invalid_request_error", "prompt is too long: 3 tokens", "invalid_request", 400),
        (404, "not_found_error", "model: x", "model_not_found", 404),
        (413, "request_too_large", "too large", "request_too_large", 413),
        (401, "authentication_error", "invalid x-api-key", "upstream_auth_error", 502),
        (403, "permission_error", "no", "upstream_auth_error", 502),
        (402, "billing_error", "pay", "overloaded", 503),
        (400, "invalid_request_error", "Your credit balance is too low", "overloaded", 503),
        (429, "rate_limit_error", "slow", "rate_limit_exceeded", 429),
        (500, "api_error", "oops", "upstream_error", 502),
        (529, "overloaded_error", "Overloaded", "overloaded", 503),
    ],
)
async def test_u17_to_u20_errors_keep_their_meaning(
    upstream: Upstream, status: int, kind: str, text: str, code: str, answered: int
) -> None:
    upstream.script("m", Reply({"type": "error", "error": {"type": kind, "message": text}}, status))
    async with anthropic_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(call_of())
    assert (raised.value.code, raised.value.status) == (code, answered)
    if answered == status:
        assert raised.value.message == text


async def test_a_prompt_that_is_too_long_says_so_in_openais_word(upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"type": "invalid_request_error", "message": "prompt is too long"}}, 400))
    async with anthropic_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert raised.value.wire_code == "context_length_exceeded"


async def test_u20_a_spend_cap_is_not_worth_a_retry(upstream: Upstream) -> None:
    details = {"error_code": "enforced_spend_limit_reached"}
    error = {"type": "rate_limit_error", "message": "cap", "details": details}
    upstream.script("m", Reply({"type": "error", "error": error}, 429))
    async with anthropic_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(call_of())
    assert (raised.value.wire_code, raised.value.should_retry) == ("upstream_quota", False)


async def test_u15_the_reply_has_the_form_that_was_asked_for(upstream: Upstream) -> None:
    upstream.script("m", Reply(message("json")), Stream(message_stream(blocks=[thinking_block(0, "hm")])))
    async with anthropic_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call_of(stream=True)))
        answer = await answer_of(provider, call_of())
    assert (text_of(events), error) == ("json", None)
    assert answer.body["content"] == [{"type": "thinking", "thinking": "hm", "signature": "sig"}]


async def test_thinking_is_content_and_opens_the_stream(upstream: Upstream) -> None:
    more = asyncio.Event()
    upstream.script("m", Stream([opening(), *thinking_block(0, "hm"), Hold(more), *text_block(1, "a"), *ending()]))
    async with anthropic_at(upstream) as provider:
        stream = await stream_of(provider, call_of(stream=True))
        more.set()
        events, error = await drained(stream)
    kinds = [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)]
    assert (kinds, error) == ([ReasoningDelta, TextDelta], None)


async def test_a_stream_that_is_closed_early_closes_its_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([opening(), *text_block(0, "a"), Stall()]))
    async with anthropic_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await stream.aclose()
        await upstream.closed()


async def test_health_is_a_list_of_models_which_costs_nothing(upstream: Upstream) -> None:
    async with anthropic_at(upstream, api_key=Secret("key", "TEST")) as provider:
        assert (await provider.health_check()).status == "healthy"
        upstream.script("/v1/models", Reply({"error": {"message": "no"}}, 401))
        assert (await provider.health_check()).detail == "upstream_auth_error"


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "https://user:secret@host/v1"}, "base_url: must not hold"),
        ({"base_url": "https://"}, "base_url: names no host"),
        ({"api_key": Secret("a\nb", "TEST")}, "api_key: holds a character"),
        ({"version": "a b"}, "version: 'a b'"),
        ({"betas": ("ok", "a,b")}, "betas: 'a,b'"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields: TomlTable, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        AnthropicConfig(**fields)


def test_s2_08_its_key_turns_it_on_and_the_clients_variable_does_not_move_it() -> None:
    environ = {"ANTHROPIC_API_KEY": "sk-ant", "ANTHROPIC_BASE_URL": "http://localhost:8000"}
    table = load_settings(environ=environ).providers["anthropic"]
    assert table.kind == "anthropic"
    config, problems = table.convert(AnthropicConfig)
    assert problems == []
    assert config is not None
    assert (config.base_url, config.api_key and config.api_key.reveal()) == ("https://api.anthropic.com/v1", "sk-ant")


def test_s4_51_compose_passes_the_key() -> None:
    assert "ANTHROPIC_API_KEY: ${ANTHROPIC_API_KEY:-}" in page("compose.yaml")


def test_p12_every_default_of_the_provider() -> None:
    assert msgspec.structs.asdict(AnthropicConfig()) == {
        "kind": None,
        "enabled": True,
        "models": (),
        "default_model": None,
        "same_as": None,
        "base_url": "https://api.anthropic.com/v1",
        "api_key": None,
        "version": "2023-06-01",
        "betas": (),
        "connect_timeout_s": 5.0,
        "first_byte_timeout_s": 60.0,
        "idle_timeout_s": 60.0,
        "total_timeout_s": 600.0,
        "max_connections": 1000,
        "max_response_bytes": 64 << 20,
        "max_event_bytes": 16 << 20,
        "on_unsupported": "drop",
    }
