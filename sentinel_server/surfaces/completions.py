"""`POST /v1/completions`: the legacy format, for models and clients that still speak it.

Requests and replies are lossless, so these types describe what Sentinel looks at; they decode nothing.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.chat import ChatUsage
from sentinel_server.surfaces.dialect import Surface


class CompletionRequest(msgspec.Struct):
    """The members that Sentinel looks at; all others are passed on as they are. A prompt of numbers is tokens."""

    prompt: str | list[str | int | list[int]]
    model: str | None = None
    suffix: str | None = None
    stream: bool = False
    max_tokens: int | None = None
    n: int | None = None


class CompletionChoice(msgspec.Struct):
    """One answer."""

    text: str
    index: int
    finish_reason: str | None = None


class CompletionResponse(msgspec.Struct):
    """The provider's answer, as it came unless a guard changed a text."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: ChatUsage | None = None


SURFACE = Surface(
    OPENAI_COMPLETIONS,
    Operation(
        method="POST",
        path="/v1/completions",
        request=CompletionRequest,
        response=CompletionResponse,
        summary="A legacy text completion: JSON, or Server-Sent Events with `stream: true`",
        tags=("completions",),
        streams=True,
    ),
)
