"""How many calls there were lately, and how many of them failed."""

from __future__ import annotations

from collections import deque

SLICES = 10
"""A window is forgotten in tenths, so that its cost does not grow with the traffic."""


class Window:
    """Counts calls over the last `span_s` seconds, to a tenth of it. Times only grow."""

    __slots__ = ("_slices", "calls", "failures")

    def __init__(self) -> None:
        self._slices: deque[list[int]] = deque()  # [slice number, calls, failures]
        self.calls = 0
        self.failures = 0

    def add(self, now: float, span_s: float, *, failed: bool) -> None:
        """Count one call that ended now, and forget what is too old."""
        number = slice_number(now, span_s)
        slices = self._slices
        if not slices or slices[-1][0] < number:
            slices.append([number, 0, 0])
        slices[-1][1] += 1
        slices[-1][2] += failed
        self.calls += 1
        self.failures += failed
        while slices[0][0] <= slices[-1][0] - SLICES:
            _, calls, failures = slices.popleft()
            self.calls -= calls
            self.failures -= failures


def slice_number(now: float, span_s: float) -> int:
    """Which tenth of a window a time falls into."""
    return int(now * SLICES / span_s)
