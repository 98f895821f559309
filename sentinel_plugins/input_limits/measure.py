"""What a request holds, in whichever dialect: its messages, and how long its texts are."""

from __future__ import annotations

import re
from typing import NamedTuple

from sentinel_core.dialects.slots import KEY, Path, TextSlot
from sentinel_core.json_types import JsonValue
from sentinel_core.messages import Request
from sentinel_core.tokens import BYTES_OF_A_TOKEN

_TOOL_ROLES = ("tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text")
_ENVELOPE = frozenset({"content", "id", "name", "role", "status", "type"})
"""Members of a message beside which it still says nothing."""
_BINARY = re.compile(r"data:[^,]{0,200};base64,[\w+/=-]*", re.ASCII)
_NAME_CHARS = 64


class Message(NamedTuple):
    """One message, or one text where no messages are sent: where it stands, and what is there."""

    path: Path
    value: JsonValue


def messages(request: Request) -> list[Message]:
    """Every message of a request, its system prompt first, wherever its dialect keeps that. A list of tokens is one
    text; a system prompt that says nothing is none."""
    fields, body = request.dialect.request_fields, request.body
    system = body.get(fields.system) if fields.system else None
    found = [] if is_empty(system) else [Message((fields.system,), system)]
    value = body.get(fields.messages)
    if isinstance(value, list) and not is_tokens(value):
        return found + [Message((fields.messages, index), item) for index, item in enumerate(value)]
    return found if value is None else [*found, Message((fields.messages,), value)]


def is_tokens(value: JsonValue) -> bool:
    """Whether a text is given as numbers of tokens."""
    return isinstance(value, list) and bool(value) and all(type(item) is int for item in value)


def is_empty(value: JsonValue) -> bool:
    """Whether a message, or a part of one, says nothing: no letter, no call, nothing that is not text. What a tool
    returned says something even where it is empty."""
    if value is None:
        return True
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, list):
        return all(map(is_empty, value))
    if not isinstance(value, dict):
        return False
    if "role" not in value:
        return ("text" in value or value.get("type") in _TEXT_PARTS) and is_empty(value.get("text"))
    if value["role"] in _TOOL_ROLES or not is_empty(value.get("content")):
        return False
    return not any(value[key] for key in value.keys() - _ENVELOPE)


class Sizes:
    """Characters of a request: in all, and below each of its top-level members and messages.

    A token number counts as `BYTES_OF_A_TOKEN` characters, because nobody here can read it. Inline base64 counts none:
    it is no text, and the size of a body is the server's to limit.
    """

    __slots__ = ("_weights", "by_place", "total")

    def __init__(self, request: Request, said: list[Message]) -> None:
        self._weights = [(slot.path, chars(slot)) for slot in request.texts()]
        self._weights += [(one.path, len(one.value) * BYTES_OF_A_TOKEN) for one in said if is_tokens(one.value)]
        self.by_place: dict[Path, int] = {}
        field = request.dialect.request_fields.messages
        depth = 2 if isinstance(request.body.get(field), list) else 1
        for path, weight in self._weights:
            place = path[:depth] if path[0] == field else path[:1]
            self.by_place[place] = self.by_place.get(place, 0) + weight
        self.total = sum(self.by_place.values())

    def heaviest(self, path: Path = ()) -> Path:
        """The longest member below `path`; `path` itself where that has none, or none whose name can be told."""
        depth, below = len(path), dict[Path, int]()
        for place, weight in self._weights:
            if len(place) > depth and place[:depth] == path and _can_be_told(place[depth]):
                member = place[: depth + 1]
                below[member] = below.get(member, 0) + weight
        return max(below, key=below.__getitem__, default=path)


def chars(slot: TextSlot) -> int:
    """The characters of one string."""
    if slot.kind == "other" and slot.text.startswith("data:") and _BINARY.fullmatch(slot.text):
        return 0
    return len(slot.text)


def named(path: Path) -> str:
    """A place as errors name it: `messages[3].content`."""
    return "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")


def _can_be_told(step: str | int) -> bool:
    return step != KEY and (isinstance(step, int) or len(step) <= _NAME_CHARS)
