"""What of a tool call stands beside its arguments, and which calls still lack it in a client's stream."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL, Place, is_custom
from sentinel_core.errors import UpstreamError
from sentinel_core.events import ToolCallDelta
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

Call = tuple[int, int]
"""A tool call's identity in one stream: its choice, and its index within that."""


class Heads:
    """Keeps id and name of calls whose chunk has left without them.

    A stage may hand on a chunk's strings, the name among them, and the arguments later, even with another chunk's
    event. The first fragment of a call that is written carries its head; no fragment carries it again. Where what a
    fragment is written into is no object, `UpstreamError` (upstream_invalid_response) is raised.
    """

    __slots__ = ("_custom", "_unsaid", "_written")

    def __init__(self) -> None:
        self._custom: set[Call] = set()
        self._unsaid: dict[Call, JsonMapping] = {}
        self._written: set[Call] = set()

    def keep(self, choice: JsonMapping, place: Place) -> None:
        """A call is about to be taken out of this choice of a chunk that leaves."""
        delta, number = choice["delta"], choice.get("index", place.choice)
        if place.key == "function_call":
            self._keep((number, FUNCTION_CALL), {"function": delta["function_call"]})
        else:
            call = delta["tool_calls"][place.tool]
            self._keep((number, call.get("index", place.tool)), call)

    def awaits(self, event: object) -> bool:
        """Whether this is a fragment that has to carry a head."""
        return isinstance(event, ToolCallDelta) and (event.choice, event.index) in self._unsaid

    def completed(self, event: ToolCallDelta, call: JsonMapping) -> JsonObject:
        """The call as it stands in a chunk with the fragment's text, and with its head where that is still to come."""
        head = self._unsaid.pop((event.choice, event.index), {})
        custom = is_custom({**call, **head})
        if custom:
            self._custom.add((event.choice, event.index))
        member, key = ("custom", "input") if custom else ("function", "arguments")
        said = {**_object(call.get(member)), **_object(head.get(member)), key: event.text}
        return {**call, **head, member: said}

    def named(self, event: ToolCallDelta) -> ToolCallDelta:
        """A stage's own fragment with the head that is still to come; what it says itself stands."""
        head = self._unsaid.pop((event.choice, event.index), {})
        if is_custom(head):
            self._custom.add((event.choice, event.index))
        name, identifier = _object(head.get("function") or head.get("custom")).get("name"), head.get("id")
        return msgspec.structs.replace(event, id=event.id or identifier, name=event.name or name)

    def is_custom(self, event: ToolCallDelta) -> bool:
        """Whether this goes on with a call of a tool that takes free text."""
        return (event.choice, event.index) in self._custom

    def written(self, event: ToolCallDelta) -> None:
        """A fragment has been written: nothing of its call's head is wanted any more."""
        self._written.add((event.choice, event.index))

    def _keep(self, key: Call, call: JsonMapping) -> None:
        function = call.get("function") or call.get("custom")
        if key not in self._written and (call.get("id") or (isinstance(function, Mapping) and function.get("name"))):
            self._unsaid[key] = call


def _object(said: JsonValue) -> JsonMapping:
    """What an upstream said of a call beside its id, or nothing."""
    if said and not isinstance(said, Mapping):
        raise UpstreamError("upstream_invalid_response")
    return said or {}


def call_delta(event: ToolCallDelta, *, custom: bool) -> JsonObject:
    """The delta of a chunk that a stage's own fragment of a call makes; `custom` if the tool takes free text."""
    member, key = ("custom", "input") if custom else ("function", "arguments")
    said: JsonObject = {key: event.text}
    if event.name is not None:
        said = {"name": event.name, **said}
    if event.index == FUNCTION_CALL:
        return {"function_call": said}
    named = {"id": event.id, "type": member} if event.id is not None else {}
    return {"tool_calls": [{"index": event.index, **named, member: said}]}
