"""One stream's bytes cut anywhere, and what a framing makes of the pieces."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from sentinel_core.dialects.sse import SseEvent
from sentinel_core.errors import UpstreamError
from sentinel_core.upstream import Framing


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream in pieces: every number is a place, however large."""
    at = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[start:end] for start, end in pairwise(at)]


def bytewise(stream: bytes) -> list[bytes]:
    """The stream one byte at a time."""
    return [stream[index : index + 1] for index in range(len(stream))]


def payloads(framing: Framing, pieces: Iterable[bytes]) -> list[SseEvent]:
    """Every payload of the pieces, the unfinished one at their end included."""
    return [*(event for piece in pieces for event in framing.feed(piece)), *framing.close()]


def payloads_and_end(framing: Framing, pieces: Iterable[bytes]) -> tuple[list[SseEvent], str]:
    """The payloads before a fault, and the fault's code; "" where there is none."""
    found: list[SseEvent] = []
    try:
        for piece in pieces:
            found += framing.feed(piece)
        found += framing.close()
    except UpstreamError as error:
        return found, error.code
    return found, ""
