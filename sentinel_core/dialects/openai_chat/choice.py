"""One choice of an answer, put together from the pieces of a stream."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL, Place, is_custom
from sentinel_core.events import TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue


class Outside(NamedTuple):
    """The log probabilities of a piece of an answer, by what they are of, and the annotations that came with it."""

    logprobs: JsonMapping  # lists, or null
    annotations: Sequence[JsonValue]


def outside_of(chunk: JsonMapping) -> Iterator[tuple[int, Outside]]:
    """What of a chunk's choices stands outside the channels and has a place in an answer, by the choices' numbers."""
    for position, choice in enumerate(chunk.get("choices") or ()):
        logprobs, delta = choice.get("logprobs"), choice.get("delta")
        annotations = delta.get("annotations") if isinstance(delta, Mapping) else None
        if logprobs or annotations:
            scored = logprobs if isinstance(logprobs, Mapping) else {}
            yield choice.get("index", position), Outside(scored, annotations if isinstance(annotations, list) else ())


class Choice:
    """One choice while it is put together."""

    __slots__ = ("annotations", "calls", "changed", "logprobs", "reason", "texts")

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.calls: dict[int, JsonObject] = {}
        self.reason: str | None = None
        self.logprobs: dict[str, list[JsonValue]] = {}
        self.annotations: list[JsonValue] = []
        self.changed = False

    def keep(self, outside: Outside) -> None:
        """Take in what of a chunk stands outside the channels."""
        for name, entries in outside.logprobs.items():
            self.logprobs.setdefault(name, []).extend(entries if isinstance(entries, list) else ())
        self.annotations.extend(outside.annotations)

    def add(self, event: TextEvent) -> None:
        """Take in one fragment."""
        self.changed = self.changed or event.changed
        if not isinstance(event, ToolCallDelta):
            self.texts.setdefault(event.channel, []).append(event.text)
            return
        call = self.calls.setdefault(event.index, {"id": None, "name": None, "arguments": [], "custom": False})
        call["custom"] = call["custom"] or _is_custom(event)
        call["id"] = call["id"] or event.id
        call["name"] = call["name"] or event.name
        call["arguments"].append(event.text)

    def body(self, index: int) -> JsonObject:
        """The choice as it stands in a unary answer."""
        content = self.texts.get("content")
        message: JsonObject = {"role": "assistant", "content": "".join(content) if content else None}
        if "reasoning" in self.texts:
            message["reasoning_content"] = "".join(self.texts["reasoning"])
        if "refusal" in self.texts:
            message["refusal"] = "".join(self.texts["refusal"])
        calls = [self._call(call) for number, call in sorted(self.calls.items()) if number != FUNCTION_CALL]
        if calls:
            message["tool_calls"] = calls
        if FUNCTION_CALL in self.calls:
            message["function_call"] = self._call(self.calls[FUNCTION_CALL])["function"]
        if message["content"] is None and not (calls or len(message) > 2):
            message["content"] = ""
        if self.annotations:
            message["annotations"] = self.annotations
        return {"index": index, "message": message, **self._scored(), "finish_reason": self.reason}

    def _scored(self) -> JsonObject:
        """The log probabilities, unless they spell out what the text no longer says."""
        if not self.logprobs or self.changed:
            return {}
        return {"logprobs": {name: entries or None for name, entries in self.logprobs.items()}}

    @staticmethod
    def _call(call: JsonMapping) -> JsonObject:
        member, key = ("custom", "input") if call["custom"] else ("function", "arguments")
        said = {"name": call["name"], key: "".join(call["arguments"])}
        return {"id": call["id"], "type": member, member: said}


def _is_custom(event: ToolCallDelta) -> bool:
    """Whether the chunk of a fragment has it where calls of tools that take free text have theirs."""
    if event.frame is None:
        return False
    place: Place = event.frame.places[event.part]
    if place.key != "tool_calls":
        return False
    return is_custom(event.frame.body["choices"][place.choice]["delta"]["tool_calls"][place.tool])
