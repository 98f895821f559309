"""Content that a server writes as a list of parts where OpenAI's clients expect one text, as Mistral's API does."""

from __future__ import annotations

from typing import Final, NamedTuple

from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.json_types import JsonObject, JsonValue

OTHERS: Final = "content_parts"
"""A member of a delta that no other API has: clients that join contents would not bear a list there."""


class Parted(NamedTuple):
    """The texts of the parts, and their thoughts. Parts of other kinds have neither."""

    text: str
    thinking: str


def parted(content: list[JsonValue]) -> Parted:
    """What a list of parts says."""
    thoughts = (_text(part.get("thinking")) for part in content if isinstance(part, dict))
    return Parted(_text(content), "".join(thoughts))


def with_plain_message(choice: JsonObject) -> JsonObject:
    """A choice of a whole answer with its message's content as one text, and the thoughts in it as reasoning; the same
    object where its content is no list, or a part of it is something else, which would be lost."""
    content = choice["message"].get("content")
    if not isinstance(content, list) or not content or not all(map(_says, content)):
        return choice
    return {**choice, "message": with_plain_content(choice["message"])}


def with_plain_content(delta: JsonObject) -> JsonObject:
    """The delta of a chunk with its content as one text, the thoughts in it as reasoning, and other parts, which no
    text has room for, as `OTHERS`; the same object where its content is no list, or says neither."""
    content = delta.get("content")
    if not isinstance(content, list) or not any(map(_says, content)):
        return delta
    said = parted(content)
    told = not said.thinking or any(delta.get(key) for key in REASONING_KEYS)
    plain: JsonObject = {**delta, **({} if told else {REASONING_KEYS[0]: said.thinking}), "content": said.text}
    others = [part for part in content if not _says(part)]
    return {**plain, OTHERS: others} if others else plain


def _says(part: JsonValue) -> bool:
    return isinstance(part, dict) and (isinstance(part.get("text"), str) or bool(_text(part.get("thinking"))))


def _text(parts: JsonValue) -> str:
    """The text of a list of parts."""
    if not isinstance(parts, list):
        return parts if isinstance(parts, str) else ""
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
