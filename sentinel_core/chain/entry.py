"""One stage of a compiled chain, as every rule of the chain knows it."""

from __future__ import annotations

from dataclasses import dataclass

from sentinel_core.stage import Mode, OnFault, Unscannable


@dataclass(frozen=True, slots=True)
class Entry:
    """One stage of a compiled chain: everything that was decided at compile time."""

    name: str
    position: int
    guard: bool
    observer: bool
    on_fault: OnFault
    timeout_s: float | None
    mode: Mode
    unscannable: Unscannable
    reads_all: bool
    plain: bool
    """Enforces and fails closed: the common case, which needs no snapshot."""

    @property
    def fails_open(self) -> bool:
        """Whether a fault of this stage lets the request go on."""
        return self.on_fault == "open"
