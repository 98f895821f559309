"""Whichever way a request comes in, the chain decides the same, byte for byte."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import NamedTuple

import httpx
import pytest

from sentinel_core import Gateway, Refusal, Registry, Stage, TextEvent, hookimpl
from sentinel_core.config import settings_from
from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import SentinelError
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.messages import Answer
from sentinel_core.testing import FakeProvider, completion
from sentinel_server import asgi, create_app
from tests.server.serving import RUNNERS, serving


class InputGuard(Stage):
    """Refuses one word in prompts and replaces another."""

    name = "input_guard"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Read every slot."""
        slots = ctx.request.texts()
        if any("forbidden" in slot.text for slot in slots):
            raise Refusal("content_policy_violation")
        changed = {slot.path: slot.text.replace("Ann", "X") for slot in slots if "Ann" in slot.text}
        ctx.request = ctx.request.with_texts(changed)


class StreamGuard(Stage):
    """Writes only `on_stream`."""

    name = "stream_guard"

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Mask digits; they never straddle events."""
        async for event in events:
            if isinstance(event, TextEvent):
                yield event.with_text("".join("#" if letter.isdigit() else letter for letter in event.text))
            else:
                yield event


class AnswerGuard(Stage):
    """Writes only `on_response`."""

    name = "answer_guard"

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        """Refuse one word in replies."""
        if any("secret" in slot.text for slot in answer.texts()):
            raise Refusal("content_policy_violation", "The answer was withheld.")
        return answer


STAGES: tuple[type[Stage], ...] = (InputGuard, StreamGuard, AnswerGuard)


class Vector(NamedTuple):
    """What is sent and what the upstream says; `body` is JSON, or bytes that are not."""

    body: JsonObject | bytes
    reply: Sequence[str] = ("Hello ", "there")


def chat(text: str, **fields: JsonValue) -> JsonObject:
    return {"model": "fake", "messages": [{"role": "user", "content": text}], **fields}


VECTORS = {
    "passes": Vector(chat("hi")),
    "unknown fields": Vector(chat("hi", x_unknown={"deep": [1, {"a": None}]})),
    "masked on the way in": Vector(chat("I am Ann")),
    "masked on the way out": Vector(chat("hi"), ("call 555", "-0199 now")),
    "refused on the way in": Vector(chat("forbidden")),
    "refused on the way out": Vector(chat("hi"), ("the sec", "ret")),
    "unknown model": Vector(chat("hi") | {"model": "nobody"}),
    "no messages": Vector({"model": "fake", "messages": []}),
    "bad parameter": Vector(chat("hi", temperature=9)),
    "caller chose the upstream": Vector(chat("hi", api_base="http://169.254.169.254")),
    "not JSON": Vector(b'{"model": "fake",}'),
    "not UTF-8": Vector(b'{"model": "\xff"}'),
    "too deep": Vector(b'{"messages": ' + b"[" * 70 + b"]" * 70 + b"}"),
    "empty": Vector(b""),
}

Way = Callable[[Gateway, bytes, bool], Awaitable[bytes]]


async def in_process(gateway: Gateway, body: bytes, stream: bool) -> bytes:
    try:
        if not stream:
            return OPENAI_CHAT.encode_answer(await gateway.complete(body))
        async with gateway.stream(body) as events:
            encoder = OPENAI_CHAT.stream_encoder(OPENAI_CHAT.decode_request(json.loads(body)))
            return b"".join([encoder.encode(event) async for event in events]) + encoder.finish()
    except SentinelError as error:
        return OPENAI_CHAT.encode_error(error)


async def embedded(gateway: Gateway, body: bytes, stream: bool) -> bytes:
    transport = httpx.ASGITransport(app=asgi(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        return await _post(client, body)


async def served(gateway: Gateway, body: bytes, stream: bool, runner: str = RUNNERS[0]) -> bytes:
    async with serving(create_app(gateway), runner) as server, httpx.AsyncClient(base_url=server.url) as client:
        return await _post(client, body)


async def _post(client: httpx.AsyncClient, body: bytes) -> bytes:
    headers = {"content-type": "application/json"}
    response = await client.post("/v1/chat/completions", content=body, headers=headers)
    return response.content


@pytest.mark.parametrize("stream", [False, True], ids=["unary", "stream"])
@pytest.mark.parametrize("name", VECTORS)
async def test_every_way_in_gives_the_same_bytes(name: str, stream: bool) -> None:
    vector = VECTORS[name]
    body = vector.body
    if isinstance(body, dict):
        body = json.dumps(body | ({"stream": True} if stream else {})).encode()
    answers: list[bytes] = []
    sent: list[list[bytes]] = []
    for way in (in_process, embedded, served):
        provider = FakeProvider(vector.reply if stream else completion("".join(vector.reply)))
        registry = Registry()
        for plugin in (*STAGES, provider.kind()):
            registry.register(plugin)
        tables: TomlTable = {"providers": {"fake": {}}, "stages": {stage.name: {} for stage in STAGES}}
        async with Gateway(settings_from(tables), registry=registry) as gateway:
            answers.append(await way(gateway, body, stream))
        sent.append([OPENAI_CHAT.encode_request(call.request, call.target.model) for call in provider.calls])
    assert answers[0] == answers[1] == answers[2]
    assert sent[0] == sent[1] == sent[2]
    assert answers[0]
