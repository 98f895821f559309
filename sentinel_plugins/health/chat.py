"""`POST /api/chat`: ask without naming a model; the first provider that answers does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import Any, Literal

import msgspec

from sentinel_core.context import Context
from sentinel_core.decoding import JsonLimits, decode_json
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.endpoints import HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.keys import CANDIDATES, Target
from sentinel_core.messages import Answer, TextDelta
from sentinel_core.reroute import reroute_of

DEFAULT_MODELS: Mapping[str, str] = {"openai": "gpt-4o-mini", "ollama": "llama3.2"}
"""The model of a provider table that names none (S3-05, S3-06)."""


class ChatRequest(msgspec.Struct, frozen=True):
    """The body. Further fields of OpenAI's chat request are passed on; `model` chooses as in `/v1/chat/completions`."""

    messages: list[dict[str, Any]]  # OpenAI's messages, checked by the dialect
    max_tokens: int | None = None
    temperature: float | None = None


class ChatReply(msgspec.Struct, frozen=True):
    """The answer. `trace_id` is the request's id, `failover_chain` the providers that were passed over, in order."""

    trace_id: str
    provider_used: str
    model: str
    response_text: str
    latency_ms: float
    status: Literal["success"]
    failover_occurred: bool
    failover_chain: list[str]
    tokens_used: int


class Chat:
    """The handler. The request goes through the whole chain, guards included, like any other."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway
        server = gateway.settings.server
        self._limits = JsonLimits(server.max_body_bytes, server.max_json_depth, server.max_json_nodes)
        self._timeout_s = server.request_timeout_s

    async def answer(self, request: HttpRequest) -> HttpReply:
        """Answer one request. Raises what the chain raises."""
        started = perf_counter()
        ctx = self._context(request)
        async with self._gateway.open(ctx) as reply:
            assert isinstance(reply, Answer)  # a unary request gets a unary reply
            body = _reply(ctx, reply, (perf_counter() - started) * 1000)
        return HttpReply(body, headers=dict(ctx.headers))

    def _context(self, request: HttpRequest) -> Context:
        chat = OPENAI_CHAT.decode_request(decode_json(request.body, self._limits))
        if chat.stream:
            raise Refusal(
                "unsupported_parameter", "This route does not stream; use /v1/chat/completions.", param="stream"
            )
        deadline = self._gateway.services.clock.monotonic() + self._timeout_s
        ctx = self._gateway.context(chat, id=request.id, client=request.client, deadline=deadline)
        if chat.model is None:
            ctx[CANDIDATES] = tuple(_targets(self._gateway))
        return ctx


def _targets(gateway: Gateway) -> Iterator[Target]:
    """Every provider in the order of the tables, each with its model: its table's, else the first it lists."""
    for name, provider in gateway.providers.items():
        listed = provider.models()
        model = provider.config.default_model or (listed[0] if listed else DEFAULT_MODELS.get(name))
        if model is not None:
            yield Target(name, model)


def _reply(ctx: Context, answer: Answer, latency_ms: float) -> ChatReply:
    reroute = reroute_of(ctx)
    passed = list(dict.fromkeys(target.provider for target in reroute.passed))
    return ChatReply(
        trace_id=ctx.id,
        provider_used=reroute.used.provider if reroute.used is not None else "",
        model=reroute.used.model if reroute.used is not None else str(answer.body.get("model", "")),
        response_text=_text(answer),
        latency_ms=round(latency_ms, 2),
        status="success",
        failover_occurred=reroute.occurred,
        failover_chain=passed,
        tokens_used=answer.usage.total_tokens if answer.usage is not None else 0,
    )


def _text(answer: Answer) -> str:
    """The first choice's text; empty where it has none, such as a tool call."""
    events = answer.dialect.decompose(answer)
    return "".join(event.text for event in events if isinstance(event, TextDelta) and event.choice == 0)
