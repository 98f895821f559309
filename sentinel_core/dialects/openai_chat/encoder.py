"""Events as the client's stream: the upstream's chunks as they came, or patched where a stage changed them."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import ClassVar

import msgspec

from sentinel_core.dialects.line_ends import CR, LF
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.dialects.openai_chat.commitment import commits
from sentinel_core.dialects.openai_chat.copies import reasoning_again
from sentinel_core.dialects.openai_chat.errors import error_object
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.openai_chat.heads import Heads, call_delta
from sentinel_core.dialects.openai_chat.held_logprobs import HeldLogprobs
from sentinel_core.dialects.openai_chat.left_out import left_out
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.dialects.openai_chat.plain_chunk import PLAIN, PLAIN_NULL_USAGE, PlainWriter
from sentinel_core.dialects.slots import patched
from sentinel_core.errors import SentinelError
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
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Request

_encode = msgspec.json.Encoder().encode
_EMPTY_USAGE = re.compile(rb',\s*"usage"\s*:\s*null|"usage"\s*:\s*null\s*,')


class ChatStreamEncoder:
    """Encodes one stream.

    A chunk that became one event leaves with it. A chunk that became several leaves when its last event does, or
    when an event of another chunk shows that a stage kept the rest.
    """

    _object: ClassVar[str] = "chat.completion.chunk"
    _prefix: ClassVar[str] = "chatcmpl"

    __slots__ = (
        "_begun",
        "_emitted",
        "_frame",
        "_heads",
        "_include_usage",
        "_latest",
        "_logprobs",
        "_model",
        "_parts",
        "_plain",
        "_reasoning",
        "_started",
        "_usage",
    )

    def __init__(self, request: Request) -> None:
        self._include_usage = request.include_usage
        self._model = request.model or ""
        self._started = int(time.time())
        self._begun = False  # an event of the answer waits for those of its chunk, or has left with them
        self._frame: Frame | None = None
        self._parts: dict[int, Event] = {}
        self._emitted: Frame | None = None
        self._latest: Frame | None = None
        self._usage: UsageReport | None = None
        self._heads = Heads()
        self._logprobs = HeldLogprobs()
        self._reasoning: dict[int, JsonMapping] = {}  # where a choice's reasoning stands, as it came
        self._plain = PlainWriter(include_usage=request.include_usage)

    def encode(self, event: Event) -> bytes:
        """The bytes that this event releases."""
        frame = event.frame
        if frame is None:
            if isinstance(event, UsageReport):
                self._usage = event  # other dialects count as they go; the chunk for it is the last one
                return self._flush()
            return self._flush() + self._synthetic(event)
        if frame.places is PLAIN and self._frame is None:  # nearly every chunk: what the way below would give
            if not (event.changed or frame.reencode):
                self._latest = frame
                return b"data: " + frame.raw + b"\n\n"
            if isinstance(event, TextDelta):
                self._latest = frame
                return self._plain.written(frame, event.text)
        if frame.size == 1 and self._frame is None:
            self._latest = frame
            whole = not event.changed and not self._heads.awaits(event)
            return self._whole(frame) if whole else self._render(frame, {0: event})
        released = b""
        if frame is not self._frame or event.part in self._parts:
            released = self._flush()
            self._frame = frame
        self._parts[event.part] = event
        self._begun = self._begun or not isinstance(event, Opaque | UsageReport)
        return released + self._flush() if event.part == frame.size - 1 else released

    def opens(self, event: Event) -> bool:
        """Whether an event only opens an answer, and nothing of it leaves with what this event releases."""
        return not self._begun and isinstance(event, Opaque) and not commits(event)

    def finish(self) -> bytes:
        """The rest, the usage chunk if one is to be made and wanted, and the end marker."""
        usage = self._synthetic(self._usage) if self._usage is not None and self._include_usage else b""
        return self._flush() + usage + b"data: [DONE]\n\n"

    def fail(self, error: SentinelError) -> bytes:
        """The rest, and one error event; no end marker, no finish reason."""
        return self._flush() + _sse(_encode(error_object(error)))

    def _flush(self) -> bytes:
        frame, parts = self._frame, self._parts
        if frame is None:
            return b""
        self._frame, self._parts = None, {}
        self._latest = frame
        complete = len(parts) == frame.size and frame is not self._emitted
        self._emitted = frame
        whole = complete and not any(event.changed or self._heads.awaits(event) for event in parts.values())
        released = self._whole(frame) if whole else self._render(frame, parts)
        for event in parts.values():
            if isinstance(event, ToolCallDelta):
                self._heads.written(event)
        return released

    def _whole(self, frame: Frame) -> bytes:
        """The chunk as it came, without the usage that only the gateway asked for."""
        raw = frame.raw
        if not frame.reencode:
            if frame.places is PLAIN:
                return _sse(raw)
            if frame.places is PLAIN_NULL_USAGE and not self._include_usage:
                stripped = raw.replace(b',"usage":null', b"", 1)
                if len(stripped) < len(raw):
                    return _sse(stripped)
        if not self._include_usage and "usage" in frame.body:
            if not frame.body["choices"] and frame.body["usage"] is not None:
                return b""
            raw = _without_usage(frame)
        elif not raw or frame.reencode or LF in raw or CR in raw:
            raw = _encode(frame.body)
        return _sse(raw)

    def _render(self, frame: Frame, parts: Mapping[int, Event]) -> bytes:
        """The chunk with only these events in it, each with its own text."""
        body = dict(frame.body)
        body["choices"] = [self._copied(choice) for choice in body["choices"]]
        withheld = any(place.key == "$opaque" and part not in parts for part, place in enumerate(frame.places))
        for part in reversed(range(frame.size)):  # backwards, so that removing a tool call moves no other
            place: Place = frame.places[part]
            event = parts.get(part)
            if event is None and place.key in ("tool_calls", "function_call") and not withheld:
                self._heads.keep(body["choices"][place.choice], place)
            body = self._put(body, place, event)
        if not self._include_usage:
            body.pop("usage", None)
        if not body["choices"] and "usage" not in body and not any(isinstance(e, Opaque) for e in parts.values()):
            return b""
        return _sse(_encode(body))

    def _synthetic(self, event: Event) -> bytes:
        """A chunk for an event that a stage made itself."""
        latest: JsonMapping = self._latest.body if self._latest is not None else {}
        created = latest.get("created")
        body: JsonObject = {
            "id": latest.get("id") or f"{self._prefix}-{self._started}",
            "object": self._object,
            "created": created if isinstance(created, int | float) else self._started,  # 0 too: all chunks say the same
            "model": latest.get("model") or self._model,
            "choices": [],
        }
        if isinstance(fingerprint := latest.get("system_fingerprint"), str):
            body["system_fingerprint"] = fingerprint
        if isinstance(event, UsageReport):
            body["usage"] = usage_object(event.usage)
        elif isinstance(event, Opaque):
            return b""
        else:
            body["choices"] = [self._choice(self._heads.named(event) if isinstance(event, ToolCallDelta) else event)]
        return _sse(_encode(body))

    def _put(self, body: JsonObject, place: Place, event: Event | None) -> JsonObject:
        """Write one event to its place in a copied chunk; None takes what stood there out."""
        if place.key == "usage":
            if event is None:
                body.pop("usage", None)
            elif isinstance(event, UsageReport) and event.changed:
                body["usage"] = {**body["usage"], **_usage(event)}
            return body
        if place.key == "$opaque":
            return _patched(body, event) if isinstance(event, Opaque) else left_out(body, place.paths)
        choice = body["choices"][place.choice]
        if place.key == "finish_reason":
            choice["finish_reason"] = event.reason if isinstance(event, Finish) else None
        else:
            self._put_channel(choice, place, event)
        return body

    def _copied(self, choice: JsonMapping) -> JsonObject:
        """A choice that can be written into without touching the original."""
        return {**choice, "delta": dict(choice.get("delta") or {})}

    def _put_channel(self, choice: JsonObject, place: Place, event: Event | None) -> None:
        """Write one channel's fragment into a copied choice."""
        if place.key in ("tool_calls", "function_call"):
            self._put_call(choice["delta"], place, event)
        else:
            self._put_delta(choice, place, event)

    def _put_delta(self, choice: JsonObject, place: Place, event: Event | None) -> None:
        """Write one fragment of text into a copied choice. What says a changed text again says the new one too; of its
        logprobs, those leave whose tokens do."""
        text, delta = event.text if isinstance(event, TextEvent) else "", choice["delta"]
        if event is None or event.changed:
            if place.key in REASONING_KEYS:
                self._reasoning[choice.get("index", place.choice)] = {**delta}
                delta |= reasoning_again(delta, text)
            if choice.get("logprobs"):
                number, scored = choice.get("index", place.choice), choice["logprobs"]
                is_content = place.key == "content" and isinstance(scored, Mapping)
                choice["logprobs"] = self._logprobs.said(number, scored, text) if is_content else None
        delta[place.key] = text

    def _put_call(self, delta: JsonObject, place: Place, event: Event | None) -> None:
        """Write one fragment of a tool call into a copied delta, or take the call out."""
        if place.key == "function_call":
            if isinstance(event, ToolCallDelta):
                delta["function_call"] = self._heads.completed(event, {"function": delta["function_call"]})["function"]
            else:
                del delta["function_call"]
            return
        calls = list(delta["tool_calls"])
        if isinstance(event, ToolCallDelta):
            calls[place.tool] = self._heads.completed(event, calls[place.tool])
        else:
            del calls[place.tool]
        if calls:
            delta["tool_calls"] = calls
        else:
            del delta["tool_calls"]

    def _choice(self, event: TextEvent | Finish) -> JsonObject:
        """The choice of a chunk for an event that a stage made itself."""
        reason = event.reason if isinstance(event, Finish) else None
        delta: JsonObject = {}
        scored: JsonObject = {}
        if isinstance(event, ToolCallDelta):
            delta = call_delta(event, custom=self._heads.is_custom(event))
        elif isinstance(event, ReasoningDelta):
            delta = reasoning_again(self._reasoning.get(event.choice, {}), event.text)
        elif isinstance(event, TextEvent):
            delta = {event.channel: event.text}
            logprobs = self._logprobs.said(event.choice, None, event.text)
            scored = {"logprobs": logprobs} if logprobs is not None else {}
        return {"index": event.choice, "delta": delta, **scored, "finish_reason": reason}


def _sse(payload: bytes) -> bytes:
    return b"data: " + payload + b"\n\n"


def _without_usage(frame: Frame) -> bytes:
    """The chunk without `usage`. An unescaped `"usage"` cannot stand inside a JSON string, so bytes suffice."""
    raw = frame.raw
    if (
        raw
        and not frame.reencode
        and frame.body["usage"] is None
        and raw.count(b'"usage"') == 1
        and LF not in raw
        and CR not in raw
    ):
        stripped = raw.replace(b',"usage":null', b"", 1)
        return stripped if len(stripped) < len(raw) else _EMPTY_USAGE.sub(b"", raw, count=1)
    return _encode({key: value for key, value in frame.body.items() if key != "usage"})


def _patched(body: JsonObject, event: Opaque) -> JsonObject:
    """Write the strings outside the channels that a stage changed."""
    result: JsonObject = patched(body, event.patches) if event.patches else body
    return result


def _usage(event: UsageReport) -> JsonObject:
    usage = event.usage
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.total_tokens,
    }
