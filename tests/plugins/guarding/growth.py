"""How the time of a work grows with its text, on machines that are busy with other things."""

from __future__ import annotations

import gc
from collections.abc import Callable
from statistics import median
from time import thread_time

CHARS = 8_000
MOST = 2.3
ROUNDS = 24


def text_of(unit: str, chars: int) -> str:
    return (unit * (chars // len(unit) + 1))[:chars]


def seconds(work: Callable[[str], object], text: str) -> float:
    start = thread_time()
    work(text)
    return thread_time() - start


def growth(work: Callable[[str], object], unit: str) -> float:
    """How many times longer twice the text takes. What disturbs a round only adds to it, so the best of each length are
    the text's own; a machine whose speed changes meanwhile disturbs both of a round alike, so their ratio counts too.
    As many rounds as it takes to be below what is allowed."""
    once, twice = [], []
    gc.disable()  # it would look at all that thousands of other tests have left
    try:
        for _ in range(ROUNDS):
            once.append(seconds(work, text_of(unit, CHARS)))
            twice.append(seconds(work, text_of(unit, 2 * CHARS)))
            if min(twice) / min(once) <= MOST:
                break
    finally:
        gc.enable()
    return min(min(twice) / min(once), median(long / short for short, long in zip(once, twice, strict=True)))
