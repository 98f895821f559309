"""Which texts of a request are scored, and as what."""

from __future__ import annotations

from itertools import groupby
from typing import Final, NamedTuple

from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.messages import Request

SHORTEST: Final = 8
"""Characters below which no text is an attempt."""
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_ROLES: Final = _SYSTEM_ROLES | {"user", "assistant", "tool", "function"}
_SYSTEM_FIELDS: Final = frozenset(
    {"system", "instructions", "tools", "functions", "mcp_servers", "response_format", "output_config"}
)
"""Where a request's author describes the model's task: those texts give orders by nature."""


class Passage(NamedTuple):
    """One text to score. `system` says that the threshold of system prompts is its own; `slot` is where it stands, or
    where it begins; `parts` are the texts that it is joined from, if it is."""

    text: str
    system: bool
    slot: TextSlot
    parts: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        """What it is, for the log: of a role only its name, since a caller may write anything there."""
        role = self.slot.role
        named = "no role" if role is None else role if role in _ROLES else "other role"
        return f"{named}, {self.slot.kind}"


def passages_of(request: Request) -> list[Passage]:
    """Every string of a request that is long enough, whoever wrote it, and each message of several parts as a whole.

    A payload cut into the parts of one message reads as one to the model, so it is read as one here too.
    """
    passages: list[Passage] = []
    content: list[TextSlot] = []
    for slot in request.texts():
        if len(slot.text) >= SHORTEST:
            passages.append(Passage(slot.text, _is_system(slot), slot))
        if slot.kind == "content" and slot.text:
            content.append(slot)
    for _, parts in groupby(content, key=_message):
        message = list(parts)
        if len(message) > 1:
            texts = tuple(slot.text for slot in message)
            text = "".join(texts)
            if len(text) >= SHORTEST:
                passages.append(Passage(text, _is_system(message[0]), message[0], texts))
    return passages


def _message(slot: TextSlot) -> Path:
    """The message that a slot belongs to: `("messages", 3)`, or `("system",)`."""
    path = slot.path
    return path[:2] if len(path) > 1 and path[0] not in _SYSTEM_FIELDS else path[:1]


def _is_system(slot: TextSlot) -> bool:
    return slot.role in _SYSTEM_ROLES or slot.path[0] in _SYSTEM_FIELDS
