"""A conversation in Ollama's messages: one text each, images beside it, calls with their arguments as objects."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sentinel_core.dialects.openai_chat.arguments import arguments_of
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_ROLES = {"system": "system", "developer": "system", "user": "user", "assistant": "assistant", "tool": "tool"}
_INLINE = re.compile(r"data:[^,]*;base64,(.*)", re.DOTALL | re.IGNORECASE)


class Turns:
    """Writes the messages of one conversation and notes what it has to leave out."""

    def __init__(self) -> None:
        self.dropped: list[str] = []
        self._names: dict[str, str] = {}  # of the tools that were called, by the call's id

    def turn(self, message: JsonMapping, thought: JsonValue, index: int) -> JsonObject:
        """One message; `thought` is what the assistant thought before it. Raises `Refusal` for what makes no sense."""
        role = _ROLES.get(message["role"])
        if role is None:
            raise invalid(f"messages[{index}].role", f"The model's API knows no role {message['role']!r}.")
        refusal = message.get("refusal") if role == "assistant" else None
        text, images = self._content(message.get("content") or refusal)
        made: JsonObject = {"role": role, "content": text}
        if images:
            made["images"] = images
        if role == "assistant":
            made |= self._assistant(message, thought, index)
        elif role == "tool":
            made |= self._result(message)
        return made

    def _content(self, content: Any) -> tuple[str, list[str]]:  # a string, a list of parts, or None
        """The text, its parts a line each, and the images, which this API takes within a request only."""
        if not isinstance(content, list):
            return content or "", []
        texts: list[str] = []
        images: list[str] = []
        for part in content:
            kind = part.get("type")
            said = part.get(kind) if kind in ("text", "refusal") else None
            image = _inline(part.get("image_url")) if kind == "image_url" else None
            if isinstance(said, str):
                texts.append(said)
            elif image is not None:
                images.append(image)
            else:
                self.dropped.append(f"messages.{kind}")
        return "\n".join(texts), images

    def _assistant(self, message: JsonMapping, thought: JsonValue, index: int) -> JsonObject:
        made: JsonObject = {}
        if isinstance(thought, str) and thought:
            made["thinking"] = thought
        calls = message.get("tool_calls") or ()
        if not isinstance(calls, Sequence):
            raise invalid(f"messages[{index}].tool_calls", "The calls of tools must be a list.")
        if calls:
            param = f"messages[{index}].tool_calls"
            made["tool_calls"] = [self._call(call, number, f"{param}[{number}]") for number, call in enumerate(calls)]
        return made

    def _call(self, call: JsonValue, number: int, param: str) -> JsonObject:
        function = call.get("function") if isinstance(call, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(function.get("name"), str):
            raise invalid(param, "A tool call must name a function.")
        made = {"index": number, "name": function["name"], "arguments": arguments_of(function, param)}
        identifier = call.get("id")
        if not isinstance(identifier, str):
            return {"function": made}
        self._names[identifier] = function["name"]
        return {"id": identifier, "function": made}

    def _result(self, message: JsonMapping) -> JsonObject:
        """Whose result it is. Models know tools by their names; the id is for newer servers."""
        identifier = message.get("tool_call_id")
        if not isinstance(identifier, str):
            return {}
        name = self._names.get(identifier)
        return {"tool_call_id": identifier, **({"tool_name": name} if name is not None else {})}


def _inline(image: JsonValue) -> str | None:
    """The base64 of an image that is in the request; None for one that is elsewhere: this API fetches nothing."""
    url = image.get("url") if isinstance(image, Mapping) else image
    found = _INLINE.fullmatch(url) if isinstance(url, str) else None
    return found[1] if found is not None else None
