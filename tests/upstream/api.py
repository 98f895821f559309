"""What the scripted upstream must be able to say in every native API, so that one test can run over all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage


class Call(NamedTuple):
    """A call of a tool. `arguments` is a JSON object; `id` may be the API's own invention where it has none."""

    id: str
    name: str
    arguments: JsonMapping


COUNTED = Usage(3, 2, 5)


@dataclass(frozen=True)
class Said:
    """One answer, as no API in particular says it. `finish` is OpenAI's word."""

    text: str = "hello"
    reasoning: str = ""
    calls: Sequence[Call] = ()
    finish: str = "stop"
    usage: Usage | None = COUNTED


class Wire(NamedTuple):
    """One streamed answer on the wire, an event an item: what opens it, what bears content, what ends it."""

    opening: Sequence[bytes]
    content: Sequence[bytes]
    ending: Sequence[bytes]

    @property
    def whole(self) -> list[bytes]:
        """All of it."""
        return [*self.opening, *self.content, *self.ending]


class Api(Protocol):
    """One native API as its upstream speaks it, written apart from the code under test."""

    @property
    def name(self) -> str:
        """The provider's kind."""
        ...

    @property
    def content_type(self) -> str:
        """The media type of a stream."""
        ...

    def path(self, *, stream: bool) -> str:
        """Where a chat with the model `m` is sent, below the server's root."""
        ...

    def answer(self, said: Said) -> JsonObject:
        """A whole unary answer."""
        ...

    def stream(self, said: Said) -> Wire:
        """The same as a stream. Texts leave in several events where the API allows it."""
        ...

    def error(self, status: int, message: str) -> JsonValue:
        """The body of an error of this status."""
        ...

    def midstream_error(self, message: str) -> bytes:
        """An error that comes as an event of a stream."""
        ...

    def conversation(self, body: JsonMapping) -> JsonObject:
        """A request's body read back as OpenAI's chat: what the upstream understands. For the subset that survives."""
        ...
