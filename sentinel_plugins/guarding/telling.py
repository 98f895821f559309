"""What a guard tells of the values that it finds, where somebody listens (`FINDINGS`)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import TypeAlias

from sentinel_core.keys import Finding
from sentinel_core.messages import Event, TextEvent, TextSlot
from sentinel_plugins.guarding.redaction import Redaction

Listener: TypeAlias = Callable[[Finding], object]
Read: TypeAlias = Callable[[Sequence[TextSlot]], Awaitable[object]]


def tell(listener: Listener, guard: str, redaction: Redaction, slots: Iterable[TextSlot]) -> None:
    """Say what is in complete texts, and what the guard does about it."""
    for slot, spot, action in redaction.spots(slots):
        listener(Finding(guard, slot.path, spot.start, spot.end, spot.found.entity, action))


async def told(
    listener: Listener, guard: str, redaction: Redaction, events: AsyncIterator[Event], read: Read | None = None
) -> AsyncIterator[Event]:
    """The events of a whole reply, in which each text is one of them, once the listener has heard what is in it; and
    before that, once it was `read`, where a model has to."""
    async for event in events:
        if isinstance(event, TextEvent):
            slots = [TextSlot(("choices", event.choice, event.channel), event.text, kind=event.channel)]
            if read is not None:
                await read(slots)
            tell(listener, guard, redaction, slots)
        yield event
