"""What a dialect is: one wire format as a codec without I/O."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import msgspec

from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.json_types import JsonMapping, JsonValue

if TYPE_CHECKING:
    from sentinel_core.errors import SentinelError
    from sentinel_core.events import Event, Finish
    from sentinel_core.messages import Answer, Operation, Request


class JsonLimits(msgspec.Struct, frozen=True):
    """What one JSON body may be: bytes, nesting, and values (members and items)."""

    max_bytes: int = 10 * 1024 * 1024
    max_depth: int = 64
    max_nodes: int = 250_000


class RequestFields(msgspec.Struct, frozen=True):
    """Under which names the requests of a dialect have what requests of other dialects have too.

    `messages` is a list of messages, or one text; `system` is a prompt that stands beside it. `tools` and `stops` are
    lists (a single stop sequence may stand alone). `output_caps` are numbers of tokens that an answer may have, of
    which the highest may bind, `choices` how many answers are asked for, of which the most counts. What a dialect lacks
    is empty.
    """

    messages: str
    system: str = ""
    tools: tuple[str, ...] = ()
    output_caps: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()


class StreamDecoder(Protocol):
    """Turns the payloads of one upstream's stream into events. Keeps what it must know between frames."""

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one SSE payload. Raises `UpstreamError`: what it carries if it is an error, else
        upstream_invalid_response."""
        ...

    @property
    def done(self) -> bool:
        """The stream's end marker has been seen; what follows is dropped."""
        ...

    def bears_content(self, event: Event) -> bool:
        """Whether an event commits to this answer. False for what merely opens one: roles, running token counts."""
        ...

    def end(self) -> None:
        """The bytes are over. Raises `UpstreamError` (upstream_stream_interrupted) unless the answer is complete."""
        ...


class StreamEncoder(Protocol):
    """Turns events into the SSE bytes of one client's stream."""

    def encode(self, event: Event) -> bytes:
        """The bytes that this event releases; b"" while its frame is not complete."""
        ...

    def opens(self, event: Event) -> bool:
        """Whether an event only opens an answer. It may wait for the first that says something: a guard that refuses
        those words can then still answer with a status of its own."""
        ...

    def finish(self) -> bytes:
        """What ends a stream that is complete."""
        ...

    def fail(self, error: SentinelError) -> bytes:
        """What ends a stream that broke: one error event, never an end marker."""
        ...


class Dialect(Protocol):
    """One wire format: requests, answers, streams and errors of one API."""

    @property
    def name(self) -> str:
        """The dialect's name, `vendor.format`."""
        ...

    @property
    def operation(self) -> Operation:
        """What a request in this dialect asks for."""
        ...

    @property
    def request_fields(self) -> RequestFields:
        """Where its requests have what those of other dialects have too."""
        ...

    def decode_request(self, body: JsonValue) -> Request:
        """Validate a client's decoded body and part the gateway's own fields from it. Raises `Refusal` (400)."""
        ...

    def encode_request(self, request: Request, model: str) -> bytes:
        """The body for an upstream of the same dialect."""
        ...

    def request_texts(self, body: JsonMapping) -> tuple[TextSlot, ...]:
        """The strings of a request that guards read."""
        ...

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply of an upstream. Raises `UpstreamError`."""
        ...

    def encode_answer(self, answer: Answer) -> bytes:
        """The body for the client: as it came where it is unchanged."""
        ...

    def answer_texts(self, body: JsonMapping) -> tuple[TextSlot, ...]:
        """The strings of an answer that guards read."""
        ...

    def patch_answer(self, body: JsonMapping, texts: Mapping[Path, str]) -> JsonMapping:
        """The body with other texts; copies of a changed text are dropped."""
        ...

    def restore_answer(self, body: JsonMapping, texts: Mapping[Path, str]) -> JsonMapping:
        """The body with the caller's values in its texts again. What belongs to a text as it was said, such as a
        signature, stays: with the next turn it is said so again."""
        ...

    def decompose(self, answer: Answer) -> tuple[Event, ...]:
        """A unary answer as the events of a stream: per choice its channels, then Opaque, Finish, usage."""
        ...

    def ends(self, answer: Answer) -> Sequence[Finish]:
        """How each choice ended: the ends of `decompose(answer)`, without the rest of it."""
        ...

    def recompose(self, answer: Answer, events: Sequence[Event]) -> Answer:
        """The answer with the texts that came out of a stream stage for `decompose(answer)`."""
        ...

    def assemble(self, events: Sequence[Event]) -> Answer:
        """A stream's events as one unary answer."""
        ...

    def stream_frames(self, answer: Answer) -> tuple[Event, ...]:
        """A unary answer as a stream's events with frames of their own, for a client that asked for a stream."""
        ...

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one upstream's stream."""
        ...

    def stream_encoder(self, request: Request) -> StreamEncoder:
        """An encoder for one client's stream."""
        ...

    def encode_error(self, error: SentinelError, request_id: str = "") -> bytes:
        """The error object as a response body."""
        ...
