"""Calls as the innermost link of a chain makes them, and readers of their replies."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, TextDelta
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import EventStream
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.upstream import Upstream

SHORT_S = 0.1


class Nobody:
    """An owner that closes nothing: the test does."""

    def adopt(self, stream: EventStream) -> None:
        raise AssertionError("a provider never hands out its own stream")


def chat_request(text: str = "hi", **fields: JsonValue) -> Request:
    """A decoded chat request."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **fields}
    return OPENAI_CHAT.decode_request(body)


def chat_call(text: str = "hi", **fields: JsonValue) -> Call:
    """A call of the model `m`."""
    return Call(chat_request(text, **fields), Target("upstream", "m"), Nobody(), attempt=1, request_id="req-1")


@asynccontextmanager
async def openai_at(upstream: Upstream, **config: Any) -> AsyncIterator[OpenAIProvider]:  # fields of the config
    """An `openai` provider that calls this upstream."""
    settings = OpenAIConfig(base_url=upstream.base_url, **config)
    async with AiohttpPools().pool(connections=settings.max_connections) as http:
        yield OpenAIProvider(settings, http)


async def answer_of(provider: Any, call: Call) -> Answer:  # any provider
    """The unary answer to a call."""
    reply = await provider.call(call)
    assert isinstance(reply, Answer)
    return reply


async def stream_of(provider: Any, call: Call) -> EventStream:  # any provider
    """The stream that answers a call."""
    reply = await provider.call(call)
    assert isinstance(reply, EventStream)
    return reply


async def drained(stream: EventStream) -> tuple[list[Event], UpstreamError | None]:
    """Every event of a stream and the error that ended it, if one did. Closes the stream."""
    events: list[Event] = []
    try:
        async for event in stream:
            events.append(event)
    except UpstreamError as error:
        return events, error
    finally:
        await stream.aclose()
    return events, None


def text_of(events: list[Event], choice: int = 0) -> str:
    """The visible text of one choice."""
    return "".join(event.text for event in events if isinstance(event, TextDelta) and event.choice == choice)


def written(events: list[Event], request: Request) -> bytes:
    """What a client of this request would get."""
    encoder = OPENAI_CHAT.stream_encoder(request)
    return b"".join(map(encoder.encode, events)) + encoder.finish()


def json_of(sse: bytes) -> list[JsonValue]:
    """The decoded payloads of canonical SSE."""
    lines = [line.removeprefix(b"data: ") for line in sse.split(b"\n\n") if line]
    return [msgspec.json.decode(line) for line in lines if line != b"[DONE]"]
