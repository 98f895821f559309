"""The `cohere` provider: what it sends, what it makes of answers, streams and faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from sentinel_core.config import Secret
from sentinel_core.config.load import load_settings
from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Finish, ReasoningDelta, TextDelta
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.keys import Target
from sentinel_core.usage import Usage
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.cohere.config import CohereConfig
from sentinel_plugins.providers.cohere.provider import CohereProvider
from tests.plugins.providers.calls import (
    SHORT_S,
    Nobody,
    answer_of,
    chat_call,
    chat_request,
    drained,
    json_of,
    stream_of,
    text_of,
    written,
)
from tests.promises.tree import page
from tests.upstream import Close, Drip, Hold, Part, Raw, Redirect, Reply, Reset, Stall, Stream, Upstream, head
from tests.upstream.api import COUNTED, Said
from tests.upstream.api import Call as ToolCall
from tests.upstream.cohere import CHAT, COHERE, MODELS, block, call, cited, ending, opening


@asynccontextmanager
async def cohere_at(upstream: Upstream, **config: Any) -> AsyncIterator[CohereProvider]:  # fields of the config
    settings = CohereConfig(base_url=upstream.base_url.removesuffix("/v1"), **config)
    async with AiohttpPools().pool(connections=settings.max_connections) as http:
        yield CohereProvider(settings, http)


def messages_call(**fields: JsonValue) -> Call:
    """A call of the model `m` by a client of Messages."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    return Call(ANTHROPIC_MESSAGES.decode_request(body), Target("upstream", "m"), Nobody(), attempt=1)


async def failed(provider: CohereProvider, call_: Call) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        await provider.call(call_)
    return raised.value


async def test_a_chat_request_is_translated_there_and_its_answer_back(upstream: Upstream) -> None:
    upstream.script("m", Reply(COHERE.answer(Said("hello", "hm"))))
    async with cohere_at(upstream, api_key=Secret("key", "TEST")) as provider:
        answer = await answer_of(provider, chat_call(top_p=0.5, user="u"))
    sent = upstream.requests[0]
    assert (sent.method, sent.target, sent.header("authorization")) == ("POST", CHAT, "Bearer key")
    assert sent.json == {"model": "m", "messages": [{"role": "user", "content": "hi"}], "p": 0.5}
    said = answer.body["choices"][0]["message"]
    assert (said["content"], said["reasoning_content"], answer.body["model"]) == ("hello", "hm", "m")
    assert (answer.usage, answer.dropped) == (COUNTED, ("user",))


async def test_without_a_key_nobody_is_named(upstream: Upstream) -> None:
    async with cohere_at(upstream) as provider:
        await answer_of(provider, chat_call())
    assert upstream.requests[0].header("authorization") is None


async def test_a_client_of_messages_gets_its_own_form(upstream: Upstream) -> None:
    said = Said("I look.", calls=[ToolCall("c1", "w", {"city": "Rome"})], finish="tool_calls")
    upstream.script("m", Reply(COHERE.answer(said)), Stream(COHERE.stream(said).whole))
    async with cohere_at(upstream) as provider:
        answer = await answer_of(provider, messages_call())
        events, error = await drained(await stream_of(provider, messages_call(stream=True)))
    blocks = [
        {"type": "text", "text": "I look."},
        {"type": "tool_use", "id": "c1", "name": "w", "input": {"city": "Rome"}},
    ]
    assert (answer.body["content"], answer.body["stop_reason"]) == (blocks, "tool_use")
    assert error is None
    assert ANTHROPIC_MESSAGES.assemble(events).body["content"] == blocks


async def test_a_stream_is_what_a_client_of_openai_expects(upstream: Upstream) -> None:
    parts = [*block(0, "text", "a"), *cited(0, "a"), *call(0, "c1", "w"), ending("TOOL_CALL", Usage(3, 2, 5, 1))]
    upstream.script("m", Stream([opening(), *parts]))
    async with cohere_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    request = chat_request(stream=True, stream_options={"include_usage": True})
    chunks = json_of(written(events, request))
    assert error is None
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        ("chat-1", "chat.completion.chunk", "m")
    }
    deltas = [choice["delta"] for chunk in chunks for choice in chunk["choices"]]
    assert deltas[:2] == [{"role": "assistant", "content": ""}, {"content": "a"}]
    assert deltas[2]["extra_content"]["cohere"]["citations"][0]["text"] == "a"
    assert [delta["tool_calls"][0]["function"]["arguments"] for delta in deltas[3:5]] == ["", "{}"]
    assert [choice["finish_reason"] for chunk in chunks for choice in chunk["choices"]][-1] == "tool_calls"
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["prompt_tokens_details"]) == ([], {"cached_tokens": 1})


async def test_what_cannot_be_expressed_is_refused_where_that_is_the_policy(upstream: Upstream) -> None:
    async with cohere_at(upstream, on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as raised:
            await provider.call(chat_call(n=2, user="u"))
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", "n")
    assert raised.value.message == "The model's API cannot express: n, user."
    assert upstream.requests == []


@pytest.mark.parametrize(
    ("status", "text", "code", "answered", "wire_code"),
    [
        (400, "invalid request: x", "invalid_request", 400, None),
        (400, "too many tokens: total number of tokens …", "invalid_request", 400, "context_length_exceeded"),
        (400, "too many tokens: max tokens must be less …", "invalid_request", 400, None),
        (404, "model 'x' not found", "model_not_found", 404, None),
        (422, "message must not be empty in a turn", "invalid_request", 422, None),
        (498, "blocked output", "invalid_request", 400, "content_filter"),
        (501, "not implemented", "unsupported_operation", 400, None),
        (401, "invalid api token", "upstream_auth_error", 502, None),
        (403, "no", "upstream_auth_error", 502, None),
        (402, "Please add or update your payment method", "overloaded", 503, "upstream_quota"),
        (429, "limited to 40 API calls / minute", "rate_limit_exceeded", 429, None),
        (429, "limited to 1000 API calls / month", "overloaded", 503, "upstream_quota"),
        (499, "request cancelled", "upstream_stream_interrupted", 502, None),
        (500, "oops", "upstream_error", 502, None),
        (503, "busy", "overloaded", 503, None),
        (504, "late", "upstream_error", 502, None),
    ],
)
async def test_u17_to_u20_errors_keep_their_meaning(
    upstream: Upstream, status: int, text: str, code: str, answered: int, wire_code: str | None
) -> None:
    upstream.script("m", Reply(COHERE.error(status, text), status))
    async with cohere_at(upstream) as provider:
        error = await failed(provider, chat_call())
    assert (error.code, error.status, error.wire_code) == (code, answered, wire_code)
    assert error.upstream_status == status
    if answered < 500:
        assert error.message == text


async def test_an_error_without_words_is_told_by_its_status(upstream: Upstream) -> None:
    upstream.script("m", Reply(b"", 498), Reply(b"<html>", 500, content_type="text/html"))
    async with cohere_at(upstream) as provider:
        blocked, broken = await failed(provider, chat_call()), await failed(provider, chat_call())
    assert (blocked.wire_code, broken.code) == ("content_filter", "upstream_error")


@pytest.mark.parametrize(("wait", "seconds"), [("7", 7), (None, None)])
async def test_u16_the_wait_that_is_asked_for_is_kept_and_none_is_invented(
    upstream: Upstream, wait: str | None, seconds: float | None
) -> None:
    headers = [("Retry-After", wait)] if wait else []
    upstream.script("m", Reply(COHERE.error(429, "slow"), 429, headers))
    async with cohere_at(upstream) as provider:
        assert (await failed(provider, chat_call())).retry_after_s == seconds


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        (Stall(), "upstream_timeout"),  # U06
        (Reset(), "upstream_connection_reset"),  # U04
        (Stream([Stall()]), "upstream_timeout"),  # U07
        (Stream([opening(), Stall()]), "upstream_timeout"),  # U07
        (Reply(b"<html>", content_type="text/html"), "upstream_invalid_response"),  # U14
        (Reply(b"{"), "upstream_invalid_response"),  # U12
        (Reply({"message": "broke"}), "upstream_error"),  # U13
        (Redirect("http://127.0.0.1:9/"), "upstream_redirect"),  # U23
        (Stream([opening(), Close()], framing="eof"), "upstream_stream_interrupted"),  # U09b
        (Stream([opening(), b"data: oops\n\n"]), "upstream_invalid_response"),  # U11
        (Stream([opening(), ending("ERROR", error="broke")]), "upstream_error"),
        (Stream([opening(), ending("TIMEOUT")]), "upstream_timeout"),
    ],
)
async def test_u04_to_u23_a_fault_before_the_first_content_is_raised_at_once(
    upstream: Upstream, scenario: Reply | Stream, code: str
) -> None:
    upstream.script("m", scenario)
    async with cohere_at(upstream, first_byte_timeout_s=SHORT_S, idle_timeout_s=SHORT_S) as provider:
        assert (await failed(provider, chat_call(stream=True))).code == code


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ([Stall()], "upstream_timeout"),  # U08
        ([Reset()], "upstream_stream_interrupted"),  # U09a
        ([Close()], "upstream_stream_interrupted"),  # U09a
        ([], "upstream_stream_interrupted"),  # U09b
        ([b"data: [DONE]\n\n"], "upstream_stream_interrupted"),  # U09d
        ([ending(None)], "upstream_stream_interrupted"),  # U09d
        ([b"data: oops\n\n"], "upstream_invalid_response"),  # U11
        ([COHERE.midstream_error("broke")], "upstream_error"),
    ],
)
@pytest.mark.parametrize("make", [messages_call, chat_call])
async def test_u08_to_u11_what_came_is_handed_out_before_the_fault(
    upstream: Upstream, tail: list[JsonValue], code: str, make: Callable[..., Call]
) -> None:
    upstream.script("m", Stream([opening(), *block(0, "text", "a", "b"), *tail]))
    async with cohere_at(upstream, idle_timeout_s=SHORT_S) as provider:
        events, error = await drained(await stream_of(provider, make(stream=True)))
    assert text_of(events) == "ab"
    assert not [event for event in events if isinstance(event, Finish)]
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize("tail", [[], [b"data: [DONE]\n\n"], [b"data: more\n\n"]])
async def test_u09c_u25_a_reason_to_finish_makes_an_answer_complete(upstream: Upstream, tail: list[bytes]) -> None:
    upstream.script("m", Stream([opening(), *block(0, "text", "a"), ending(), *tail]))
    async with cohere_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("a", None)


async def test_u25_a_stream_whose_end_came_does_not_wait_for_its_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([*COHERE.stream(Said("a")).whole, Stall()]))
    async with cohere_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("a", None)


async def test_u10_dirt_between_events_changes_nothing(upstream: Upstream) -> None:
    wire = b"".join(COHERE.stream(Said("ab")).whole).replace(b"\n", b"\r\n")
    dirt = b"\xef\xbb\xbf: hello\r\n\r\nid: 1\r\nretry: 2\r\n\r\n"
    upstream.script("m", Stream([dirt, Drip(wire, 0)], framing="eof"))
    async with cohere_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("ab", None)


async def test_u15_the_reply_has_the_form_that_was_asked_for(upstream: Upstream) -> None:
    upstream.script("m", Reply(COHERE.answer(Said("json"))), Stream(COHERE.stream(Said("sse")).whole))
    async with cohere_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
        answer = await answer_of(provider, chat_call())
    assert (text_of(events), error) == ("json", None)
    assert (answer.body["choices"][0]["message"]["content"], answer.usage) == ("sse", COUNTED)


async def test_u22_an_answer_that_is_too_large_is_cut_off(upstream: Upstream) -> None:
    upstream.script("m", Reply(COHERE.answer(Said("x" * 2000))), Stream(COHERE.stream(Said("x" * 2000)).whole))
    async with cohere_at(upstream, max_response_bytes=1000, max_event_bytes=1000) as provider:
        assert (await failed(provider, chat_call())).code == "upstream_invalid_response"
        assert (await failed(provider, chat_call(stream=True))).code == "upstream_invalid_response"


async def test_u27_an_answer_before_the_body_was_read_counts(upstream: Upstream) -> None:
    body = b'{"message":"too large"}'
    lines = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    upstream.script("m", Raw([head(413, lines) + body]))
    async with cohere_at(upstream) as provider:
        assert (await failed(provider, chat_call())).status == 413


async def test_thinking_is_content_and_opens_the_stream(upstream: Upstream) -> None:
    more = asyncio.Event()
    parts: list[Part] = [opening(), *block(0, "thinking", "hm"), Hold(more), *block(1, "text", "a"), ending()]
    upstream.script("m", Stream(parts))
    async with cohere_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        more.set()
        events, error = await drained(stream)
    kinds = [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)]
    assert (kinds, error) == ([ReasoningDelta, TextDelta], None)


async def test_a_stream_that_is_closed_early_closes_its_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([opening(), *block(0, "text", "a"), Stall()]))
    async with cohere_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await stream.aclose()
        await upstream.closed()


async def test_health_is_one_line_of_a_list_of_models_which_costs_nothing(upstream: Upstream) -> None:
    async with cohere_at(upstream, api_key=Secret("key", "TEST")) as provider:
        assert (await provider.health_check()).status == "healthy"
        upstream.script(MODELS, Reply(COHERE.error(401, "invalid api token"), 401))
        assert (await provider.health_check()).detail == "upstream_auth_error"
    assert [(sent.method, sent.target) for sent in upstream.requests] == [("GET", MODELS)] * 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "https://user:secret@host"}, "base_url: must not hold"),
        ({"base_url": "https://"}, "base_url: names no host"),
        ({"api_key": Secret("a\nb", "TEST")}, "api_key: holds a character"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields: TomlTable, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        CohereConfig(**fields)


def test_s2_12_its_key_turns_it_on() -> None:
    table = load_settings(environ={"COHERE_API_KEY": "co-key", "REQUEST_TIMEOUT_SECONDS": "7"}).providers["cohere"]
    config, problems = table.convert(CohereConfig)
    assert (table.kind, problems) == ("cohere", [])
    assert config is not None
    assert (config.base_url, config.api_key and config.api_key.reveal()) == ("https://api.cohere.com", "co-key")
    assert config.first_byte_timeout_s == 7


def test_s2_12_compose_passes_the_key() -> None:
    assert "COHERE_API_KEY: ${COHERE_API_KEY:-}" in page("compose.yaml")
    assert "\nCOHERE_API_KEY=\n" in page(".env.example")


def test_p12_every_default_of_the_provider() -> None:
    assert msgspec.structs.asdict(CohereConfig()) == {
        "kind": None,
        "enabled": True,
        "models": (),
        "default_model": None,
        "same_as": None,
        "base_url": "https://api.cohere.com",
        "api_key": None,
        "connect_timeout_s": 5.0,
        "first_byte_timeout_s": 60.0,
        "idle_timeout_s": 60.0,
        "total_timeout_s": 600.0,
        "max_connections": 1000,
        "max_response_bytes": 64 << 20,
        "max_event_bytes": 16 << 20,
        "on_unsupported": "drop",
    }
