"""What says the reasoning of a chunk again: servers differ in where it stands, and some write it to several places."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
        texts = chain((text,), repeat(""))
        said[_DETAILS] = [_with_text(detail, texts) for detail in details]
    return said or {REASONING_KEYS[0]: text}


def _with_text(detail: JsonValue, texts: Iterator[str]) -> JsonValue:
    """A detail with the next of these texts, if it says something."""
    said = next((name for name in _SAID if detail.get(name)), None) if isinstance(detail, Mapping) else None
    return detail if said is None else {**detail, said: next(texts)}
