"""`POST /v1/chat/completions`.

Requests and replies are lossless, so these types describe what Sentinel looks at; they decode nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import JsonObject
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.dialect import Surface


class ChatMessage(msgspec.Struct):
    """One message; further members are passed on as they are."""

    role: str
    content: str | list[JsonObject] | None = None


class ChatRequest(msgspec.Struct):
    """The members that Sentinel looks at; all others are passed on as they are, `session_id` stays here."""

    messages: list[ChatMessage]
    model: str | None = None
    stream: bool = False
    temperature: float | None = None
    max_tokens: int | None = None
    tools: list[JsonObject] | None = None
    session_id: str | None = None


class ChatUsage(msgspec.Struct):
    """Token counts as the provider reported them."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatChoice(msgspec.Struct):
    """One answer."""

    index: int
    message: ChatMessage
    finish_reason: str | None = None


class ChatResponse(msgspec.Struct):
    """The provider's answer, as it came unless a guard changed a text."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChatChoice]
    usage: ChatUsage | None = None


SURFACE = Surface(
    OPENAI_CHAT,
    Operation(
        method="POST",
        path="/v1/chat/completions",
        request=ChatRequest,
        response=ChatResponse,
        summary="A chat completion: JSON, or Server-Sent Events with `stream: true`",
        tags=("chat",),
        streams=True,
    ),
)
