"""The canonical form is OpenAI's own, so there is little to do: to leave out what others put into it.

Other dialects keep what OpenAI's format lacks under names that it does not have: `extra_content` (of a request, a
message, a part, a tool), `top_k`, `cache_control`. `reasoning_content` of an assistant's turn stays: hosts of OpenAI's
format differ in whether they want it back (`thoughts`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.opening import opens
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.dialects.openai_chat.tool_results import with_plain_results
from sentinel_core.dialects.slots import TextSlot
from sentinel_core.dialects.translation import Translated
from sentinel_core.events import Event, Frame, Opaque, ToolCallDelta
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer, Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

EXTENSION = "extra_content"
_FOREIGN = frozenset({"top_k", EXTENSION})
_USER_CHARS = 64
"""OpenAI takes no longer `user`; a client's id for Anthropic may have twice as many."""
FAILED: Final = "messages.is_error"
"""The name of what a tool's result says beside its content where the tool failed."""


def request_as_it_is(request: Request) -> Translated:
    """The body itself: this is the canonical form."""
    return Translated(request.body)


def request_body(body: JsonMapping, model: str) -> Translated:
    """The canonical request for an upstream that takes OpenAI's fields, and what it cannot be told."""
    plain, dropped = plain_body(body, model)
    return Translated({**plain, "messages": with_plain_results(plain["messages"])}, dropped)


def plain_body(body: JsonMapping, model: str) -> Translated:
    """The same but for results of tools, which may still hold more than text: each message is one of the client's."""
    dropped = extension_names(body.get(EXTENSION))
    if "top_k" in body:
        dropped.append("top_k")
    result = {key: value for key, value in body.items() if key not in _FOREIGN}
    user = body.get("user")
    if isinstance(user, str) and len(user) > _USER_CHARS:
        del result["user"]
        dropped.append("user")
    result["model"] = model
    result["messages"] = [_message(message, dropped) for message in body["messages"]]
    if body.get("tools"):
        result["tools"] = _plain(body["tools"], dropped, "tools")
        if not result["tools"]:
            for name in ("tools", "tool_choice", "parallel_tool_calls"):
                result.pop(name, None)
    return Translated(result, tuple(dict.fromkeys(dropped)))


def answer_as_it_is(answer: Answer) -> JsonMapping:
    """The body itself."""
    return answer.body


def answer_of(dialect: Dialect, body: JsonMapping, request: Request | None = None) -> Answer:
    """An answer with this body, whoever asked."""
    return Answer(dialect=dialect, body=body, usage=decode_usage(body.get("usage")))


def opening_event(head: JsonMapping, choice: int = 0) -> Opaque:
    """The chunk that opens a choice of a stream: who answers, and the role."""
    return chunk_event(head, {"role": "assistant", "content": ""}, choice=choice)


def chunk_event(head: JsonMapping, delta: JsonMapping, slots: tuple[TextSlot, ...] = (), choice: int = 0) -> Opaque:
    """A chunk that no other event could say: an extension, with the strings of it that guards read."""
    place = Place("$opaque", paths=tuple(slot.path for slot in slots))
    return Opaque(choice=choice, frame=Frame(b"", chunk_body(head, delta, choice), (place,)), slots=slots)


def chunk_body(head: JsonMapping, delta: JsonMapping, choice: int = 0, **more: JsonValue) -> JsonObject:
    """A chunk of one choice, in JSON."""
    return {**head, "choices": [{"index": choice, "delta": delta, **more, "finish_reason": None}]}


def merged_extension(kept: JsonMapping, more: JsonMapping) -> JsonObject:
    """What vendors keep, and more of it: of a vendor's lists the pieces go on from one another. The numbers by which a
    stream's clients put such lists together have done their duty."""
    result = dict(kept)
    for vendor, fields in more.items():
        known = result.get(vendor)
        if isinstance(fields, Mapping):
            result[vendor] = {**(known if isinstance(known, Mapping) else {}), **_gone_on(known, fields)}
        else:
            result[vendor] = fields
    return result


class ToCanonical:
    """The events of one stream of OpenAI's chunks in canonical form."""

    def __init__(self) -> None:
        self._head: JsonMapping | None = None
        self._kept: Frame | None = None  # whose extensions have been told

    def translate(self, event: Event) -> Sequence[Event]:
        """The event without its chunk, after the opening. What stands outside the channels is left out, but for
        extensions, and so is what comes before anybody answers."""
        frame = event.frame
        if frame is None:
            return (event,)
        opening: tuple[Event, ...] = ()
        if self._head is None:
            body = frame.body
            if isinstance(event, Opaque) and not opens(body):
                return ()
            self._head = {"id": body.get("id") or "", "object": "chat.completion.chunk"}
            self._head |= {"created": body.get("created") or 0, "model": body.get("model") or ""}
            opening = (opening_event(self._head),)
        if isinstance(event, Opaque):
            return (*opening, *self._extensions(frame))
        said = msgspec.structs.replace(event, frame=None, part=0)
        return (*opening, said, *self._extensions(frame)) if isinstance(event, ToolCallDelta) else (*opening, said)

    def _extensions(self, frame: Frame) -> Sequence[Event]:
        """What a chunk holds that only one vendor knows, told once for all events that were made of it."""
        if frame is self._kept or self._head is None:
            return ()
        self._kept = frame
        found = [(choice.get("index", 0), _extended(choice.get("delta"))) for choice in frame.body["choices"]]
        return [chunk_event(self._head, delta, choice=index) for index, delta in found if delta]


class FromCanonical:
    """Canonical events for a client of OpenAI's chunks: as they are."""

    def __init__(self, request: Request) -> None:
        pass

    def translate(self, event: Event) -> Sequence[Event]:
        """The event itself."""
        return (event,)

    def end(self) -> Sequence[Event]:
        """Nothing: the encoder writes the end marker."""
        return ()


def _message(message: JsonMapping, dropped: list[str]) -> JsonObject:
    result = {key: value for key, value in message.items() if key != EXTENSION}
    dropped += result_names(message)
    content = result.get("content")
    if isinstance(content, list):
        result["content"] = _plain(content, dropped, "messages") or ""
    return result


def _plain(items: Iterable[JsonMapping], dropped: list[str], where: str) -> list[JsonObject]:
    """Parts or tools that OpenAI has too, without the marks that it does not know."""
    kept = []
    for item in items:
        if item.get("type") == EXTENSION:
            dropped += kinds_of(item, where)
            continue
        if "cache_control" in item:
            dropped.append("cache_control")
        kept.append({key: value for key, value in item.items() if key not in ("cache_control", EXTENSION)})
    return kept


def result_names(message: JsonMapping) -> list[str]:
    """What a tool's result says beside its content, in words of one vendor; of other messages nothing."""
    kept = message.get(EXTENSION) if message["role"] == "tool" else None
    vendors = [fields for fields in kept.values() if isinstance(fields, Mapping)] if isinstance(kept, Mapping) else []
    said = [name for fields in vendors for name, value in fields.items() if value not in (None, False)]
    return [name if name == "cache_control" else f"messages.{name}" for name in said]


def kinds_of(item: JsonMapping, where: str) -> list[str]:
    """What a part or a tool is called that is left out; one that only a vendor knows goes by that vendor's word."""
    kept = item.get(EXTENSION) if item.get("type") == EXTENSION else None
    values = kept.values() if isinstance(kept, Mapping) else ()
    names = [f"{where}.{value.get('type')}" for value in values if isinstance(value, Mapping)]
    return names or [f"{where}.{item.get('type')}"]


def _gone_on(known: JsonValue, fields: JsonMapping) -> JsonObject:
    found = dict(fields)
    for name, value in fields.items():
        if isinstance(value, list):
            before = known.get(name) if isinstance(known, Mapping) else None
            found[name] = [*(before if isinstance(before, list) else ()), *map(_unnumbered, value)]
    return found


def _extended(delta: JsonValue) -> JsonObject:
    """The extensions of a delta: of its message, and of each call. So are its annotations, which only some clients'
    formats have a place for."""
    if not isinstance(delta, Mapping):
        return {}
    kept = {EXTENSION: delta[EXTENSION]} if isinstance(delta.get(EXTENSION), Mapping) else {}
    if isinstance(delta.get("annotations"), list):
        kept["annotations"] = delta["annotations"]
    calls = delta.get("tool_calls")
    signed = [
        {"index": call.get("index", number), EXTENSION: call[EXTENSION]}
        for number, call in enumerate(calls if isinstance(calls, list) else ())
        if isinstance(call, Mapping) and isinstance(call.get(EXTENSION), Mapping)
    ]
    return {**kept, "tool_calls": signed} if signed else kept


def _unnumbered(item: JsonValue) -> JsonValue:
    return {key: value for key, value in item.items() if key != "index"} if isinstance(item, Mapping) else item


def extension_names(extension: JsonValue) -> list[str]:
    """The fields that other vendors' extensions hold."""
    if not isinstance(extension, Mapping):
        return []
    return [name for fields in extension.values() if isinstance(fields, Mapping) for name in fields]
