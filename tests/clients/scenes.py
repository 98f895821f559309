"""What the upstream plays to every client, one model a scene, and the gateway in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sentinel_core.config import Secret, settings_from
from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from sentinel_server.app import asgi
from tests.server.gateway_fixture import KEY, tables
from tests.server.serving import RUNNERS, Served, serving
from tests.upstream import (
    Close,
    Pause,
    Reply,
    Reset,
    Scenario,
    Stream,
    Upstream,
    chat_stream,
    completion,
    delta,
    sse,
)
from tests.upstream.anthropic import ending, message, message_stream, named, opening, text_block, tool_block
from tests.upstream.payloads import embeddings, response, response_stream, text_completion, text_stream

SILENCE_S = 1.0
"""Of an upstream. A comment goes out after half of it, which must be longer than any other scene takes on a busy
machine: with the comment the head of a stream has left, and what fails then has no status any more."""
OVERLONG = "This model's maximum context length is 8 tokens. Your messages resulted in 9 tokens."
CALL: JsonObject = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
}
USE = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Rome"}}


class Budget(Stage):
    """Spent, for whoever asks for the model of that name."""

    name = "budget"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        if ctx.request.model == "budget":
            raise Refusal("insufficient_quota")


def calling() -> Reply:
    """An answer that calls a tool."""
    said = {"role": "assistant", "content": None, "tool_calls": [CALL]}
    return Reply(completion(choices=[{"index": 0, "message": said, "finish_reason": "tool_calls"}]))


def calling_streamed() -> list[bytes]:
    """The same in pieces, with the usage."""
    function = {"name": "weather", "arguments": ""}
    pieces = [[{**CALL, "index": 0, "function": function}]]
    pieces += [[{"index": 0, "function": {"arguments": text}}] for text in ('{"ci', 'ty":"Rome"}')]
    opened, *ending = chat_stream(usage=True, finish="tool_calls")
    return [opened, *(sse(delta(tool_calls=piece)) for piece in pieces), *ending]


def failing(status: int, code: str | None, text: str, *headers: tuple[str, str]) -> Reply:
    """An error in OpenAI's words."""
    kind = "invalid_request_error" if status < 429 else "rate_limit_error"
    return Reply({"error": {"message": text, "type": kind, "param": None, "code": code}}, status, headers)


def failing_message(status: int, kind: str, text: str) -> Reply:
    """An error in Anthropic's words."""
    return Reply({"type": "error", "error": {"type": kind, "message": text}}, status)


QUICK = ("retry-after-ms", "20")
LIMITED = failing(429, "rate_limit_exceeded", "slow down", QUICK)

SCENES: Mapping[str, Sequence[Scenario]] = {
    "usage": [Stream(chat_stream("one ", "two", usage=True))],
    "silent": [Stream([*chat_stream("one", finish=None, done=False), Pause(SILENCE_S), *chat_stream("two")[1:]])],
    "tools": [calling()],
    "tools-streamed": [Stream(calling_streamed())],
    "tools-run": [calling(), Reply(completion("It is hot."))],
    "tools-run-streamed": [Stream(calling_streamed()), Stream(chat_stream("It is ", "hot."))],
    "structured-streamed": [Stream(chat_stream('{"city":', '"Rome"}'))],
    "structured": [Reply(completion('{"city":"Rome"}'))],
    "text": [Reply(text_completion("legacy"))],
    "text-streamed": [Stream(text_stream("leg", "acy"))],
    "embeddings": [Reply(embeddings("AACAPgAAAL8="))],  # [0.25, -0.5] in base64, which OpenAI's clients ask for
    "embeddings-floats": [Reply(embeddings([0.25, -0.5]))],
    "response": [Reply(response("hello"))],
    "response-streamed": [Stream(response_stream("hel", "lo"))],
    "overlong": [failing(400, "context_length_exceeded", OVERLONG)],
    "limited": [LIMITED],
    "limited-once": [LIMITED, Reply(completion("at last"))],
    "limited-long": [failing(429, "rate_limit_exceeded", "tomorrow", ("retry-after", "86400"))],
    "quota": [failing(402, "insufficient_quota", "credit used up")],
    "down": [Reset()],
    "down-streamed": [Reset()],
    "html": [Reply(b"<html>captive portal</html>", content_type="text/html")],
    "broken": [Stream([*chat_stream("one ", "two", done=False, finish=None), Close()])],
    "cut": [Stream(chat_stream("one ", "two", done=False, finish=None))],
    "reported": [Stream([*chat_stream("one", done=False, finish=None), sse({"error": {"message": "boom"}})])],
}
"""Scenes of an upstream of OpenAI's kind. `good` is any model that has none: it answers "hello", as it is asked."""

CLAUDES: Mapping[str, Sequence[Scenario]] = {
    "claude-good": [],
    "claude-tools": [Reply(message("one", USE))],
    "claude-tools-streamed": [
        Stream(
            message_stream(
                blocks=[text_block(0, "o", "ne"), tool_block(1, "toolu_1", "weather", '{"ci', 'ty":"Rome"}')],
                reason="tool_use",
            )
        )
    ],
    "claude-run": [Reply(message(USE)), Reply(message("It is hot."))],
    "claude-silent": [
        Stream([opening(), *text_block(0, "one")[:-1], Pause(SILENCE_S), *text_block(0, "two")[1:], *ending()])
    ],
    "claude-overloaded": [failing_message(529, "overloaded_error", "Overloaded")],
    "claude-limited": [LIMITED],
    "claude-broken": [Stream([opening(), *text_block(0, "one"), Close()])],
    "claude-reported": [
        Stream([opening(), *text_block(0, "one"), named({"type": "error", "error": {"type": "api_error"}})])
    ],
}
"""Scenes of an upstream of Anthropic's kind."""

MODELS = ("good", "budget", *SCENES)


def configuration(upstream: Upstream) -> TomlTable:
    """One gateway for all scenes."""
    told = tables(upstream, Budget, models=MODELS, keep_alive_comment_s=SILENCE_S / 2)
    told["providers"]["claude"] = {
        "kind": "anthropic",
        "base_url": upstream.base_url,
        "api_key": Secret(KEY, "TEST_KEY"),
        "models": list(CLAUDES),
    }
    told["models"] += [{"name": model, "targets": [{"provider": "claude"}]} for model in CLAUDES]
    return told


@asynccontextmanager
async def scene_server(runner: str = RUNNERS[0]) -> AsyncIterator[tuple[Served, Upstream]]:
    """A served gateway and the upstream that plays every scene behind it."""
    registry = Registry()
    registry.register(Budget)
    async with Upstream() as upstream:
        for model, scenarios in (*SCENES.items(), *CLAUDES.items()):
            if scenarios:
                upstream.script(model, *scenarios)
        gateway = Gateway(settings_from(configuration(upstream)), registry=registry)
        async with gateway, serving(asgi(gateway), runner) as served:
            yield served, upstream
