"""Which texts of a request are scored, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Final, NamedTuple

from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.messages import Request

SHORTEST: Final = 8
"""Characters below which no text is an attempt."""
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_SYSTEM_FIELDS: Final = frozenset(
    {"system", "instructions", "tools", "functions", "mcp_servers", "response_format", "output_config"}
)
"""Where a request's author describes the model's task: those texts give orders by nature."""


class Passage(NamedTuple):
    """One text to score. `system` says that the threshold of system prompts is its own; `kind` is for the log."""

    text: str
    system: bool
    kind: str


def passages_of(request: Request) -> Iterator[Passage]:
    """Every string of a request that is long enough, whoever wrote it, and each message of several parts as a whole.

    A payload cut into the parts of one message reads as one to the model, so it is read as one here too.
    """
    slots = [slot for slot in request.texts() if slot.text]
    for slot in slots:
        if len(slot.text) >= SHORTEST:
            yield Passage(slot.text, _is_system(slot), _kind(slot))
    for message in _messages(slots):
        text = "".join(slot.text for slot in message)
        if len(message) > 1 and len(text) >= SHORTEST:
            yield Passage(text, _is_system(message[0]), _kind(message[0]))


def _messages(slots: Iterable[TextSlot]) -> Iterator[list[TextSlot]]:
    content = [slot for slot in slots if slot.kind == "content"]
    for _, parts in groupby(content, key=lambda slot: _message(slot.path)):
        yield list(parts)


def _message(path: Path) -> Path:
    """The message that a slot belongs to: `("messages", 3)`, or `("system",)`."""
    return path[:2] if len(path) > 1 and path[0] not in _SYSTEM_FIELDS else path[:1]


def _is_system(slot: TextSlot) -> bool:
    return slot.role in _SYSTEM_ROLES or slot.path[0] in _SYSTEM_FIELDS


def _kind(slot: TextSlot) -> str:
    return f"{slot.role or 'no role'}, {slot.kind}"
