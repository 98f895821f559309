"""A chat request for an API that knows no `extra_content`.

A client sends the messages that it was answered with as they came: with what the vendor of that answer understands, and
nobody else. Where another vendor goes on, that stays here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

from sentinel_core.dialects.openai_chat.canonical import EXTENSION, extension_names, kinds_of, result_names
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue


def without_extensions(body: JsonMapping) -> tuple[JsonMapping, list[str]]:
    """The body, and the names of what the client is to know is left out: parameters, parts, what a tool's result says
    beside its content. State such as a signature has no name: it says nothing to others. Without any the body is the
    same object."""
    names = extension_names(body.get(EXTENSION))
    messages = [_plain(message, names) for message in body.get("messages", ())]
    same = all(new is old for new, old in zip(messages, body.get("messages", ()), strict=True))
    if same and EXTENSION not in body:
        return body, names
    return {key: messages if key == "messages" else body[key] for key in body if key != EXTENSION}, names


def _plain(message: JsonMapping, names: list[str]) -> JsonMapping:
    changes: JsonObject = {}
    content, calls = message.get("content"), message.get("tool_calls")
    if _extended(content):
        names += [name for part in content if _is_foreign(part) for name in kinds_of(part, "messages")]
        changes["content"] = [_bare(part) for part in content if not _is_foreign(part)] or ""
    if _extended(calls):
        changes["tool_calls"] = [_bare(call) for call in calls]
    if not changes and EXTENSION not in message:
        return message
    names += result_names(message)
    return {key: value for key, value in {**message, **changes}.items() if key != EXTENSION}


def _extended(items: JsonValue) -> TypeGuard[list[JsonValue]]:
    return isinstance(items, list) and any(isinstance(item, Mapping) and EXTENSION in item for item in items)


def _is_foreign(part: JsonValue) -> bool:
    """Whether a part is one vendor's as a whole."""
    return isinstance(part, Mapping) and part.get("type") == EXTENSION


def _bare(item: JsonValue) -> JsonValue:
    return {key: item[key] for key in item if key != EXTENSION} if isinstance(item, Mapping) else item
