"""A client of Messages: what it asks, the events that reach it, of its own format's streams and of a chat's, and what
it reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_events, translated_request
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Request
from tests.upstream import sse


def asked(**fields: JsonValue) -> Request:
    """A request with these fields."""
    body = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}], **fields}
    return ANTHROPIC_MESSAGES.decode_request(body)


def to_openai(**fields: JsonValue) -> tuple[JsonObject, tuple[str, ...]]:
    """The body for OpenAI of a request with these fields, and the names of what is dropped."""
    request, dropped = translated_request(asked(**fields), OPENAI_CHAT, "gpt")
    return dict(request.body), dropped


REQUEST = asked(stream=True)


def events_of(*parts: bytes, whole: bool = False) -> list[Event]:
    """The events of an upstream's stream of Messages, which must be `whole` if that is said."""
    decoder = ANTHROPIC_MESSAGES.stream_decoder()
    found = [event for data, name in SseParser().feed(b"".join(parts)) for event in decoder.decode(data, name)]
    if whole:
        decoder.end()
    return found


async def translated(*chunks: JsonValue) -> list[Event]:
    """The events of a chat's stream, for this client."""

    async def events() -> Any:  # of the chat
        decoder = OPENAI_CHAT.stream_decoder()
        for payload, name in SseParser().feed(b"".join(map(sse, chunks))):
            for event in decoder.decode(payload, name):
                yield event

    return [event async for event in translated_events(events(), OPENAI_CHAT, REQUEST)]


def written(events: Iterable[Event]) -> bytes:
    """What the client reads."""
    encoder = ANTHROPIC_MESSAGES.stream_encoder(REQUEST)
    return b"".join(map(encoder.encode, events)) + encoder.finish()
