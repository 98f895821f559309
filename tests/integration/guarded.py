"""One request to a gateway in process, in front of an upstream of any API that says what it is told, and what the audit
has of it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeAlias

import httpx

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.config import settings_from
from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.sse import SseParser
from sentinel_core.events import Event
from sentinel_core.json_types import JsonMapping, TomlTable
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream, Reply
from sentinel_core.testing import FakeProvider
from sentinel_server import asgi
from tests.core.dialects.cuts import payloads
from tests.plugins.recording.written import rows
from tests.upstream.payloads import text_completion, text_stream

CANARY = "ssn 123-45-6789"
CHAT, COMPLETIONS, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"
EMBEDDINGS, COUNT_TOKENS, API_CHAT = "/v1/embeddings", "/v1/messages/count_tokens", "/api/chat"
UNSTREAMED = (EMBEDDINGS, COUNT_TOKENS, API_CHAT)
ANYTHING = {"pattern": "(?s).{1,1000}", "max_length": 1000}
DENY: TomlTable = {"entities": [], "action": "block", "custom": {"ANYTHING": ANYTHING}}
"""A table of `pii` or `secrets` that blocks whatever it reads."""


class Asked(NamedTuple):
    """What came of one request: what the caller and the upstream saw, and the audit's record."""

    response: httpx.Response
    provider: FakeProvider
    record: JsonMapping

    @property
    def verdicts(self) -> Mapping[tuple[str, str], str]:
        """By guard and direction, as the audit has them."""
        return {(one["guard"], one["direction"]): one["result"] for one in self.record["verdicts"]}


Send: TypeAlias = Callable[[str, JsonMapping], Awaitable[Asked]]


@asynccontextmanager
async def gateway_of(provider: FakeProvider, *stages: type[Stage], **tables: TomlTable) -> AsyncIterator[Gateway]:
    """A gateway with these stages behind an audit, in front of this provider."""
    registry = Registry()
    registry.register(provider.kind())
    for stage in stages:
        registry.register(stage)
    named = {"audit": {}, **{stage.name: {} for stage in stages}, **tables}
    settings = settings_from({"providers": {"fake": {}}, "stages": named, "records": {"kind": "memory"}})
    async with Gateway(settings, registry=registry) as gateway:
        yield gateway


async def ask(path: str, body: JsonMapping, provider: FakeProvider, *stages: type[Stage], **tables: TomlTable) -> Asked:
    """Send one request, and wait for its record."""
    async with asking(provider, *stages, **tables) as send:
        return await send(path, body)


@asynccontextmanager
async def asking(provider: FakeProvider, *stages: type[Stage], **tables: TomlTable) -> AsyncIterator[Send]:
    """Sends requests to one gateway, one after the other."""
    async with gateway_of(provider, *stages, **tables) as gateway:
        transport = httpx.ASGITransport(app=asgi(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as http:

            async def send(path: str, body: JsonMapping) -> Asked:
                response = await http.post(path, json=body)
                request_id = response.headers["x-request-id"]
                (record,) = await rows(gateway.records, "audit", 1, request_id=request_id)
                return Asked(response, provider, record.fields)

            yield send


class Serving(FakeProvider):
    """Serves every operation by a script in chat form; what it completes is the canary."""

    operations = frozenset({"chat", "completion", "embedding", "response", "count_tokens"})

    async def call(self, call: Call) -> Reply:
        if call.request.dialect is not OPENAI_COMPLETIONS:
            return await super().call(call)
        self.calls.append(call)
        if call.request.stream:
            return EventStream(events(OPENAI_COMPLETIONS, text_stream(CANARY)), dialect=OPENAI_COMPLETIONS)
        return OPENAI_COMPLETIONS.decode_answer(json.dumps(text_completion(CANARY)).encode())


class Native(FakeProvider):
    """Answers in the caller's own dialect with this body, or with these frames."""

    operations = Serving.operations

    def __init__(self, body: JsonMapping, frames: Sequence[bytes]) -> None:
        super().__init__()
        self._body = body
        self._frames = frames

    async def call(self, call: Call) -> Reply:
        self.calls.append(call)
        dialect = call.request.dialect
        if call.request.stream:
            return EventStream(events(dialect, self._frames), dialect=dialect)
        answer: Answer = dialect.decode_answer(json.dumps(self._body).encode())
        return answer


async def events(dialect: Dialect, frames: Iterable[bytes]) -> AsyncIterator[Event]:
    """What a provider of this dialect makes of the bytes."""
    decoder = dialect.stream_decoder()
    for data, name in payloads(SseParser(), frames):
        for event in decoder.decode(data, name):
            yield event
