"""Patching an answer with the texts and ends that a stream stage made of its own; the same for every dialect."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeAlias

from sentinel_core.dialects.slots import Path
from sentinel_core.events import Event, Finish, Opaque, TextEvent, UsageReport
from sentinel_core.messages import Answer

Lanes: TypeAlias = Sequence[tuple[Path, TextEvent]]
"""Every channel text of a unary body: where it stands, and as an event."""


def decomposed(answer: Answer, lanes: Lanes, ends: Sequence[Finish] = ()) -> tuple[Event, ...]:
    """The channels, one `Opaque` with every other string, the ends and the usage."""
    events: list[Event] = [event for _, event in lanes]
    covered = {path for path, _ in lanes}
    rest = tuple(slot for slot in answer.texts() if slot.path not in covered)
    if rest:
        events.append(Opaque(slots=rest))
    events += ends
    if answer.usage is not None:
        events.append(UsageReport(usage=answer.usage))
    return tuple(events)


def changed_ends(before: Iterable[Finish], events: Sequence[Event]) -> Mapping[int, str | None]:
    """The choices that end otherwise than they did, and their new reason: None where a stage kept the end back.

    Of several ends of one choice the last one counts, as it does for the reader of a stream.
    """
    came = {event.choice: event.reason for event in events if isinstance(event, Finish)}
    return {end.choice: came.get(end.choice) for end in before if came.get(end.choice) != end.reason}


def recomposed(answer: Answer, lanes: Lanes, events: Sequence[Event]) -> Answer:
    """The answer with what came out of a stream stage. Text that did not come out is taken out."""
    came: dict[tuple[int, str, int], list[str]] = {}
    opaque: dict[Path, str] = {}
    for event in events:
        if isinstance(event, TextEvent):
            came.setdefault(event.lane, []).append(event.text)
        elif isinstance(event, Opaque):
            opaque.update({slot.path: slot.text for slot in event.slots})
    texts: dict[Path, str] = {}
    for path, lane in lanes:
        text = "".join(came.get(lane.lane, ()))
        if text != lane.text:
            texts[path] = text
    covered = {path for path, _ in lanes}
    for slot in answer.texts():
        if slot.path not in covered and opaque.get(slot.path, "") != slot.text:
            texts[slot.path] = opaque.get(slot.path, "")
    return answer.with_texts(texts)
