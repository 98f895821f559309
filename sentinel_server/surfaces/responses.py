"""`POST /v1/responses`.

Requests and replies are lossless, so these types describe what Sentinel looks at; they decode nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.dialect import Surface


class ResponseRequest(msgspec.Struct):
    """The members that Sentinel looks at; all others are passed on as they are."""

    input: str | list[JsonObject] | None = None
    model: str | None = None
    instructions: str | None = None
    stream: bool = False
    max_output_tokens: int | None = None
    tools: list[JsonObject] | None = None


class ResponseUsage(msgspec.Struct):
    """Token counts as the provider reported them."""

    input_tokens: int
    output_tokens: int
    total_tokens: int


class Response(msgspec.Struct):
    """The provider's answer, as it came unless a guard changed a text."""

    id: str
    object: Literal["response"]
    created_at: float
    model: str
    status: str
    output: list[JsonObject]
    usage: ResponseUsage | None = None


SURFACE = Surface(
    OPENAI_RESPONSES,
    Operation(
        method="POST",
        path="/v1/responses",
        request=ResponseRequest,
        response=Response,
        summary="A response: JSON, or named Server-Sent Events with `stream: true`",
        tags=("responses",),
        streams=True,
    ),
)
