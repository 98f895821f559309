"""`POST /api/chat`: ask without naming a model; the first provider that answers does, and the answer says who was
passed over.

The request is a chat like any other and goes through the whole chain, guards included; only its answer has a form of
its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from sentinel_core.context import Context
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal
from sentinel_core.events import TextDelta
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Answer, Request
from sentinel_core.reroute import reroute_of
from sentinel_server.edge import Transaction
from sentinel_server.openapi import Operation
from sentinel_server.surfaces.dialect import Surface

_encode = msgspec.json.Encoder().encode


class ApiChatRequest(msgspec.Struct):
    """Further fields of OpenAI's chat request are passed on; `model` chooses as in `/v1/chat/completions`."""

    messages: list[JsonObject]  # OpenAI's messages
    max_tokens: int | None = None
    temperature: float | None = None


class ApiChatReply(msgspec.Struct):
    """`trace_id` is the request's id, `failover_chain` the providers that were passed over, in order."""

    trace_id: str
    provider_used: str
    model: str
    response_text: str
    latency_ms: float
    status: Literal["success"]
    failover_occurred: bool
    failover_chain: list[str]
    tokens_used: int


def whole(request: Request, _: Mapping[bytes, bytes]) -> Request:
    """The request, if it asks for one whole answer."""
    if request.stream:
        raise Refusal("unsupported_parameter", "This route does not stream; use /v1/chat/completions.", param="stream")
    return request


def reply(tx: Transaction, ctx: Context, answer: Answer) -> bytes:
    """The answer's text, and how it came about."""
    reroute = reroute_of(ctx)
    used = reroute.used
    return _encode(
        ApiChatReply(
            trace_id=ctx.id,
            provider_used=used.provider if used is not None else "",
            model=used.model if used is not None else str(answer.body.get("model", "")),
            response_text=_text(answer),
            latency_ms=round(tx.elapsed_s() * 1000, 2),
            status="success",
            failover_occurred=reroute.occurred,
            failover_chain=list(dict.fromkeys(target.provider for target in reroute.passed)),
            tokens_used=answer.usage.total_tokens if answer.usage is not None else 0,
        )
    )


def _text(answer: Answer) -> str:
    """The first choice's text; empty where it has none, such as a tool call."""
    events = answer.dialect.decompose(answer)
    return "".join(event.text for event in events if isinstance(event, TextDelta) and event.choice == 0)


SURFACE = Surface(
    OPENAI_CHAT,
    Operation(
        method="POST",
        path="/api/chat",
        request=ApiChatRequest,
        response=ApiChatReply,
        summary="Ask without a model: the first provider that answers",
        tags=("chat",),
    ),
    annotate=whole,
    render=reply,
)
