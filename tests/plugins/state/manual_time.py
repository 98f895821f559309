"""A clock that stands still until a test moves it."""

from __future__ import annotations

TICK_S = 1 / 64
"""Times that are multiples of this add up exactly, so that tests can assert on edges."""


class ManualTime:
    """Seconds, as a store reads them."""

    def __init__(self, start: float = 1_000_000.0) -> None:
        self.seconds = start

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        """Time passes; a negative number is a clock that was set back."""
        self.seconds += seconds
