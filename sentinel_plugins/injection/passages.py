"""Which texts of a request are scored, and as what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from typing import Final, TypeAlias

import msgspec

from sentinel_core.dialects.slots import Path, TextSlot
from sentinel_core.messages import Request
from sentinel_plugins.guarding.form import describes

SHORTEST: Final = 8
"""Characters below which no text is an attempt."""
_SYSTEM_ROLES: Final = frozenset({"system", "developer"})
_ROLES: Final = _SYSTEM_ROLES | {"user", "assistant", "tool", "function"}
_SYSTEM_FIELDS: Final = frozenset({"system", "instructions"})
"""Where a request's author describes the model's task: those texts give orders by nature."""
_SHORT: Final = 64
"""Characters of a message that may be a piece of one that is spread over several."""


Place: TypeAlias = tuple[Path, bool]


class Passage(msgspec.Struct, frozen=True):
    """One text to score. `system` says that the threshold of system prompts is its own; `slot` is where it stands, or
    where it begins; `parts` are those that it is joined from, if it is."""

    text: str
    system: bool
    slot: TextSlot
    parts: tuple[TextSlot, ...] = ()

    @property
    def place(self) -> Place:
        """Where it stands, and whether it is joined there."""
        return self.slot.path, bool(self.parts)

    @property
    def kind(self) -> str:
        """What it is, for the log: of a role only its name, since a caller may write anything there."""
        role = self.slot.role
        named = "no role" if role is None else role if role in _ROLES else "other role"
        return f"{named}, {self.slot.kind}"


def passages_of(request: Request) -> list[Passage]:
    """Every string of a request that is long enough, whoever wrote it, each message of several parts as a whole, and
    short messages of one author that follow each other.

    A payload cut into the parts of one message reads as one to the model, so it is read as one here too.
    """
    passages: list[Passage] = []
    content: list[TextSlot] = []
    for slot in request.texts():
        if len(slot.text) >= SHORTEST:
            passages.append(Passage(slot.text, _is_system(slot), slot))
        if slot.kind == "content" and slot.text:
            content.append(slot)
    messages = [list(parts) for _, parts in groupby(content, key=_message)]
    for parts in messages:
        if len(parts) > 1:
            passages += _joined(parts)
    if any(before[0].role == after[0].role for before, after in pairwise(messages)):
        passages += _spread(messages)
    return passages


def _joined(slots: Sequence[TextSlot]) -> Iterator[Passage]:
    """The parts of a message as one: side by side, and with spaces where they would run together."""
    texts = tuple(slot.text for slot in slots)
    for text in dict.fromkeys(("".join(texts), _spaced(texts))):
        yield from _one(text, slots)


def _one(text: str, slots: Sequence[TextSlot]) -> Iterator[Passage]:
    if len(text) >= SHORTEST:
        yield Passage(text, _is_system(slots[0]), slots[0], tuple(slots))


def _spaced(texts: Sequence[str]) -> str:
    borders = (before[-1].isspace() or after[0].isspace() for before, after in pairwise(texts))
    between = ("" if is_apart else " " for is_apart in borders)
    return texts[0] + "".join(space + text for space, text in zip(between, texts[1:], strict=True))


def _spread(messages: Iterable[Sequence[TextSlot]]) -> Iterator[Passage]:
    """Short messages of one author, one behind the other, as one."""
    for (role, is_short), group in groupby(messages, key=_author):
        slots = [slot for message in group for slot in message]
        if role is not None and is_short and _message(slots[0]) != _message(slots[-1]):
            yield from _one(_spaced([slot.text for slot in slots]), slots)


def _author(message: Sequence[TextSlot]) -> tuple[str | None, bool]:
    """Whose a message is, and whether it is short."""
    return message[0].role, sum(len(slot.text) for slot in message) < _SHORT


def _message(slot: TextSlot) -> Path:
    """The message that a slot belongs to: `("messages", 3)`, or `("system",)`."""
    path = slot.path
    return path[:2] if len(path) > 1 and path[0] not in _SYSTEM_FIELDS else path[:1]


def _is_system(slot: TextSlot) -> bool:
    return slot.role in _SYSTEM_ROLES or slot.path[0] in _SYSTEM_FIELDS or describes(slot.path)
