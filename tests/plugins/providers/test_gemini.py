"""The `gemini` provider: what it sends, what it makes of answers, streams and faults."""

from __future__ import annotations

import asyncio
import json
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
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.gemini.config import GeminiConfig
from sentinel_plugins.providers.gemini.provider import GeminiProvider
from tests.plugins.providers.calls import (
    SHORT_S,
    Nobody,
    answer_of,
    chat_call,
    chat_request,
    drained,
    stream_of,
    text_of,
)
from tests.promises.tree import page
from tests.upstream import Close, Drip, Hold, Raw, Redirect, Reply, Reset, Stall, Stream, Upstream, head
from tests.upstream.api import Said
from tests.upstream.gemini import GEMINI, candidate, error_body, event, function_call, reply, says, text

SAID = Said("ab")
OPENING, CONTENT, ENDING = GEMINI.stream(SAID)


@asynccontextmanager
async def gemini_at(upstream: Upstream, **config: Any) -> AsyncIterator[GeminiProvider]:  # fields of the config
    settings = GeminiConfig(base_url=upstream.base_url, **config)
    async with AiohttpPools().pool(connections=settings.max_connections) as http:
        yield GeminiProvider(settings, http)


def messages_call(**fields: JsonValue) -> Call:
    """A call of a client of Anthropic's format."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    return Call(ANTHROPIC_MESSAGES.decode_request(body), Target("upstream", "m"), Nobody(), attempt=1)


def call_for(model: str, **fields: JsonValue) -> Call:
    """A call of the upstream's model of this name."""
    return Call(chat_request(**fields), Target("upstream", model), Nobody(), attempt=1)


@pytest.mark.parametrize("stream", [False, True])
async def test_a_chat_is_sent_to_the_address_of_its_model_with_the_key_in_a_header(
    upstream: Upstream, stream: bool
) -> None:
    async with gemini_at(upstream, api_key=Secret("key-canary", "TEST")) as provider:
        call = chat_call(stream=stream, temperature=0)
        if stream:
            assert text_of((await drained(await stream_of(provider, call)))[0]) == "hello"
        else:
            assert (await answer_of(provider, call)).body["choices"][0]["message"]["content"] == "hello"
    sent = upstream.requests[0]
    assert sent.target == GEMINI.path(stream=stream)
    assert sent.json == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"temperature": 0},
    }
    assert (sent.header("x-goog-api-key"), sent.header("authorization")) == ("key-canary", None)
    assert b"key-canary" not in sent.raw.partition(b"\r\n")[0]


@pytest.mark.parametrize(
    ("model", "path"),
    [
        ("gemini-3.8-flash", "/v1/models/gemini-3.8-flash:generateContent"),
        ("models/gemini-3.8-flash", "/v1/models/gemini-3.8-flash:generateContent"),
        ("tunedModels/mine-1", "/v1/tunedModels/mine-1:generateContent"),
        ("a/b", "/v1/models/a%2Fb:generateContent"),
        ("../files", "/v1/models/..%2Ffiles:generateContent"),
        ("..", "/v1/models/..:generateContent"),
        ("models/../files", "/v1/models/..%2Ffiles:generateContent"),
        ("m?key=x#f", "/v1/models/m%3Fkey=x%23f:generateContent"),
        ("m%2f@:é", "/v1/models/m%252f@:%C3%A9:generateContent"),
        ("m\r\nX-A: b", "/v1/models/m%0D%0AX-A:%20b:generateContent"),
    ],
)
async def test_h33_the_name_of_a_model_cannot_lead_elsewhere(upstream: Upstream, model: str, path: str) -> None:
    upstream.script(None, Reply(GEMINI.answer(SAID)))
    async with gemini_at(upstream) as provider:
        await answer_of(provider, call_for(model))
    assert [sent.target for sent in upstream.requests] == [path]


async def test_what_cannot_be_expressed_is_named_or_refused_where_that_is_the_policy(upstream: Upstream) -> None:
    async with gemini_at(upstream) as provider:
        assert (await answer_of(provider, chat_call(user="u"))).dropped == ("user",)
        assert (await stream_of(provider, chat_call(user="u", stream=True))).dropped == ("user",)
    async with gemini_at(upstream, on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as raised:
            await provider.call(chat_call(user="u"))
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", "user")
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    ("status", "message", "code", "answered"),
    [
        (400, "Request contains an invalid argument.", "invalid_request", 400),
        (404, "models/x is not found for API version v1beta", "model_not_found", 404),
        (401, "no", "upstream_auth_error", 502),
        (403, "no", "upstream_auth_error", 502),
        (429, "slow", "rate_limit_exceeded", 429),
        (500, "oops", "upstream_error", 502),
        (503, "The model is overloaded.", "overloaded", 503),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
async def test_u17_to_u20_errors_keep_their_meaning(
    upstream: Upstream, status: int, message: str, code: str, answered: int, stream: bool
) -> None:
    upstream.script("m", Reply([GEMINI.error(status, message)] if stream else GEMINI.error(status, message), status))
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=stream))
    assert (raised.value.code, raised.value.status) == (code, answered)
    if answered == status:
        assert raised.value.message == message


async def test_u19_a_key_that_is_not_valid_is_ours_although_it_comes_as_400(upstream: Upstream) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    upstream.script("m", Reply(error_body(400, "API key not valid.", detail), 400))
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.code, raised.value.status) == ("upstream_auth_error", 502)


@pytest.mark.parametrize(
    ("headers", "delay", "wait", "should_retry"),
    [
        ([], "34.4s", 34.4, True),
        ([("Retry-After", "7")], "34.4s", 7, True),
        ([], "9999s", 9999, False),
        ([], "soon", None, True),
    ],
)
async def test_u16_the_wait_that_is_asked_for_is_kept(
    upstream: Upstream, headers: JsonValue, delay: str, wait: float | None, should_retry: bool
) -> None:
    detail = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}
    upstream.script("m", Reply(error_body(429, "slow", detail), 429, headers))
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.retry_after_s, raised.value.should_retry) == (wait, should_retry)


async def test_u20_a_days_quota_is_not_worth_a_retry(upstream: Upstream) -> None:
    violations = [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]
    detail = {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}
    upstream.script("m", Reply(error_body(429, "spent", detail), 429))
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.wire_code, raised.value.should_retry) == ("upstream_quota", False)


BLOCKED = reply(promptFeedback={"blockReason": "PROHIBITED_CONTENT"})


@pytest.mark.parametrize(("scenario", "stream"), [(Reply(BLOCKED), False), (Stream([event(BLOCKED)]), True)])
async def test_a_blocked_prompt_is_the_callers_to_mend(
    upstream: Upstream, scenario: Reply | Stream, stream: bool
) -> None:
    upstream.script("m", scenario)
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=stream))
    assert (raised.value.status, raised.value.wire_code) == (400, "content_filter")
    assert raised.value.should_retry is False


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        (Stall(), "upstream_timeout"),  # U06
        (Reset(), "upstream_connection_reset"),  # U04
        (Stream([Stall()]), "upstream_timeout"),  # U07
        (Stream([*OPENING, Stall()]), "upstream_timeout"),  # U07
        (Reply(b"<html>", content_type="text/html"), "upstream_invalid_response"),  # U14
        (Reply(b"{"), "upstream_invalid_response"),  # U12
        (Reply([reply(candidate(text("a"))), reply(candidate(text("b"), finish="STOP"))]), "upstream_invalid_response"),
        (Reply(GEMINI.error(503, "m")), "overloaded"),  # U13
        (Reply([GEMINI.error(503, "m")]), "overloaded"),  # U13
        (Redirect("http://127.0.0.1:9/"), "upstream_redirect"),  # U23
        (Stream([*OPENING, Close()], framing="eof"), "upstream_stream_interrupted"),  # U09b
        (Stream([*OPENING, b"data: oops\r\n\r\n"]), "upstream_invalid_response"),  # U11
        (Stream([*OPENING, GEMINI.midstream_error("m")]), "overloaded"),
        (Stream([*OPENING, says(finish="MALFORMED_FUNCTION_CALL")]), "upstream_error"),
    ],
)
async def test_u04_to_u23_a_fault_before_the_first_content_is_raised_at_once(
    upstream: Upstream, scenario: Reply | Stream, code: str
) -> None:
    upstream.script("m", scenario)
    async with gemini_at(upstream, first_byte_timeout_s=SHORT_S, idle_timeout_s=SHORT_S) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=True))
    assert raised.value.code == code


@pytest.mark.parametrize(
    ("tail", "code"),
    [
        ([Stall()], "upstream_timeout"),  # U08
        ([Reset()], "upstream_stream_interrupted"),  # U09a
        ([Close()], "upstream_stream_interrupted"),  # U09a
        ([], "upstream_stream_interrupted"),  # U09b
        ([b"data: {"], "upstream_stream_interrupted"),  # U09b
        ([b"data: oops\r\n\r\n"], "upstream_invalid_response"),  # U11
        ([GEMINI.midstream_error("m")], "overloaded"),
        ([GEMINI.midstream_error("m").rstrip()], "overloaded"),
        ([event(GEMINI.error(503, "m"))], "overloaded"),
    ],
)
@pytest.mark.parametrize("make", [messages_call, chat_call])
async def test_u08_to_u11_what_came_is_handed_out_before_the_fault(
    upstream: Upstream, tail: list[JsonValue], code: str, make: Callable[..., Call]
) -> None:
    upstream.script("m", Stream([*OPENING, *CONTENT, *tail]))
    async with gemini_at(upstream, idle_timeout_s=SHORT_S) as provider:
        events, error = await drained(await stream_of(provider, make(stream=True)))
    assert text_of(events) == "ab"
    assert not [one for one in events if isinstance(one, Finish)]
    assert error is not None
    assert error.code == code


async def test_an_error_after_the_end_of_an_answer_is_not_lost(upstream: Upstream) -> None:
    upstream.script("m", Stream([*OPENING, *CONTENT, *ENDING, GEMINI.midstream_error("m")]))
    async with gemini_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert text_of(events) == "ab"
    assert error is not None
    assert error.code == "overloaded"


async def test_u09c_a_finish_reason_makes_an_answer_complete(upstream: Upstream) -> None:
    upstream.script("m", Stream([*OPENING, *CONTENT, *ENDING], framing="eof"))
    async with gemini_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("ab", None)
    assert [one.reason for one in events if isinstance(one, Finish)] == ["stop"]


async def test_u10_dirt_between_events_changes_nothing(upstream: Upstream) -> None:
    wire = b"".join(GEMINI.stream(SAID).whole)
    dirt = b"\xef\xbb\xbf: hello\r\n\r\nid: 1\r\nretry: 2\r\nnever: heard\r\n\r\n"
    upstream.script("m", Stream([dirt, Drip(wire, 0)], framing="eof"))
    async with gemini_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("ab", None)


async def test_u15_the_reply_has_the_form_that_was_asked_for(upstream: Upstream) -> None:
    thought = Said("json", reasoning="hm")
    upstream.script("m", Reply(GEMINI.answer(thought)), Stream(GEMINI.stream(thought).whole))
    async with gemini_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
        answer = await answer_of(provider, chat_call())
    assert (text_of(events), error) == ("json", None)
    assert answer.body["choices"][0]["message"] == {"role": "assistant", "content": "json", "reasoning_content": "hm"}


async def test_u22_an_event_that_is_too_large_is_an_error(upstream: Upstream) -> None:
    upstream.script("m", Stream([says(text("x" * 5000)), Stall()]))
    async with gemini_at(upstream, max_event_bytes=1000) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=True))
    assert raised.value.code == "upstream_invalid_response"


async def test_u26_the_last_counts_are_the_ones_that_count(upstream: Upstream) -> None:
    counts = [{"promptTokenCount": 3, "candidatesTokenCount": n, "totalTokenCount": 3 + n} for n in (1, 2, 4)]
    parts = [says(text("x"), usageMetadata=one) for one in counts]
    upstream.script("m", Stream([*parts, says(finish="STOP", usageMetadata=None)]))
    async with gemini_at(upstream) as provider:
        answer = await answer_of(provider, chat_call())
    assert answer.body["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}


async def test_u27_an_answer_before_the_body_was_read_counts(upstream: Upstream) -> None:
    body = json.dumps(error_body(400, "too large")).encode()
    lines = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    upstream.script("m", Raw([head(400, lines) + body]))
    async with gemini_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.status, raised.value.message) == (400, "too large")


async def test_thoughts_are_content_and_open_the_stream(upstream: Upstream) -> None:
    more = asyncio.Event()
    upstream.script("m", Stream([says(text("hm", thought=True)), Hold(more), says(text("a")), says(finish="STOP")]))
    async with gemini_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        more.set()
        events, error = await drained(stream)
    kinds = [type(one) for one in events if isinstance(one, ReasoningDelta | TextDelta)]
    assert (kinds, error) == ([ReasoningDelta, TextDelta], None)


async def test_a_call_of_a_tool_and_its_signature_come_and_go_unchanged(upstream: Upstream) -> None:
    part = function_call("w", {"city": "Rome"}, signature="Q2/+=")
    upstream.script("m", Reply(reply(candidate(part, finish="STOP"))))
    history: list[JsonValue] = [{"role": "user", "content": "hi"}]
    async with gemini_at(upstream) as provider:
        message = (await answer_of(provider, chat_call())).body["choices"][0]["message"]
        identifier = message["tool_calls"][0]["id"]
        result = {"role": "tool", "tool_call_id": identifier, "content": "hot"}
        await answer_of(provider, call_for("m", messages=[*history, message, result]))
    sent = upstream.requests[1].json["contents"]
    assert sent[1]["parts"] == [{**part, "functionCall": {"id": identifier, **part["functionCall"]}}]
    assert sent[2]["parts"] == [{"functionResponse": {"id": identifier, "name": "w", "response": {"output": "hot"}}}]


async def test_a_stream_that_is_closed_early_closes_its_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([*CONTENT, Stall()]))
    async with gemini_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await stream.aclose()
        await upstream.closed()


async def test_a_stream_that_was_read_to_its_end_leaves_its_connection_for_the_next(upstream: Upstream) -> None:
    async with gemini_at(upstream) as provider:
        for _ in range(2):
            await drained(await stream_of(provider, chat_call(stream=True)))
    assert upstream.connections == 1


async def test_health_is_a_list_of_one_model_which_costs_nothing(upstream: Upstream) -> None:
    async with gemini_at(upstream, api_key=Secret("key", "TEST")) as provider:
        assert (await provider.health_check()).status == "healthy"
        upstream.script("/v1/models?pageSize=1", Reply(GEMINI.error(403, "no"), 403))
        assert (await provider.health_check()).detail == "upstream_auth_error"
    assert [one.header("x-goog-api-key") for one in upstream.requests] == ["key", "key"]


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "https://user:secret@host/v1"}, "base_url: must not hold"),
        ({"base_url": "https://"}, "base_url: names no host"),
        ({"api_key": Secret("a\nb", "TEST")}, "api_key: holds a character"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields: TomlTable, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        GeminiConfig(**fields)


@pytest.mark.parametrize(
    "environ",
    [
        {"GOOGLE_API_KEY": "google"},
        {"GEMINI_API_KEY": "google"},
        {"GOOGLE_API_KEY": "google", "GEMINI_API_KEY": "weaker"},
        {"GOOGLE_API_KEY": "google", "GOOGLE_GEMINI_BASE_URL": "http://localhost:8000"},
    ],
)
def test_s2_09_its_key_turns_it_on_and_the_clients_variable_does_not_move_it(environ: dict[str, str]) -> None:
    table = load_settings(environ=environ).providers["gemini"]
    assert table.kind == "gemini"
    config, problems = table.convert(GeminiConfig)
    assert problems == []
    assert config is not None
    assert config.base_url == "https://generativelanguage.googleapis.com/v1beta"
    assert config.api_key is not None
    assert config.api_key.reveal() == "google"


def test_s2_09_compose_passes_the_keys() -> None:
    text_ = page("compose.yaml")
    assert "GOOGLE_API_KEY: ${GOOGLE_API_KEY:-}" in text_
    assert "GEMINI_API_KEY: ${GEMINI_API_KEY:-}" in text_


def test_p12_every_default_of_the_provider() -> None:
    assert msgspec.structs.asdict(GeminiConfig()) == {
        "kind": None,
        "enabled": True,
        "models": (),
        "default_model": None,
        "same_as": None,
        "base_url": "https://generativelanguage.googleapis.com/v1beta",
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
