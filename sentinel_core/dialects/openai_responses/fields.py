"""Which strings of bodies are text, which are identifiers that no guard reads, and where the answer's texts stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS as CHAT_IDENTIFIERS
from sentinel_core.dialects.openai_chat.fields import KNOWN_KEYS as CHAT_KEYS
from sentinel_core.dialects.openai_chat.fields import WORDS, without_pictures
from sentinel_core.dialects.slots import KEY, Path, TextSlot, string_slots
from sentinel_core.json_types import JsonMapping, JsonValue

IDENTIFIERS = CHAT_IDENTIFIERS | {
    *("call_id", "encrypted_content", "file_data", "file_id", "item_id", "previous_response_id"),
    *("prompt_cache_retention", "status", "obfuscation"),
}
"""Keys whose string values are identifiers, enums or binary wherever they stand."""

KNOWN_KEYS = CHAT_KEYS | {
    *IDENTIFIERS,
    *("background", "code", "content_index", "conversation", "created_at", "error", "file_url", "filename", "effort"),
    *("completed_at", "generate_summary", "include", "incomplete_details", "input", "input_tokens", "item", "output"),
    *("input_tokens_details", "instructions", "max_output_tokens", "max_tool_calls", "output_index", "part"),
    *("output_tokens", "output_tokens_details", "param", "prompt", "reason", "response", "sequence_number"),
    *("summary", "summary_index", "truncation", "variables"),
}
"""Object keys of the format itself: not text that anybody wrote."""

_OPTIONS = frozenset({"prompt_cache_retention", "service_tier", "truncation"})
SAID: Mapping[str, str] = {
    "output_text": "content",
    "refusal": "refusal",
    "reasoning_text": "reasoning",
    "summary_text": "reasoning",
    "arguments": "tool_arguments",
    "input": "tool_input",
    "code": "tool_input",
}
"""The kinds of text that an item holds, mostly types of parts, and the kind of a slot with each."""


MEMBERS = ("arguments", "input", "code")
"""The kinds that are members of an item: what a function, a custom tool or the interpreter is called with."""


class Place(NamedTuple):
    """One text of an item: where it stands, what kind it is, and which part of a list of such."""

    path: Path
    text: str
    kind: str
    part: int


def item_texts(item: JsonValue, path: Path) -> Iterator[Place]:
    """The texts of one output item in document order."""
    if not isinstance(item, Mapping):
        return
    for key in ("summary", "content"):
        parts = item.get(key)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            place = part_text(part, (*path, key, number), number)
            if place is not None:
                yield place
    for key in MEMBERS:
        if isinstance(item.get(key), str):
            yield Place((*path, key), item[key], key, 0)


def part_text(part: JsonValue, path: Path, number: int) -> Place | None:
    """The text of one part, if it is of a kind that has one."""
    kind = part.get("type") if isinstance(part, Mapping) else None
    if not isinstance(kind, str) or kind in MEMBERS or kind not in SAID:
        return None
    key = "refusal" if kind == "refusal" else "text"
    text = part.get(key)
    return Place((*path, key), text, kind, number) if isinstance(text, str) else None


def response_slots(body: JsonValue, path: Path = ()) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of an answer, the texts of its items first."""
    texts: list[TextSlot] = []
    for number, item in enumerate((body.get("output") if isinstance(body, Mapping) else None) or ()):
        for place in item_texts(item, (*path, "output", number)):
            texts.append(TextSlot(place.path, place.text, "assistant", SAID[place.kind]))
    known = {slot.path for slot in texts}
    return (*texts, *(slot for slot in all_slots(body, path) if slot.path not in known))


def all_slots(body: JsonValue, path: Path = ()) -> list[TextSlot]:
    """Every string leaf and unknown object key."""
    return string_slots(body, path, role="assistant", skip=IDENTIFIERS, known=KNOWN_KEYS)


def request_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of a request, instructions and input first with their roles."""
    slots = string_slots(body.get("instructions"), ("instructions",), role="system", kind="content")
    content = body.get("input")
    if isinstance(content, str):
        slots.append(TextSlot(("input",), content, "user", "content"))
    for number, item in enumerate(content if isinstance(content, list) else ()):
        slots += _input_slots(item, ("input", number))
    for key, value in body.items():
        if key in ("instructions", "input") or (isinstance(value, str) and _is_identifier(key, value)):
            continue
        slots += string_slots(value, (key,), skip=IDENTIFIERS, known=KNOWN_KEYS)
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((KEY, key), key, None, "key"))
    return tuple(slots)


def _is_identifier(key: str, value: str) -> bool:
    """Whether a field of a request names something, or says which of the format's words it is to be."""
    return value in WORDS if key in _OPTIONS else key in IDENTIFIERS


def _input_slots(item: JsonValue, path: Path) -> list[TextSlot]:
    """One input item: a message, a call, a tool's output, reasoning."""
    if not isinstance(item, Mapping):
        return string_slots(item, path, role="user", kind="content")
    kind = item.get("type")
    role = item.get("role") if isinstance(item.get("role"), str) else None
    if isinstance(kind, str) and kind.endswith("_output"):
        role = "tool"
    elif role is None:
        role = "assistant"
    found = string_slots(dict(item), path, role=role, skip=IDENTIFIERS, known=KNOWN_KEYS)
    found = without_pictures(found, item)
    return [replace(slot, kind=_kind(slot)) if slot.kind != "key" else slot for slot in found]


def _kind(slot: TextSlot) -> str:
    last = slot.path[-1]
    if last in ("content", "text", "output"):
        return "content"
    if slot.path[2:] in (("input",), ("code",)):
        return "tool_input"
    return "tool_arguments" if last == "arguments" else "refusal" if last == "refusal" else "other"
