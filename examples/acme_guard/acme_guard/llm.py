"""A provider: what `[providers.acme_llm]` calls. Acme's model lives in this process and says everything louder.

A provider of a real API opens a connection pool in `open()` (`services.http.pool`), sends in `call()`, and raises
`UpstreamError` for whatever goes wrong.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable
from typing import ClassVar

import msgspec

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.reply import EventStream, Reply

_encode = msgspec.json.Encoder().encode
_TOKEN = re.compile(r"\S+\s*|\s+")


class AcmeLlmConfig(ProviderConfig, frozen=True, kw_only=True):
    """`ending` is what every answer closes with."""

    models: tuple[str, ...] = ("acme-1",)
    ending: str = "!"


class AcmeLlm(Provider):
    """Answers with the user's words in capitals, one word per event in a stream."""

    name = "acme_llm"
    Config: ClassVar[type[ProviderConfig]] = AcmeLlmConfig

    def __init__(self, config: AcmeLlmConfig) -> None:
        super().__init__(config)
        self._ending = config.ending

    async def call(self, call: Call) -> Reply:
        """A whole answer, or a stream whose first event is there already. Both are OpenAI's chat, and say so: the
        gateway translates them for clients of other formats."""
        slots = call.request.texts()
        asked = [slot.text for slot in slots if slot.role == "user" and slot.kind == "content"]
        text = "".join(asked[-1:]).upper() + self._ending
        if call.request.stream:
            return EventStream(_events(call.target.model, text), dialect=OPENAI_CHAT)
        message = {"role": "assistant", "content": text}
        return OPENAI_CHAT.decode_answer(_encode(_body(call.target.model, "chat.completion", message=message)))

    async def health_check(self) -> Health:
        """Always well: there is nothing that could be down."""
        return Health("healthy", latency_ms=0.0)


async def _events(model: str, text: str) -> AsyncIterator[Event]:
    """The chunks that an OpenAI-compatible server would send, read as the dialect reads them."""
    decoder = OPENAI_CHAT.stream_decoder()
    for token in _TOKEN.findall(text):
        for event in decoder.decode(_encode(_body(model, "chat.completion.chunk", "", delta={"content": token}))):
            yield event
    for event in decoder.decode(_encode(_body(model, "chat.completion.chunk", delta={}))):
        yield event


def _body(model: str, kind: str, reason: str = "stop", **said: JsonValue) -> JsonObject:
    choice = {"index": 0, **said, "finish_reason": reason or None}
    return {"id": "chatcmpl-acme", "object": kind, "created": 0, "model": model, "choices": [choice]}


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `acme_llm` kind."""
    return (AcmeLlm,)
