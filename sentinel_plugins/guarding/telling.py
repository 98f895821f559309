"""What a guard tells of the values that it finds, where somebody listens (`FINDINGS`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeAlias

from sentinel_core.keys import Finding
from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.redaction import Redaction

Listener: TypeAlias = Callable[[Finding], object]


def tell(listener: Listener, guard: str, redaction: Redaction, slots: Iterable[TextSlot]) -> None:
    """Say what is in complete texts, and what the guard does about it."""
    for slot, spot, action in redaction.spots(slots):
        listener(Finding(guard, slot.path, spot.start, spot.end, spot.found.entity, action))
