"""What is said when memory state is full."""

from __future__ import annotations

import logging

log = logging.getLogger("sentinel.state")


class Overflow:
    """Says once per kind of loss that something was forgotten: bounded memory is never a silent approximation."""

    __slots__ = ("_max_entries", "_noted")

    def __init__(self, max_entries: int) -> None:
        self._max_entries = max_entries
        self._noted: set[str] = set()

    def note(self, effect: str) -> None:
        """Something live was dropped; `effect` is what callers will see of it."""
        if effect not in self._noted:
            self._noted.add(effect)
            log.warning(
                "[state] max_entries = %d is reached: %s; raise it, or share state in another store",
                self._max_entries,
                effect,
            )
