"""What a work costs: how its time grows with its text, on machines that are busy with other things, and its steps."""

from __future__ import annotations

import gc
import math
import sys
from collections.abc import Callable
from statistics import median
from time import thread_time
from types import FrameType

CHARS = 4_000
DOUBLINGS = 3
MOST = 2.3
ROUNDS = 24


def text_of(unit: str, chars: int) -> str:
    """As many whole units as that many characters hold: texts of every length end alike."""
    return unit * max(1, chars // len(unit))


def seconds(work: Callable[[str], object], text: str) -> float:
    start = thread_time()
    work(text)
    return thread_time() - start


def growth(work: Callable[[str], object], unit: str) -> float:
    """How many times longer twice the text takes, as the mean of three doublings: what grows with the square of the
    text shows more with each of them, while a machine's change of speed is there once for all three.

    What disturbs a round only adds to it, so the best of each length are the text's own; a machine whose speed changes
    meanwhile disturbs both of a round alike, so their ratio counts too. As many rounds as it takes to be below what is
    allowed."""
    short = text_of(unit, CHARS)
    long = short * 2**DOUBLINGS
    once, often = [], []
    gc.disable()  # it would look at all that thousands of other tests have left
    try:
        for _ in range(ROUNDS):
            once.append(seconds(work, short))
            often.append(seconds(work, long))
            if per_doubling(min(often) / min(once)) <= MOST:
                break
    finally:
        gc.enable()
    ratios = [slow / quick for quick, slow in zip(once, often, strict=True)]
    return per_doubling(min(min(often) / min(once), median(ratios)))


def per_doubling(ratio: float) -> float:
    return math.pow(ratio, 1 / DOUBLINGS)


def steps(work: Callable[[], object]) -> int:
    """How many calls a work makes, of Python and of C."""
    calls = 0

    def heard(frame: FrameType, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(heard)
    try:
        work()
    finally:
        sys.setprofile(before)
    return calls
