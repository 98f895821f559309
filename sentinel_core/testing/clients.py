"""Clients of each format of chats: what they ask, and what they read of the bytes that they are given."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sentinel_core.context import Context
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.events import Event
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.testing.replies import chat_body


def _responses_body(prompt: str, **fields: JsonValue) -> JsonObject:
    return {"model": "fake", "input": prompt, **fields}


_BODIES: Final[Mapping[Dialect, Callable[..., JsonObject]]] = {
    OPENAI_CHAT: chat_body,
    ANTHROPIC_MESSAGES: lambda prompt, **fields: chat_body(prompt, max_tokens=100, **fields),
    OPENAI_RESPONSES: _responses_body,
}
CLIENTS: Final[Sequence[Dialect]] = tuple(_BODIES)
"""The dialects of chats that clients speak, OpenAI's chat first."""


def asked(dialect: Dialect, prompt: str = "Hello", *, stream: bool = False, **fields: JsonValue) -> Context:
    """A context for what a client of this dialect asks; further fields go into its body."""
    return Context(dialect.decode_request(_BODIES[dialect](prompt, stream=stream, **fields)), id="test")


def reads(ctx: Context, sent: bytes) -> tuple[Event, ...]:
    """What the client makes of a whole answer's body, or of a stream that must be complete. Raises `UpstreamError`."""
    dialect = ctx.request.dialect
    if not ctx.request.stream:
        return dialect.decompose(dialect.decode_answer(sent))
    parser, decoder = SseParser(), dialect.stream_decoder()
    payloads = [*parser.feed(sent), *parser.close()]
    events = [event for data, name in payloads if data for event in decoder.decode(data, name)]
    decoder.end()
    return tuple(events)
