"""The messages of OpenAI's chat as Cohere's.

What an assistant says beside the tools that it calls is Cohere's `tool_plan`: the API takes no text there, in its own
words "text content is not allowed when tool_calls are provided" (vercel/ai issue 5794). Thoughts go back as they came,
but only Cohere's own, and to a model that thinks. Empty turns are left out, for the API refuses them; a tool's empty
result stays, for its call needs one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sentinel_core.dialects.cohere_chat.calls import arguments_of
from sentinel_core.dialects.cohere_chat.words import THINKING, own_extension
from sentinel_core.dialects.openai_chat.canonical import kinds_of, result_names
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_SYSTEM = frozenset({"system", "developer"})
_TEXT = ("text", "refusal")


class Turns:
    """Writes the messages of one request and notes in `dropped` what it has to leave out."""

    def __init__(self, dropped: list[str], *, thinking: bool) -> None:
        self._dropped = dropped
        self._thinking = thinking

    def write(self, messages: Sequence[JsonMapping]) -> list[JsonObject]:
        """The turns. Raises `Refusal` for messages that make no sense."""
        turns = [self._turn(message, f"messages[{index}]") for index, message in enumerate(messages)]
        return [turn for turn in turns if turn["role"] == "tool" or turn.get("content") or turn.get("tool_calls")]

    def _turn(self, message: JsonMapping, param: str) -> JsonObject:
        role = message["role"]
        if role in _SYSTEM:
            return {"role": "system", "content": self._content(message)}
        if role == "user":
            return {"role": "user", "content": self._content(message, images=True)}
        if role == "assistant":
            return self._assistant(message, param)
        if role == "tool":
            self._dropped += result_names(message)
            return {"role": "tool", "tool_call_id": message.get("tool_call_id"), "content": self._content(message)}
        raise invalid(f"{param}.role", f"The model's API knows no role {role!r}.")

    def _assistant(self, message: JsonMapping, param: str) -> JsonObject:
        said, thought = self._content(message) or _refusal(message), self._thought(message)
        calls = message.get("tool_calls")
        if calls:
            if not isinstance(calls, list):
                raise invalid(f"{param}.tool_calls", "The calls of tools must be a list.")
            made = [_call(call, f"{param}.tool_calls[{number}]") for number, call in enumerate(calls)]
            plan = {"tool_plan": _joined(said)} if said else {}
            content = {"content": thought} if thought else {}
            return {"role": "assistant", "tool_calls": made, **plan, **content}
        if not thought:
            return {"role": "assistant", "content": said}
        parts = [{"type": "text", "text": said}] if isinstance(said, str) and said else [*said]
        return {"role": "assistant", "content": [*thought, *parts]}

    def _thought(self, message: JsonMapping) -> list[JsonObject]:
        """What Cohere's model thought in this turn. Another vendor's thoughts are for that vendor alone."""
        reasoning = message.get("reasoning_content")
        if not (self._thinking and isinstance(reasoning, str) and reasoning):
            return []
        return [{"type": "thinking", "thinking": reasoning}] if own_extension(message).get(THINKING) else []

    def _content(self, message: JsonMapping, *, images: bool = False) -> str | list[JsonObject]:
        """A message's content: text as it is, or its parts without those that say nothing."""
        content = message.get("content")
        if not isinstance(content, list):
            return content or ""
        parts = [self._part(part, images=images) for part in content]
        return [part for part in parts if part is not None]

    def _part(self, part: JsonValue, *, images: bool) -> JsonObject | None:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if isinstance(part, Mapping) and "cache_control" in part:
            self._dropped.append("cache_control")
        if kind in _TEXT and isinstance(part.get(kind), str):
            return {"type": "text", "text": part[kind]} if part[kind] else None
        image = _image(part.get("image_url")) if kind == "image_url" and images else None
        if image is None:
            self._dropped += kinds_of(part if isinstance(part, Mapping) else {}, "messages")
            return None
        return {"type": "image_url", "image_url": image}


def _image(image: JsonValue) -> JsonObject | None:
    """Where an image is: a data URI or an address on the web."""
    if isinstance(image, str):
        return {"url": image}
    if not isinstance(image, Mapping) or not isinstance(image.get("url"), str):
        return None
    return {key: image[key] for key in ("url", "detail") if image.get(key) is not None}


def _call(call: JsonValue, param: str) -> JsonObject:
    """A call as Cohere writes it. Raises `Refusal` for one that names no function."""
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        raise invalid(param, "A tool call must name a function.")
    arguments = function.get("arguments")
    if not isinstance(arguments, str | None):
        raise invalid(f"{param}.function.arguments", "The arguments of a tool call must be a JSON object as a string.")
    made = {"name": function.get("name"), "arguments": arguments_of(arguments or "")}
    return {"id": call.get("id"), "type": "function", "function": made}


def _refusal(message: JsonMapping) -> str:
    refusal = message.get("refusal")
    return refusal if isinstance(refusal, str) else ""


def _joined(said: Any) -> str:  # text, or parts of it
    return said if isinstance(said, str) else "".join(part["text"] for part in said)
