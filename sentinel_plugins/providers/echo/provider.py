"""The provider: builds bodies and chunks as an upstream would, and reads them like everybody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import ClassVar

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_embeddings import OPENAI_EMBEDDINGS
from sentinel_core.dialects.translation import translated_request
from sentinel_core.events import Event
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Operation
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import EventStream, Reply
from sentinel_plugins.providers.echo import legacy
from sentinel_plugins.providers.echo.bodies import chunks, completion
from sentinel_plugins.providers.echo.config import EchoConfig
from sentinel_plugins.providers.echo.embedding import embeddings
from sentinel_plugins.providers.echo.script import script

_encode = msgspec.json.Encoder().encode


class EchoProvider(Provider):
    """Answers with the last user message or the prompt, word by word in a stream, in memory and at once.

    The same request always gets the same bytes. `model` and `system_fingerprint` of every answer say "echo". What
    is answered to which request is described in the modules `script`, `legacy` and `embedding` beside this one.
    """

    name: ClassVar[str] = "echo"
    Config: ClassVar[type[EchoConfig]] = EchoConfig
    operations: ClassVar[frozenset[Operation]] = frozenset({"chat", "completion", "embedding"})
    free = True

    async def call(self, call: Call) -> Reply:
        """An answer or a stream; refuses a valid request only where its embeddings would be too many numbers."""
        request = call.request
        body = request.body
        if request.operation == "embedding":
            return OPENAI_EMBEDDINGS.decode_answer(_encode(embeddings(body)))
        if request.operation == "completion":
            if request.stream:
                return EventStream(_events(legacy.chunks(body), OPENAI_COMPLETIONS), dialect=OPENAI_COMPLETIONS)
            return OPENAI_COMPLETIONS.decode_answer(_encode(legacy.completion(body)))
        spoken = script(_heard(call))
        if request.stream:
            return EventStream(_events(chunks(spoken), OPENAI_CHAT), dialect=OPENAI_CHAT)
        return OPENAI_CHAT.decode_answer(_encode(completion(spoken)))

    async def health_check(self) -> Health:
        """Always well: there is nothing that could be down."""
        return Health("healthy", latency_ms=0.0)


def _heard(call: Call) -> JsonMapping:
    """The request as a client of OpenAI's format would have sent it."""
    request = call.request
    if request.dialect is not OPENAI_CHAT:
        request, _ = translated_request(request, OPENAI_CHAT, call.target.model)
    return request.body


async def _events(bodies: Iterator[JsonObject], dialect: Dialect) -> AsyncIterator[Event]:
    decoder = dialect.stream_decoder()
    for body in bodies:
        for event in decoder.decode(_encode(body)):
            yield event
