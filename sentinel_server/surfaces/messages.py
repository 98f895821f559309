"""`POST /v1/messages` and `POST /v1/messages/count_tokens`: Anthropic's Messages, JSON and Server-Sent Events.

Requests and replies are lossless, so the types describe what Sentinel looks at; they decode nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_COUNTING, ANTHROPIC_MESSAGES, BETAS
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Request
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.dialect import Surface

ID_HEADER = b"request-id"
"""In which Anthropic's clients look for a request's id."""
_MAX_BETAS = 64


class MessageTurn(msgspec.Struct):
    """One turn; further members are passed on as they are."""

    role: str
    content: str | list[JsonObject]


class CountRequest(msgspec.Struct, kw_only=True):
    """The members that Sentinel looks at; all others are passed on as they are."""

    messages: list[MessageTurn]
    model: str | None = None
    system: str | list[JsonObject] | None = None  # content blocks
    tools: list[JsonObject] | None = None


class MessagesRequest(CountRequest, kw_only=True):
    """The members that Sentinel looks at; all others are passed on as they are, `session_id` stays here."""

    max_tokens: int
    stream: bool = False
    temperature: float | None = None
    session_id: str | None = None


class MessageUsage(msgspec.Struct):
    """Token counts as the provider reported them."""

    input_tokens: int
    output_tokens: int


class MessagesResponse(msgspec.Struct):
    """The provider's message, as it came unless a guard changed a text."""

    id: str
    type: Literal["message"]
    role: Literal["assistant"]
    model: str
    content: list[JsonObject]  # content blocks
    usage: MessageUsage
    stop_reason: str | None = None
    stop_sequence: str | None = None


class CountResponse(msgspec.Struct):
    """How many tokens the prompt has."""

    input_tokens: int


class AnthropicError(msgspec.Struct):
    """What went wrong."""

    type: str
    message: str
    details: JsonObject | None = None  # where the upstream or a guard says more


class AnthropicErrorBody(msgspec.Struct):
    """The body of every error, as Anthropic's clients read it."""

    type: Literal["error"]
    error: AnthropicError
    request_id: str | None = None


def with_betas(request: Request, headers: Mapping[bytes, bytes]) -> Request:
    """The request with the betas that its head names: the one header of a client that a provider may be sent, and that
    only where the provider's table allows it."""
    named = [name.strip() for name in headers.get(b"anthropic-beta", b"").decode("latin-1").split(",")]
    betas = [name for name in named if name][:_MAX_BETAS]
    return msgspec.structs.replace(request, gateway={**request.gateway, BETAS: betas}) if betas else request


SURFACES = (
    Surface(
        ANTHROPIC_MESSAGES,
        Operation(
            method="POST",
            path="/v1/messages",
            request=MessagesRequest,
            response=MessagesResponse,
            summary="A message: JSON, or Server-Sent Events with `stream: true`",
            tags=("messages",),
            errors=AnthropicErrorBody,
            streams=True,
        ),
        ID_HEADER,
        with_betas,
    ),
    Surface(
        ANTHROPIC_COUNTING,
        Operation(
            method="POST",
            path="/v1/messages/count_tokens",
            request=CountRequest,
            response=CountResponse,
            summary="How many tokens a message would have, for models whose provider counts",
            tags=("messages",),
            errors=AnthropicErrorBody,
        ),
        ID_HEADER,
        with_betas,
    ),
)
