"""The provider: builds bodies and chunks as an upstream would, and reads them like everybody else's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any, ClassVar

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.messages import Event
from sentinel_core.provider import Health, Provider
from sentinel_core.reply import EventStream, Reply
from sentinel_plugins.providers.echo.bodies import chunks, completion
from sentinel_plugins.providers.echo.config import EchoConfig
from sentinel_plugins.providers.echo.script import script

_encode = msgspec.json.Encoder().encode


class EchoProvider(Provider):
    """Answers with the last user message, word by word in a stream, in memory and at once.

    The same request always gets the same bytes. `model` and `system_fingerprint` of every answer say "echo". What
    is answered to which request is described in `sentinel_plugins.providers.echo.script`.
    """

    name: ClassVar[str] = "echo"
    Config: ClassVar[type[EchoConfig]] = EchoConfig

    async def call(self, call: Call) -> Reply:
        """An answer or a stream; never fails on a valid request."""
        request = call.request
        spoken = script(request.body)
        if request.stream:
            return EventStream(_events(chunks(spoken)))
        return OPENAI_CHAT.decode_answer(_encode(completion(spoken)))

    async def health_check(self) -> Health:
        """Always well: there is nothing that could be down."""
        return Health("healthy", latency_ms=0.0)


async def _events(bodies: Iterator[dict[str, Any]]) -> AsyncIterator[Event]:  # JSON
    decoder = OPENAI_CHAT.stream_decoder()
    for body in bodies:
        for event in decoder.decode(_encode(body)):
            yield event
