"""The upstream's stream of message events as ours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Final, NamedTuple

import msgspec

from sentinel_core.costs import Provisional
from sentinel_core.decoding import EVENT_LIMITS, decode_reply, mended
from sentinel_core.dialects.anthropic_messages.errors import reported_error
from sentinel_core.dialects.anthropic_messages.fields import IDENTIFIERS, KNOWN_KEYS, block_slots
from sentinel_core.dialects.anthropic_messages.words import counts, finish_reason, usage_of
from sentinel_core.dialects.slots import Path, TextSlot, string_slots
from sentinel_core.errors import UpstreamError
from sentinel_core.events import (
    Event,
    Finish,
    Frame,
    Opaque,
    ReasoningDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonObject

_encode = msgspec.json.Encoder().encode
INPUT: Path = ("content_block", "input")
"""Where a tool's input stands that came whole, with its block's start."""
_BLOCK: Path = ("content_block",)
_NONE: Final = object()
_WHOLE = frozenset({"signature_delta", "citations_delta"})
"""Deltas that are none of a text."""
_TEXT_PATH: Path = ("delta", "text")
BLOCK_EVENTS = frozenset({"content_block_start", "content_block_delta"})


class Place(NamedTuple):
    """Where one event stands in a frame: `text` at `path`, `finish`, `usage`, or `opaque` at `paths`. `empty` is opaque
    too, and ends a tool that was given no input."""

    kind: str
    path: Path = ()
    paths: tuple[Path, ...] = ()


_PLAIN_TEXT = (Place("text", _TEXT_PATH),)


class MessagesStreamDecoder:
    """Decodes one stream: numbers its tool calls, adds up its usage, and knows whether it is complete."""

    __slots__ = (
        "_called",
        "_calls",
        "_counted",
        "_counts",
        "_done",
        "_empty",
        "_ended",
        "_finished",
        "_open",
        "_outside",
        "_own",
        "_plain",
    )

    def __init__(self) -> None:
        self._done = False
        self._finished = False
        self._calls: dict[int, int] = {}
        self._called, self._own = count(), count(-1, -1)
        self._counts: JsonObject = {}
        self._counted = False
        """Whether the answer's tokens were counted after they came."""
        self._empty: set[int] = set()
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._outside: set[tuple[int, str]] = set()
        self._plain: object = _NONE
        """The block whose text may go on the short way: it is open."""

    @property
    def done(self) -> bool:
        """`message_stop` has been seen."""
        return self._done

    def bears_content(self, event: Event) -> bool:
        """False for what opens a message or an empty block, and for running token counts."""
        if isinstance(event, Opaque):
            return bool(event.slots) and event.frame is not None and event.frame.name in BLOCK_EVENTS
        return not isinstance(event, UsageReport)

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one payload; a ping has none."""
        if self._done or not data:
            return ()
        data = mended(data)
        body = decode_reply(data, EVENT_LIMITS)
        kind = body.get("type", name)
        if kind == "error" or body.get("error"):
            raise reported_error(body)
        if not isinstance(kind, str):
            raise UpstreamError("upstream_invalid_response")
        return () if kind == "ping" or not kind else self.events(data, body, kind)

    def end(self) -> None:
        """The upstream has ended. Only a stop reason makes a message complete (U09)."""
        if not self._finished:
            raise UpstreamError("upstream_stream_interrupted")

    def events(self, data: bytes, body: JsonObject, kind: str) -> Sequence[Event]:
        """The events of one decoded payload; `data` is empty where it has none. Raises as `decode`."""
        if kind == "content_block_delta" and body.get("index") == self._plain and _is_plain_text(body):
            return (TextDelta(frame=Frame(data, body, _PLAIN_TEXT, kind), text=body["delta"]["text"]),)
        frame = Frame(data, body, (), kind)
        found = self._read(body, kind)
        paths = {place.path for _, place in found if place.kind == "text"}
        slots = tuple(slot for slot in _slots(body) if slot.path not in paths and slot.path[:2] not in paths)
        if slots or not found:
            goes_on = kind == "content_block_delta" and not found and self._goes_on(body["delta"], _index(body))
            rest = Opaque(slots=slots, ends=self._ends_text(body, kind), goes_on=goes_on)
            found.append((rest, Place("opaque", paths=tuple(slot.path for slot in slots))))
        frame.places = [place for _, place in found]
        frame.size = len(found)
        return [msgspec.structs.replace(event, frame=frame, part=part) for part, (event, _) in enumerate(found)]

    def _read(self, body: JsonObject, kind: str) -> list[tuple[Event, Place]]:
        """What the channels, the end and the usage carry of one payload."""
        if kind == "content_block_delta":
            return self._delta(_object(body, "delta"), _index(body))
        if kind == "content_block_start":
            return self._start(_object(body, "content_block"), _index(body))
        if kind == "message_start":
            return self._usage(counts(_object(body, "message").get("usage")))
        if kind == "message_delta":
            reason = _object(body, "delta").get("stop_reason")
            found: list[tuple[Event, Place]] = []
            if isinstance(reason, str):
                self._finished = True
                found.append((Finish(reason=finish_reason(reason)), Place("finish")))
            last = counts(body.get("usage"))
            self._counted = self._counted or "output_tokens" in last
            return found + self._usage(last)
        if kind == "content_block_stop" and _index(body) in self._empty:
            return [(Opaque(ends=self._ends_text(body, kind)), Place("empty"))]
        self._done = kind == "message_stop"
        return []

    def _delta(self, delta: JsonObject, index: int) -> list[tuple[Event, Place]]:
        if index in self._ended:
            raise UpstreamError("upstream_invalid_response")  # to guards it would be another text
        kind = delta.get("type")
        if kind == "text_delta" and isinstance(delta.get("text"), str):
            return [(TextDelta(text=delta["text"]), Place("text", _TEXT_PATH))]
        if kind == "thinking_delta" and isinstance(delta.get("thinking"), str):
            return [(ReasoningDelta(text=delta["thinking"]), Place("text", ("delta", "thinking")))]
        if kind == "input_json_delta" and index in self._calls and isinstance(delta.get("partial_json"), str):
            event = ToolCallDelta(text=delta["partial_json"], index=self._calls[index])
            if event.text:
                self._empty.discard(index)
            return [(event, Place("text", ("delta", "partial_json")))]
        return []

    def _start(self, block: JsonObject, index: int) -> list[tuple[Event, Place]]:
        kind = block.get("type")
        if not isinstance(kind, str):
            raise UpstreamError("upstream_invalid_response")
        self._open.add(index)
        self._ended.discard(index)
        self._plain = index
        if kind == "tool_use" or "input" in block:
            # A block's index counts other blocks too. What the provider calls itself is numbered apart, downwards, so
            # that no client of another format takes it for its own to make.
            number = self._calls[index] = next(self._called if kind == "tool_use" else self._own)
            call = block.get("input")
            if not call:
                self._empty.add(index)
            name, identifier = block.get("name"), block.get("id")
            event = ToolCallDelta(
                text=_encode(call).decode() if call else "",
                index=number,
                id=identifier if isinstance(identifier, str) else None,
                name=name if isinstance(name, str) else None,
            )
            return [(event, Place("text", INPUT))]
        for key, event_type in (("text", TextDelta), ("thinking", ReasoningDelta)):
            if kind == key and isinstance(block.get(key), str) and block[key]:
                opening: TextEvent = event_type(text=block[key])
                return [(opening, Place("text", (*_BLOCK, key)))]
        return []

    def _goes_on(self, delta: JsonObject, index: int) -> bool:
        """Whether a fragment outside the channels goes on with one of the same block."""
        kind = (index, str(delta.get("type")))
        goes_on = kind in self._outside
        self._outside.add(kind)
        return goes_on and delta.get("type") not in _WHOLE

    def _ends_text(self, body: JsonObject, kind: str) -> bool:
        """A block ends, or its text does: a signature signs thinking that is complete. Text of a block that is still
        open goes on: where blocks overlap, nothing ends with the first of them."""
        if kind == "content_block_stop":
            self._open.discard(_index(body))
            self._ended.add(_index(body))
            self._plain = _NONE
        elif kind != "content_block_delta" or _object(body, "delta").get("type") != "signature_delta":
            return False
        return not self._open or self._open == {_index(body)}

    def _usage(self, found: JsonObject) -> list[tuple[Event, Place]]:
        """The counts so far: those of the start, replaced by what later ones say (they are cumulative)."""
        self._counts.update(found)
        total = usage_of(self._counts)
        if not found or total is None:
            return []
        usage = total if self._counted else Provisional(*msgspec.structs.astuple(total))
        return [(UsageReport(usage=usage), Place("usage"))]


def _is_plain_text(body: JsonObject) -> bool:
    delta = body.get("delta")
    return (
        len(body) == 3
        and type(delta) is dict
        and len(delta) == 2
        and delta.get("type") == "text_delta"
        and type(delta.get("text")) is str
    )


def _object(body: JsonObject, key: str) -> JsonObject:
    value = body.get(key)
    if not isinstance(value, dict):
        raise UpstreamError("upstream_invalid_response")
    return value


def _index(body: JsonObject) -> int:
    index = body.get("index")
    if type(index) is not int:
        raise UpstreamError("upstream_invalid_response")
    return index


def _slots(body: JsonObject) -> list[TextSlot]:
    """Every string of a payload that guards read."""
    rest = {key: value for key, value in body.items() if key != "content_block"}
    slots = string_slots(rest, (), role="assistant", skip=IDENTIFIERS, known=KNOWN_KEYS)
    if "content_block" in body:
        slots += block_slots(body["content_block"], _BLOCK, "assistant")
    return slots
