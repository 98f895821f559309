"""Python's cyclic garbage collector, set for a process that serves.

With its defaults it walks the youngest objects every 700 allocations, several times per request, and every object of
the program time and again: an eighth of a request's whole cost (benchmarks/throughput.py). Requests leave hardly any
cycles, so what is here at the start is left out of later walks, and walks are rarer.
"""

from __future__ import annotations

import gc

YOUNG_OBJECTS = 20_000
"""Container objects between two walks of the youngest: a few megabytes at the most."""


def settle() -> None:
    """Collect once, and set what is left aside. Call it when everything that lives for long is there."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, 10, 10)
