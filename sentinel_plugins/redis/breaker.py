"""Whether a server is worth asking."""

from __future__ import annotations

FAILURES = 5
"""So many failures in a row open it; an answer that comes too late is one."""


class Breaker:
    """Counts failures in a row. While `open`, nobody but the probe asks. No I/O, no clock."""

    __slots__ = ("_failures", "open")

    def __init__(self) -> None:
        self.open = False
        self._failures = 0

    def succeeded(self) -> None:
        """The server answered in time. Late successes of older calls do not close it: the probe does."""
        self._failures = 0

    def failed(self, *, decisive: bool = False) -> bool:
        """It did not. True if this is the failure that opens; a decisive one always does."""
        self._failures += 1
        if self.open or (self._failures < FAILURES and not decisive):
            return False
        self.open = True
        return True

    def close(self) -> None:
        """The probe succeeded."""
        self.open = False
        self._failures = 0
