"""Which strings of embedding bodies are text, and which are identifiers or vectors that no guard reads."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS
from sentinel_core.dialects.slots import KEY, Path, TextSlot, string_slots
from sentinel_core.json_types import JsonMapping, JsonValue

KNOWN_KEYS = IDENTIFIERS | {
    *("data", "dimensions", "embedding", "encoding_format", "index", "input", "prompt_tokens", "stream"),
    *("total_tokens", "usage", "user"),
}
"""Object keys of the format itself: not text that anybody wrote."""

_ENUMS = frozenset({"model", "encoding_format"})
_NUMBERS = frozenset({int, float})


def request_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of a request, the input first."""
    slots = string_slots(body.get("input"), ("input",), role="user", kind="content", known=KNOWN_KEYS)
    for key, value in body.items():
        if key == "input" or (key in _ENUMS and isinstance(value, str)):
            continue
        slots += string_slots(value, (key,), skip=IDENTIFIERS, known=KNOWN_KEYS)
        if key not in KNOWN_KEYS:
            slots.append(TextSlot((KEY, key), key, None, "key"))
    return tuple(slots)


def answer_slots(body: JsonMapping) -> tuple[TextSlot, ...]:
    """Every string leaf and unknown object key of an answer, but for its vectors."""
    slots: list[TextSlot] = []
    for index, item in enumerate(body.get("data") or ()):
        slots += _slots(_without_vector(item), ("data", index))
    rest = {key: value for key, value in body.items() if key != "data"}
    return (*slots, *_slots(rest, ()))


def _slots(value: JsonValue, path: Path) -> list[TextSlot]:
    return string_slots(value, path, skip=IDENTIFIERS, known=KNOWN_KEYS)


def _without_vector(item: JsonValue) -> JsonValue:
    """An item of `data` without its vector: base64, or nothing but numbers. Anything else is walked."""
    if not isinstance(item, Mapping):
        return item
    vector = item.get("embedding")
    if isinstance(vector, str) or (isinstance(vector, list) and _NUMBERS.issuperset(map(type, vector))):
        return {key: value for key, value in item.items() if key != "embedding"}
    return item
