"""Events as a client's stream of message events: the upstream's as they came, or written anew where there are none."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.dialects.anthropic_messages.blocks import Blocks
from sentinel_core.dialects.anthropic_messages.decoder import BLOCK_EVENTS, INPUT, Place
from sentinel_core.dialects.anthropic_messages.errors import error_object
from sentinel_core.dialects.anthropic_messages.inputs import decoded
from sentinel_core.dialects.anthropic_messages.wire import message_start, sse
from sentinel_core.dialects.anthropic_messages.words import stop_reason, usage_object
from sentinel_core.dialects.slots import Path, patched
from sentinel_core.errors import SentinelError
from sentinel_core.events import Event, Finish, Frame, Opaque, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Request
from sentinel_core.usage import Usage

_encode = msgspec.json.Encoder().encode


class MessagesStreamEncoder:
    """Encodes one stream.

    A frame that became several events leaves when its last one does, as in OpenAI's dialect. Events without a frame
    are put into content blocks here (`Blocks`). What ends the message is written by `finish`.
    """

    __slots__ = (
        "_begun",
        "_blocks",
        "_calls",
        "_ended",
        "_frame",
        "_heads",
        "_model",
        "_parts",
        "_reason",
        "_started",
        "_stop",
        "_told",
        "_usage",
    )

    def __init__(self, request: Request) -> None:
        self._model = request.model or ""
        self._blocks = Blocks()
        self._heads: dict[int, JsonMapping] = {}  # tools' blocks whose input a stage holds back, by their index
        self._started: set[int] = set()
        self._frame: Frame | None = None
        self._parts: dict[int, Event] = {}
        self._begun = False
        self._calls = False  # of tools, in events without a frame
        self._ended = False
        self._reason: str | None = None
        self._told = False
        self._usage: Usage | None = None
        self._stop = b""

    def encode(self, event: Event) -> bytes:
        """The bytes that this event releases."""
        frame = event.frame
        if frame is None:
            return self._flush() + self._made(event)
        if frame.size == 1 and self._frame is None:
            if not event.changed and frame.name == "content_block_delta" and self._blocks.goes_on(frame):
                return b"event: content_block_delta\ndata: " + frame.raw + b"\n\n"
            return self._write(frame, {0: event})
        released = b""
        if frame is not self._frame or event.part in self._parts:
            released = self._flush()
            self._frame = frame
        self._parts[event.part] = event
        return released + self._flush() if event.part == frame.size - 1 else released

    def opens(self, event: Event) -> bool:
        """Whether an event only opens an answer: nothing of it is in a block."""
        return isinstance(event, Opaque) and not (event.slots and event.frame and event.frame.name in BLOCK_EVENTS)

    def finish(self) -> bytes:
        """The rest, how the message ended, and its end marker."""
        released = self._flush() + self._opening() + self._blocks.end()
        if not self._ended and (self._reason is not None or not self._told):
            delta = {"stop_reason": stop_reason(self._reason or "stop", calls=self._calls), "stop_sequence": None}
            body = {"type": "message_delta", "delta": delta, "usage": usage_object(self._usage)}
            released += sse("message_delta", _encode(body))
        return released + (self._stop or sse("message_stop", b'{"type":"message_stop"}'))

    def fail(self, error: SentinelError) -> bytes:
        """The rest, and one error event; no end marker, no stop reason."""
        return self._flush() + self._blocks.between() + sse("error", _encode(error_object(error)))

    def _flush(self) -> bytes:
        frame, parts = self._frame, self._parts
        if frame is None:
            return b""
        self._frame, self._parts = None, {}
        return self._write(frame, parts)

    def _write(self, frame: Frame, parts: Mapping[int, Event]) -> bytes:
        """A frame with only these of its events, each with its own text."""
        whole = len(parts) == frame.size and not any(event.changed for event in parts.values())
        if frame.name == "content_block_delta":
            opening = self._opening() + self._late_start(frame, parts)
            return opening + self._blocks.delta(frame, None if whole else _rendered(frame, parts), parts)
        body = frame.body if whole else _rendered(frame, parts)
        raw = frame.line if whole else b""
        if frame.name == "content_block_start":
            return self._start(frame, body, raw, parts)
        if frame.name == "content_block_stop":
            return self._blocks.stop(body, raw, empty=any(place.kind == "empty" for place in frame.places))
        if frame.name == "message_start":
            self._begun = True
        elif frame.name == "message_stop":
            self._stop = sse(frame.name, raw or _encode(body))
            return b""
        elif frame.name == "message_delta":
            return self._opening() + self._blocks.end() + self._end(body, raw, parts)
        return self._blocks.between() + sse(frame.name, raw or _encode(body))

    def _start(self, frame: Frame, body: JsonObject, raw: bytes, parts: Mapping[int, Event]) -> bytes:
        """A block begins; a tool's with the first of its input, which a stage may hold back behind the name."""
        held = next((part for part, place in enumerate(frame.places) if place.path == INPUT), None)
        if held is not None and held not in parts:
            if len(parts) == frame.size - 1 and body["index"] not in self._started:
                self._heads[body["index"]] = body["content_block"]
            return b""
        self._started.add(body["index"])
        head = self._heads.pop(body["index"], None)
        if head is not None:
            body, raw = {**body, "content_block": {**head, "input": body["content_block"]["input"]}}, b""
        return self._opening() + self._blocks.start(body, raw, parts)

    def _late_start(self, frame: Frame, parts: Mapping[int, Event]) -> bytes:
        """The start of a tool's block that was held back, ahead of its first fragment that was not."""
        event = next((part for part in parts.values() if isinstance(part, ToolCallDelta)), None)
        if event is None or frame.body["index"] not in self._heads:
            return b""
        head = self._heads.pop(frame.body["index"])
        body = {"type": "content_block_start", "index": frame.body["index"], "content_block": {**head, "input": {}}}
        return self._blocks.start(body, b"", {0: ToolCallDelta(index=event.index, id=head["id"], name=head["name"])})

    def _end(self, body: JsonObject, raw: bytes, parts: Mapping[int, Event]) -> bytes:
        """How the message ends, in the upstream's words; a stage's own reason stands where it kept the upstream's."""
        if self._reason is not None and not body["delta"].get("stop_reason"):
            body, raw = {**body, "delta": {**body["delta"], "stop_reason": stop_reason(self._reason)}}, b""
        self._told = True
        self._ended = bool(body["delta"].get("stop_reason"))
        self._usage = next((event.usage for event in parts.values() if isinstance(event, UsageReport)), self._usage)
        return sse("message_delta", raw or _encode(body))

    def _made(self, event: Event) -> bytes:
        """What an event says that has no frame: one of another dialect's stream, or one that a stage made."""
        if event.choice or isinstance(event, Opaque):  # the format has one choice
            return b""
        if isinstance(event, UsageReport):
            self._usage = event.usage
            return b""
        if isinstance(event, Finish):
            self._reason = event.reason
            return self._opening() + self._blocks.end()
        self._calls = self._calls or isinstance(event, ToolCallDelta)
        return self._opening() + self._blocks.text(event)

    def _opening(self) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        return sse("message_start", _encode(message_start("msg_gateway", self._model)))


def _rendered(frame: Frame, parts: Mapping[int, Event]) -> JsonObject:
    """The frame's body with the texts of these events; what came with the others is taken out."""
    texts: dict[Path, str] = {}
    body: JsonObject = frame.body
    for part in range(frame.size):
        place: Place = frame.places[part]
        event = parts.get(part)
        if place.kind == "opaque":
            texts |= event.patches if isinstance(event, Opaque) else dict.fromkeys(place.paths, "")
        elif place.kind == "text" and place.path == INPUT:
            body = _with_input(body, event)
        elif place.kind == "text":
            texts[place.path] = event.text if isinstance(event, TextEvent) else ""
        elif place.kind == "finish":
            reason = event.reason if isinstance(event, Finish) else None
            if event is None or event.changed:
                body = {**body, "delta": {**body["delta"], "stop_reason": stop_reason(reason) if reason else None}}
        elif event is not None and event.changed and isinstance(event, UsageReport):
            body = {**body, "usage": {**body.get("usage", {}), **usage_object(event.usage)}}
    return dict(patched(body, texts)) if texts else body


def _with_input(body: JsonObject, event: Event | None) -> JsonObject:
    """A tool block's start with another input; a fragment of one cannot stand there."""
    text = event.text if isinstance(event, TextEvent) else ""
    try:
        value = decoded(text) if text else {}
    except msgspec.DecodeError:
        value = {}
    return {**body, "content_block": {**body["content_block"], "input": value}}
