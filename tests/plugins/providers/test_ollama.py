"""The `ollama` provider: what it sends, what it makes of answers, streams and faults."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from sentinel_core.config import Secret
from sentinel_core.config.load import load_settings
from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Finish, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonValue, TomlTable
from sentinel_core.keys import Target
from sentinel_core.usage import Usage
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.ollama.config import OllamaConfig
from sentinel_plugins.providers.ollama.provider import OllamaProvider
from tests.plugins.providers.calls import SHORT_S, Nobody, answer_of, chat_call, drained, json_of, stream_of, text_of
from tests.plugins.providers.calls import written as written_for
from tests.promises.tree import page, samples
from tests.upstream import Close, Drip, Hold, Raw, Redirect, Reply, Reset, Stall, Stream, Upstream, head
from tests.upstream.api import Call as ToolCall
from tests.upstream.api import Said
from tests.upstream.ollama import OLLAMA, chat, chat_lines, last, line
from tests.upstream.scenarios import Part


@asynccontextmanager
async def ollama_at(upstream: Upstream, **config: Any) -> AsyncIterator[OllamaProvider]:  # fields of the config
    settings = OllamaConfig(base_url=upstream.root, **config)
    async with AiohttpPools().pool(connections=settings.max_connections) as http:
        yield OllamaProvider(settings, http)


def messages_call(**fields: JsonValue) -> Call:
    """A call of a client of Anthropic's format."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    return Call(ANTHROPIC_MESSAGES.decode_request(body), Target("upstream", "m"), Nobody(), attempt=1)


def lines(*parts: Part, **options: Any) -> Stream:  # of `Stream`
    """A stream of lines."""
    return Stream(parts, content_type=OLLAMA.content_type, **options)


async def test_a_chat_request_is_translated_there_and_its_answer_back(upstream: Upstream) -> None:
    upstream.script("m", Reply(chat("hello")))
    async with ollama_at(upstream) as provider:
        answer = await answer_of(provider, chat_call(user="u", temperature=0.5))
    sent = upstream.requests[0]
    assert (sent.method, sent.target) == ("POST", OLLAMA.path(stream=False))
    assert sent.json == {
        "model": "m",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": False,
        "truncate": False,
        "shift": False,
        "options": {"temperature": 0.5},
    }
    assert sent.header("authorization") is None
    assert answer.body["choices"][0]["message"]["content"] == "hello"
    assert (answer.usage, answer.dropped) == (Usage(3, 2, 5), ("user",))


async def test_a_key_is_for_a_proxy_in_front(upstream: Upstream) -> None:
    async with ollama_at(upstream, api_key=Secret("key", "TEST")) as provider:
        await provider.call(chat_call())
        await provider.health_check()
    assert [request.header("authorization") for request in upstream.requests] == ["Bearer key"] * 2


async def test_what_the_table_says_is_in_every_request(upstream: Upstream) -> None:
    async with ollama_at(upstream, num_ctx=8192, keep_alive_s=-1, truncate=True, think=False) as provider:
        answer = await answer_of(provider, chat_call(reasoning_effort="low"))
    sent = upstream.requests[0].json
    assert (sent["options"], sent["keep_alive"], answer.dropped) == ({"num_ctx": 8192}, -1, ("reasoning_effort",))
    assert not {"truncate", "shift", "think"} & sent.keys()


async def test_what_cannot_be_expressed_is_refused_where_that_is_the_policy(upstream: Upstream) -> None:
    image = {"type": "image_url", "image_url": {"url": "https://host/x.png"}}
    call = chat_call(messages=[{"role": "user", "content": [image]}])
    async with ollama_at(upstream, on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as raised:
            await provider.call(call)
    assert (raised.value.code, raised.value.param) == ("unsupported_parameter", "messages.image_url")
    assert upstream.requests == []


async def test_a_stream_is_openais_chunks_of_one_answer(upstream: Upstream) -> None:
    said = Said(reasoning="hm", calls=[ToolCall("", "w", {"city": "Rome"})], finish="tool_calls")
    upstream.script("m", lines(*OLLAMA.stream(said).whole))
    call = chat_call(stream=True, stream_options={"include_usage": True})
    async with ollama_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call))
    assert error is None
    assert upstream.requests[0].json["stream"] is True
    chunks = json_of(written_for(events, call.request))
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert text_of(events) == "hello"
    assert "".join(event.text for event in events if isinstance(event, ReasoningDelta)) == "hm"
    (tool,) = (event for event in events if isinstance(event, ToolCallDelta))
    assert (tool.text, bool(tool.id)) == ('{"city":"Rome"}', True)
    assert (chunks[-2]["choices"][0]["finish_reason"], chunks[-1]["usage"]["total_tokens"]) == ("tool_calls", 5)


async def test_a_stream_reaches_a_client_of_messages(upstream: Upstream) -> None:
    upstream.script("m", lines(*OLLAMA.stream(Said(reasoning="hm")).whole))
    call = messages_call(stream=True)
    async with ollama_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, call))
    assert error is None
    message = ANTHROPIC_MESSAGES.assemble(events).body
    assert [block["type"] for block in message["content"]] == ["thinking", "text"]
    assert message["usage"] == {"input_tokens": 3, "output_tokens": 2}


@pytest.mark.parametrize(
    ("status", "text", "code", "answered"),
    [
        (400, '"m" does not support tools', "invalid_request", 400),
        (404, 'model "m" not found, try pulling it first', "model_not_found", 404),
        (401, "unauthorized", "upstream_auth_error", 502),
        (403, "cloud is disabled", "upstream_auth_error", 502),
        (429, "slow", "rate_limit_exceeded", 429),
        (500, "the model failed to generate a response", "upstream_error", 502),
        (503, "server busy", "overloaded", 503),
    ],
)
async def test_u17_to_u20_errors_keep_their_meaning(
    upstream: Upstream, status: int, text: str, code: str, answered: int
) -> None:
    upstream.script("m", Reply(OLLAMA.error(status, text), status))
    async with ollama_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.code, raised.value.status) == (code, answered)
    if answered == status:
        assert raised.value.message == text


async def test_u16_the_wait_that_is_asked_for_is_kept(upstream: Upstream) -> None:
    upstream.script("m", Reply(OLLAMA.error(429, "slow"), 429, [("Retry-After", "7")]))
    async with ollama_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert raised.value.retry_after_s == 7


@pytest.mark.parametrize(
    ("scenario", "code"),
    [
        (Stall(), "upstream_timeout"),  # U06
        (Reset(), "upstream_connection_reset"),  # U04
        (lines(Stall()), "upstream_timeout"),  # U07
        (lines(line(), Stall()), "upstream_timeout"),  # U07
        (Reply(b"<html>", content_type="text/html"), "upstream_invalid_response"),  # U14
        (Reply(b"{"), "upstream_invalid_response"),  # U12
        (Reply(b""), "upstream_invalid_response"),  # U12
        (Reply({"message": {"role": "assistant", "content": "a"}, "done": False}), "upstream_invalid_response"),  # U12
        (Reply(OLLAMA.error(200, "it broke")), "upstream_error"),  # U13
        (Redirect("http://127.0.0.1:9/"), "upstream_redirect"),  # U23
        (lines(line(), Close(), framing="eof"), "upstream_stream_interrupted"),  # U09b
        (lines(line(), b"oops\n"), "upstream_invalid_response"),  # U11
        (lines(OLLAMA.midstream_error("it broke")), "upstream_error"),  # U13
        (lines(b"x" * (1 << 21)), "upstream_invalid_response"),  # U11, U22
    ],
)
async def test_u04_to_u23_a_fault_before_the_first_content_is_raised_at_once(
    upstream: Upstream, scenario: Reply | Stream, code: str
) -> None:
    upstream.script("m", scenario)
    limits = {"first_byte_timeout_s": SHORT_S, "idle_timeout_s": SHORT_S, "max_event_bytes": 1 << 20}
    async with ollama_at(upstream, **limits) as provider:
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
        ([last()[:40]], "upstream_stream_interrupted"),  # U09b, in the middle of a line
        ([b"oops\n"], "upstream_invalid_response"),  # U11
        ([OLLAMA.midstream_error("it broke")], "upstream_error"),
    ],
)
@pytest.mark.parametrize("make", [chat_call, messages_call])
async def test_u08_to_u11_what_came_is_handed_out_before_the_fault(
    upstream: Upstream, tail: list[JsonValue], code: str, make: Callable[..., Call]
) -> None:
    upstream.script("m", lines(line("a"), line("b"), *tail))
    async with ollama_at(upstream, idle_timeout_s=SHORT_S) as provider:
        events, error = await drained(await stream_of(provider, make(stream=True)))
    assert text_of(events) == "ab"
    assert not [event for event in events if isinstance(event, Finish)]
    assert error is not None
    assert error.code == code


@pytest.mark.parametrize("tail", [[last().rstrip()], [last(), b"more\n"], [last(), Stall()]])
async def test_u09c_u25_done_makes_an_answer_complete(upstream: Upstream, tail: list[Part]) -> None:
    upstream.script("m", lines(line("a"), *tail))
    async with ollama_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("a", None)


async def test_u10_dirt_between_lines_changes_nothing(upstream: Upstream) -> None:
    wire = b"\n\r\n" + b"".join(chat_lines("a", "b")).replace(b"\n", b"\r\n \n").rstrip()
    upstream.script("m", lines(Drip(wire, 0), framing="eof"))
    async with ollama_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
    assert (text_of(events), error) == ("ab", None)


async def test_u15_the_reply_has_the_form_that_was_asked_for(upstream: Upstream) -> None:
    said = Said("json", reasoning="hm", calls=[ToolCall("c", "w", {})], finish="tool_calls")
    upstream.script("m", Reply(OLLAMA.answer(said)), lines(*OLLAMA.stream(said).whole))
    async with ollama_at(upstream) as provider:
        events, error = await drained(await stream_of(provider, chat_call(stream=True)))
        answer = await answer_of(provider, chat_call())
    assert (text_of(events), error) == ("json", None)
    assert [event.usage for event in events if isinstance(event, UsageReport)] == [Usage(3, 2, 5)]
    (choice,) = answer.body["choices"]
    assert (choice["message"]["content"], choice["message"]["reasoning_content"]) == ("json", "hm")
    assert (choice["message"]["tool_calls"][0]["id"], choice["finish_reason"]) == ("c", "tool_calls")


async def test_u22_an_answer_beyond_the_cap_is_given_up(upstream: Upstream) -> None:
    upstream.script("m", Reply(chat("x" * 4096)), lines(*[line("x" * 200)] * 40))
    async with ollama_at(upstream, max_response_bytes=4096) as provider:
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            await provider.call(chat_call())
        try:
            _, error = await drained(await stream_of(provider, chat_call(stream=True)))
        except UpstreamError as at_once:  # it all came in one piece
            error = at_once
    assert error is not None
    assert error.code == "upstream_invalid_response"


async def test_u27_an_answer_before_the_body_was_read_counts(upstream: Upstream) -> None:
    body = b'{"error":"too large"}'
    kept = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("Connection", "close")]
    upstream.script("m", Raw([head(413, kept) + body]))
    async with ollama_at(upstream) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call())
    assert (raised.value.status, raised.value.message) == (413, "too large")


async def test_thinking_is_content_and_opens_the_stream(upstream: Upstream) -> None:
    more = asyncio.Event()
    upstream.script("m", lines(line(), line(thinking="hm"), Hold(more), *chat_lines("a")))
    async with ollama_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        more.set()
        events, error = await drained(stream)
    kinds = [type(event) for event in events if isinstance(event, ReasoningDelta | TextDelta)]
    assert (kinds, error) == ([ReasoningDelta, TextDelta], None)


async def test_a_stream_that_is_closed_early_closes_its_connection(upstream: Upstream) -> None:
    upstream.script("m", lines(line("a"), Stall()))
    async with ollama_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await stream.aclose()
        await upstream.closed()


async def test_a_stream_that_was_read_to_its_end_gives_its_connection_back(upstream: Upstream) -> None:
    async with ollama_at(upstream) as provider:
        for _ in range(2):
            await drained(await stream_of(provider, chat_call(stream=True)))
    assert [request.connection for request in upstream.requests] == [1, 1]


async def test_health_is_the_servers_version_which_costs_nothing(upstream: Upstream) -> None:
    upstream.script("/api/version", Reply({"version": "0.34.2"}), Reply(b"gone", 502))
    async with ollama_at(upstream) as provider:
        assert (await provider.health_check()).status == "healthy"
        assert (await provider.health_check()).detail == "upstream_error"
    assert [request.target for request in upstream.requests] == ["/api/version"] * 2


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"base_url": "http://user:secret@host"}, "base_url: must not hold"),
        ({"base_url": "http://localhost:11434/v1"}, "base_url: Ollama's own API"),
        ({"base_url": "http://localhost:11434/api/"}, "base_url: Ollama's own API"),
        ({"api_key": Secret("a\nb", "TEST")}, "api_key: holds a character"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(fields: TomlTable, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        OllamaConfig(**fields)


def configured(**environ: str) -> OllamaConfig:
    """The table that these variables make."""
    table = load_settings(environ=environ).providers["ollama"]
    assert table.kind == "ollama"
    config, problems = table.convert(OllamaConfig)
    assert problems == []
    assert config is not None
    return config


def test_s3_05_c_33_its_address_turns_it_on_and_a_variable_names_its_model() -> None:
    config = configured(OLLAMA_BASE_URL="http://localhost:11434", OLLAMA_MODEL="llama3.2")
    assert (config.base_url, config.default_model, config.api_key) == ("http://localhost:11434", "llama3.2", None)
    config = configured(OLLAMA_BASE_URL="https://models.example.com", OLLAMA_API_KEY="key")
    assert (config.base_url, config.api_key and config.api_key.reveal()) == ("https://models.example.com", "key")


def test_a_key_alone_does_not_say_where_the_server_is() -> None:
    assert "ollama" not in load_settings(environ={"OLLAMA_API_KEY": "key"}).providers


def test_s3_09_it_stands_behind_the_providers_that_have_keys() -> None:
    environ = {"OLLAMA_BASE_URL": "http://localhost:11434", "OPENAI_API_KEY": "sk-1"}
    assert list(load_settings(environ=environ).providers) == ["openai", "ollama"]


def test_c_48_compose_passes_the_address_and_the_model_and_says_where_the_host_is() -> None:
    text = page("compose.yaml")
    assert "OLLAMA_BASE_URL: ${OLLAMA_BASE_URL:-}" in text
    assert "OLLAMA_MODEL: ${OLLAMA_MODEL:-llama3.2}" in text
    assert "http://host.docker.internal:11434" in text
    assert "http://host.docker.internal:11434" in page(".env.example")


@pytest.mark.parametrize("name", ["how-to/providers/ollama.md", "how-to/run-locally.md", "how-to/watch-the-gateway.md"])
def test_s3_33_every_table_of_the_how_tos_is_one_that_the_provider_takes(name: str, tmp_path: Path) -> None:
    found = [sample.text for sample in samples("toml") if sample.page == f"docs/{name}"]
    tables = []
    for text in found:
        path = tmp_path / "sentinel.toml"
        path.write_text(text, "utf-8")
        tables += [table for table in load_settings(path, environ={}).providers.values() if table.kind == "ollama"]
    assert tables
    assert [table.convert(OllamaConfig)[1] for table in tables] == [[]] * len(tables)


def test_p12_every_default_of_the_provider() -> None:
    assert msgspec.structs.asdict(OllamaConfig()) == {
        "kind": None,
        "enabled": True,
        "models": (),
        "default_model": None,
        "same_as": None,
        "base_url": "http://localhost:11434",
        "api_key": None,
        "num_ctx": None,
        "keep_alive_s": None,
        "truncate": False,
        "think": True,
        "connect_timeout_s": 5.0,
        "first_byte_timeout_s": 300.0,
        "idle_timeout_s": 60.0,
        "total_timeout_s": 600.0,
        "max_connections": 1000,
        "max_response_bytes": 64 << 20,
        "max_event_bytes": 16 << 20,
        "on_unsupported": "drop",
    }
