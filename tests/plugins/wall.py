"""A wall clock that is set by somebody."""

from __future__ import annotations

from sentinel_core.testing import FakeClock


class Wall(FakeClock):
    """A clock whose time of day is set by somebody else; durations go on."""

    ahead = 0.0

    def time(self) -> float:
        """The time of day."""
        return self.monotonic() + self.ahead
