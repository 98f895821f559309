"""Completions as messages, and the events of streams between the two forms."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel_core.dialects.anthropic_messages import thinking
from sentinel_core.dialects.anthropic_messages.assembly import tool_input
from sentinel_core.dialects.anthropic_messages.content import extension, own_extension
from sentinel_core.dialects.anthropic_messages.decoder import Place
from sentinel_core.dialects.anthropic_messages.wire import message_start
from sentinel_core.dialects.anthropic_messages.words import CUTS, stop_reason, usage_object
from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.canonical import chunk_event, opening_event
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Answer, Event, Frame, Opaque, ReasoningDelta, Request, ToolCallDelta

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect


def answer_of(dialect: Dialect, body: Mapping[str, Any], request: Request) -> Answer:
    """A completion's first choice as a message: the format has one. Raises `UpstreamError` for arguments of a tool that
    are no JSON object, unless the answer was cut off in them."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, Sequence) and choices else None
    if not isinstance(choice, Mapping) or not isinstance(choice.get("message"), Mapping):
        raise UpstreamError("upstream_invalid_response")
    message = choice["message"]
    kept = own_extension(message) or {}
    usage = decode_usage(body.get("usage"))
    finish = str(choice.get("finish_reason"))
    calls = _calls(message, cut=finish in CUTS)
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


def _texts(message: Mapping[str, Any], kept: Mapping[str, Any]) -> list[dict[str, Any]]:
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
            blocks += [{"type": "text", "text": part["text"]} for part in said if isinstance(part.get("text"), str)]
    return blocks


def _calls(message: Mapping[str, Any], *, cut: bool) -> list[dict[str, Any]]:
    """The message's calls of tools, as blocks; `cut` if the last one may lack its end."""
    calls = message.get("tool_calls") or ()
    if not calls and isinstance(message.get("function_call"), Mapping):
        calls = ({"id": "toolu_0", "function": message["function_call"]},)
    blocks: list[dict[str, Any]] = []
    for call in calls:
        function = call.get("function") or {}
        made = tool_input(function.get("arguments") or "", cut=cut)
        blocks.append({"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": made})
    return blocks


class ToCanonical:
    """The events of one Messages stream in canonical form.

    The opening becomes a chunk, and so do signatures: nothing else of a stream could carry them. A tool that is called
    without any input gets an empty object, for clients parse what they are given.
    """

    def __init__(self) -> None:
        self._tool = 0
        self._thinking: dict[int, int] = {}
        self._chunk: dict[str, Any] = {}

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
            return (_bare(event),) if self._chunk else (self._opening({}), _bare(event))
        if frame.name == "content_block_stop" and any(place.kind == "empty" for place in frame.places):
            return (ToolCallDelta(index=self._tool, text="{}"),) if self._tool >= 0 else ()
        part = self._thinking_part(frame)
        return (chunk_event(self._chunk, extension({thinking.BLOCKS: [part]})),) if part and self._chunk else ()

    def _opening(self, message: Mapping[str, Any]) -> Event:
        head = {
            "id": message.get("id") or "msg_gateway",
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": message.get("model") or "",
        }
        self._chunk = head
        return opening_event(head)

    def _thinking_part(self, frame: Frame) -> dict[str, Any] | None:
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
    """Canonical events for a client of Messages: the opening becomes `message_start`, its encoder does the rest."""

    def __init__(self, request: Request) -> None:
        pass

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes."""
        frame = event.frame
        if frame is None:
            return () if isinstance(event, Opaque) else (event,)
        if "role" not in frame.body["choices"][0]["delta"]:
            return ()  # another vendor's extension
        body = message_start(frame.body["id"], frame.body["model"])
        return (Opaque(frame=Frame(b"", body, (Place("opaque"),), "message_start")),)

    def end(self) -> Sequence[Event]:
        """Nothing: the encoder writes how the message ended."""
        return ()
