"""No text of a choice comes behind its end, to stages and to callers of a stream that stages read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from sentinel_core.chain.held_ends import HeldEnds
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Frame, Opaque, ReasoningDelta, TextDelta, UsageReport
from sentinel_core.usage import Usage

ROLE = Opaque()
STOP, LENGTH = Finish(reason="stop"), Finish(reason="length")
OTHER = Finish(choice=1)
COUNTS = UsageReport(usage=Usage(1, 1, 2))


def text(said: str, choice: int = 0) -> TextDelta:
    return TextDelta(choice=choice, text=said)


async def behind(first: Finish, *events: Event | UpstreamError) -> list[Event | str]:
    """What comes of a stream from its first end on, and the code of the error that it ends in."""

    async def rest() -> AsyncIterator[Event]:
        for event in events:
            if isinstance(event, UpstreamError):
                raise event
            yield event

    source = rest()
    ends, came = HeldEnds(first, source.__anext__), list[Event | str]()
    try:
        async for event in ends:
            came.append(event)
    except UpstreamError as error:
        came.append(error.code)
    assert [event async for event in ends] == []
    return came


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((), [STOP]),
        ((COUNTS, ROLE), [STOP, COUNTS, ROLE]),
        ((text("a"), COUNTS), [text("a"), STOP, COUNTS]),
        ((COUNTS, text("a"), COUNTS, LENGTH), [COUNTS, text("a"), COUNTS, LENGTH]),
        ((ReasoningDelta(text="a"), STOP, text("b"), STOP), [ReasoningDelta(text="a"), text("b"), STOP]),
        ((text("a", 1), OTHER, text("b")), [text("a", 1), text("b"), STOP, OTHER]),
    ],
)
async def test_an_end_waits_for_what_else_comes_of_its_choice(
    events: Sequence[Event], expected: Sequence[Event]
) -> None:
    assert await behind(STOP, *events) == list(expected)


async def test_what_stands_beside_a_text_in_its_chunk_leaves_with_it() -> None:
    """A guard that holds another choice's text lets go of it at the end: behind that, a chunk would leave in halves."""
    one, other = Frame(b"{}", {}, size=2), Frame(b"{}", {}, size=1)
    said, beside = TextDelta(choice=1, frame=one, text="a"), Opaque(choice=1, frame=one, part=1)
    apart = Opaque(choice=1, frame=other)
    assert await behind(STOP, said, beside, apart, OTHER) == [said, beside, STOP, apart, OTHER]


async def test_what_came_before_a_fault_leaves_before_it() -> None:
    fault = UpstreamError("upstream_stream_interrupted")
    assert await behind(STOP, COUNTS, fault) == [STOP, COUNTS, "upstream_stream_interrupted"]
