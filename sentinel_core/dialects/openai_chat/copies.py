"""What says the reasoning of a chunk again: servers differ in where it stands, and some write it to several places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain, repeat

from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.slots import Path
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_DETAILS = "reasoning_details"
_SAID = ("text", "summary")
_WHOLE = frozenset({"annotations", "function_call", "images", "tool_calls"})


def may_be_fragment(path: Path, text: str, delta: JsonMapping) -> bool:
    """Whether a string at `path` of a delta, outside the channels, may be a part of a text that is streamed. Not so are
    members that come whole, and reasoning that its channel carries as well."""
    key = path[0]
    if key in _WHOLE or (key == _DETAILS and path[-1] not in _SAID):
        return False
    again = key in (*REASONING_KEYS, _DETAILS) and text == (delta.get("reasoning_content") or delta.get("reasoning"))
    return not again


def reasoning_again(delta: JsonMapping, text: str) -> JsonObject:
    """The members of a delta that say its reasoning, each with another text: clients read one of them."""
    said: JsonObject = {key: text for key in REASONING_KEYS if delta.get(key)}
    details = delta.get(_DETAILS)
    if isinstance(details, list):
        said[_DETAILS] = _with_text(details, text)
    return said or {REASONING_KEYS[0]: text}


def details_again(message: JsonMapping, before: str, text: str) -> JsonObject:
    """The details of a whole message with this text of its reasoning, where they say what that was `before`."""
    details = message.get(_DETAILS)
    if not isinstance(details, list) or before != "".join(map(_text, details)):
        return {}
    return {_DETAILS: _with_text(details, text)}


def _with_text(details: Iterable[JsonValue], text: str) -> list[JsonValue]:
    """Details with another text, which stands in the first that says something."""
    texts = chain((text,), repeat(""))
    return [{**detail, _said(detail): next(texts)} if _text(detail) else detail for detail in details]


def _text(detail: JsonValue) -> str:
    said = detail.get(_said(detail)) if isinstance(detail, Mapping) else None
    return said if isinstance(said, str) else ""


def _said(detail: JsonMapping) -> str:
    """The member in which a detail says something, if it does."""
    return next((name for name in _SAID if detail.get(name)), _SAID[0])
