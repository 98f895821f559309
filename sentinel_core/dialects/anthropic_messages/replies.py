"""Completions as messages, and the events of streams between the two forms."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.dialects.anthropic_messages import thinking
from sentinel_core.dialects.anthropic_messages.content import extension, own_extension
from sentinel_core.dialects.anthropic_messages.decoder import Place
from sentinel_core.dialects.anthropic_messages.fields import IDENTIFIERS
from sentinel_core.dialects.anthropic_messages.inputs import tool_input
from sentinel_core.dialects.anthropic_messages.wire import call_id, message_start, seed_of
from sentinel_core.dialects.anthropic_messages.words import (
    CUTS,
    EXTENSION,
    VENDOR,
    finish_reason,
    stop_reason,
    usage_object,
)
from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.canonical import chunk_event, opening_event
from sentinel_core.dialects.openai_chat.fields import KNOWN_KEYS
from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL
from sentinel_core.dialects.slots import string_slots
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Frame, Opaque, ReasoningDelta, RefusalDelta, ToolCallDelta
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer, Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_OLDER_NUMBER = 1 << 31
"""The number of a `function_call`, which has none: no call of `tool_calls` has it."""
_DELTA = ("choices", 0, "delta")
_KNOWN = KNOWN_KEYS | {EXTENSION, VENDOR, "stop_reason", "stop_sequence"}


def answer_of(dialect: Dialect, body: JsonMapping, request: Request) -> Answer:
    """A completion's first choice as a message: the format has one. Raises `UpstreamError` for what is no completion,
    and for arguments of a tool that are no JSON object, unless the answer was cut off in them."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, Sequence) and choices else None
    if not isinstance(choice, Mapping) or not isinstance(choice.get("message"), Mapping):
        raise UpstreamError("upstream_invalid_response")
    message = choice["message"]
    kept = own_extension(message) or {}
    usage = decode_usage(body.get("usage"))
    finish = str(choice.get("finish_reason"))
    calls = _calls(message, seed_of(body.get("id")), cut=finish in CUTS)
    made = {
        "id": body.get("id") or "msg_gateway",
        "type": "message",
        "role": "assistant",
        "model": body.get("model") or "",
        "content": _texts(message, kept) + calls,
        "stop_reason": kept.get("stop_reason") or stop_reason(finish, calls=bool(calls)),
        "stop_sequence": kept.get("stop_sequence"),
        "usage": usage_object(usage),
    }
    return Answer(dialect=dialect, body=made, usage=usage)


def _texts(message: JsonMapping, kept: JsonMapping) -> list[JsonObject]:
    """What the message says, as blocks."""
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    reasoning = reasoning if isinstance(reasoning, str) else ""
    blocks = thinking.joined(reasoning, kept.get(thinking.BLOCKS))
    if blocks is None:
        blocks = [{"type": "thinking", "thinking": reasoning, "signature": ""}] if reasoning else []
    for key in ("content", "refusal"):
        said = message.get(key)
        if isinstance(said, str) and said:
            blocks.append({"type": "text", "text": said})
        elif isinstance(said, list):
            parts = [_object(part) for part in said]
            blocks += [{"type": "text", "text": part["text"]} for part in parts if isinstance(part.get("text"), str)]
    return blocks


def _calls(message: JsonMapping, seed: str, *, cut: bool) -> list[JsonObject]:
    """The message's calls of tools, as blocks; `seed` is for those without an id, `cut` if the last one may lack its
    end."""
    calls, older = message.get("tool_calls") or (), message.get("function_call")
    if not calls and isinstance(older, Mapping):
        return [_call({"function": older}, call_id(seed, FUNCTION_CALL), cut=cut)]
    if not isinstance(calls, list | tuple):
        raise UpstreamError("upstream_invalid_response")
    return [_call(_object(call), call_id(seed, number), cut=cut) for number, call in enumerate(calls)]


def _call(call: JsonMapping, own_id: str, *, cut: bool) -> JsonObject:
    """A call as a block; `own_id` is for one without. Some servers give its arguments as an object."""
    function, identifier = _object(call.get("function")), call.get("id")
    name, arguments = function.get("name"), function.get("arguments")
    if not isinstance(name, str) or not isinstance(arguments, str | Mapping | None):
        raise UpstreamError("upstream_invalid_response")
    made = dict(arguments) if isinstance(arguments, Mapping) else tool_input(arguments or "", cut=cut)
    known = isinstance(identifier, str) and identifier
    return {"type": "tool_use", "id": identifier if known else own_id, "name": name, "input": made}


def _object(value: JsonValue) -> JsonMapping:
    if not isinstance(value, Mapping):
        raise UpstreamError("upstream_invalid_response")
    return value


class ToCanonical:
    """The events of one Messages stream in canonical form.

    The opening becomes a chunk, and so do signatures and stop reasons that OpenAI has no word for: nothing else of a
    stream could carry them. A tool that is called without any input gets an empty object, for clients parse what they
    are given.
    """

    def __init__(self) -> None:
        self._tool = 0
        self._thinking: dict[int, int] = {}
        self._chunk: JsonObject = {}

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes."""
        frame = event.frame
        if frame is None:
            return (event,)
        if frame.name == "message_start" and not self._chunk:
            opening = self._opening(frame.body["message"])
            return (opening,) if isinstance(event, Opaque) else (opening, _bare(event))
        if not isinstance(event, Opaque):
            if isinstance(event, ToolCallDelta):
                self._tool = event.index
                if self._tool < 0:
                    return ()  # the provider's own: no client makes this call
            elif isinstance(event, ReasoningDelta):
                index = frame.body["index"]
                self._thinking[index] = self._thinking.get(index, 0) + len(event.text)
            begun = () if self._chunk else (self._opening({}),)
            stop = self._stop(frame.body["delta"]) if isinstance(event, Finish) else ()
            return (*begun, *stop, _bare(event))
        if frame.name == "content_block_stop" and any(place.kind == "empty" for place in frame.places):
            return (ToolCallDelta(index=self._tool, text="{}"),) if self._tool >= 0 else ()
        part = self._thinking_part(frame)
        return (chunk_event(self._chunk, extension({thinking.BLOCKS: [part]})),) if part and self._chunk else ()

    def _opening(self, message: JsonMapping) -> Event:
        head = {
            "id": message.get("id") or "msg_gateway",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": message.get("model") or "",
        }
        self._chunk = head
        return opening_event(head)

    def _stop(self, delta: JsonMapping) -> Sequence[Event]:
        """What a message says of its end beside OpenAI's word for it, as its whole answer does."""
        reason, details = delta["stop_reason"], delta.get("stop_details")
        if stop_reason(finish_reason(reason)) != reason:
            said = extension({"stop_reason": reason, "stop_sequence": delta.get("stop_sequence")})
            slots = string_slots(said, _DELTA, role="assistant", skip=IDENTIFIERS, known=_KNOWN)
            return (chunk_event(self._chunk, said, tuple(slots)),)
        explained = details.get("explanation") if reason == "refusal" and isinstance(details, Mapping) else None
        return (RefusalDelta(text=explained),) if isinstance(explained, str) else ()

    def _thinking_part(self, frame: Frame) -> JsonObject | None:
        """What a signed or redacted block holds beside its text, numbered for clients that put deltas together."""
        if frame.name == "content_block_delta":
            delta, index = frame.body["delta"], frame.body["index"]
            if delta.get("type") != "signature_delta":
                return None
            signed = {"type": "thinking", "signature": delta.get("signature"), "length": self._thinking.get(index, 0)}
            return {"index": index, **signed}
        block = frame.body.get("content_block") or {}
        redacted = frame.name == "content_block_start" and block.get("type") == "redacted_thinking"
        return {"index": frame.body["index"], **block} if redacted else None


def _bare(event: Event) -> Event:
    return msgspec.structs.replace(event, frame=None, part=0)


class FromCanonical:
    """Canonical events for a client of Messages: the opening becomes `message_start`, its encoder does the rest. A call
    of the older kind is one that the client makes, and each has an id. A call begins with its name, which may come
    after its id, or else with its first argument."""

    def __init__(self, request: Request) -> None:
        self._seed = ""
        self._called: set[int] = set()
        self._nameless: dict[int, ToolCallDelta] = {}  # beginnings of calls

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes."""
        frame = event.frame
        if isinstance(event, ToolCallDelta):
            return self._fragment(event)
        if isinstance(event, Finish):
            return (*self._rest(), event)
        if frame is None:
            return () if isinstance(event, Opaque) else (event,)
        if "role" not in frame.body["choices"][0]["delta"]:
            return ()  # another vendor's extension
        self._seed = self._seed or seed_of(frame.body["id"])
        body = message_start(frame.body["id"], frame.body["model"])
        return (Opaque(frame=Frame(b"", body, (Place("opaque"),), "message_start")),)

    def _fragment(self, event: ToolCallDelta) -> Sequence[Event]:
        """A fragment of a call, or nothing while it only begins."""
        number = event.index
        begun = self._nameless.pop(number, None)
        if begun is not None and not event.id:
            event = msgspec.structs.replace(event, id=begun.id)
        if number in self._called or event.name or event.text:
            return (self._call(event),)
        self._nameless[number] = event
        return ()

    def _rest(self) -> Sequence[Event]:
        """Calls of which nothing more came."""
        left, self._nameless = self._nameless, {}
        return [self._call(event) for event in left.values()]

    def _call(self, event: ToolCallDelta) -> ToolCallDelta:
        """A fragment of a call; the first one says its id."""
        number = event.index
        if number == FUNCTION_CALL:
            event = msgspec.structs.replace(event, index=_OLDER_NUMBER)
        if number in self._called:
            return event
        self._called.add(number)
        if event.id:
            return event
        self._seed = self._seed or seed_of(None)
        return msgspec.structs.replace(event, id=call_id(self._seed, number))

    def end(self) -> Sequence[Event]:
        """What is left of calls. The encoder writes how the message ended."""
        return self._rest()
