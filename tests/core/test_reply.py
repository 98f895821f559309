"""A stream's duty to close: once, whoever asks, whatever it was doing; and what hangs on its end hears how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from sentinel_core.attempt import Ending
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, TextDelta
from sentinel_core.reply import EventStream
from sentinel_core.testing import completion, settle


class Feed:
    """A stream of two events with a gate before the second, and how often it was closed."""

    def __init__(self, *, error: BaseException | None = None) -> None:
        self.error = error
        self.gate = asyncio.Event()
        self.reading = asyncio.Event()
        self.left = False
        self.closes = 0
        self.endings: list[Ending] = []
        self.stream = EventStream(self.events(), self.close, dialect=OPENAI_CHAT)
        self.stream.on_close(self.endings.append)

    async def events(self) -> AsyncIterator[Event]:
        try:
            yield TextDelta(text="a")
            self.reading.set()
            await self.gate.wait()
            if self.error is not None:
                raise self.error
            yield TextDelta(text="b")
        finally:
            self.left = True

    async def close(self) -> None:
        assert self.left or not self.reading.is_set(), "the upstream is released after its reader"
        self.closes += 1
        await settle(1)


async def test_a_stream_read_to_its_end_is_completed_and_tells_so_when_it_is_closed() -> None:
    feed = Feed()
    feed.gate.set()
    assert [event async for event in feed.stream]
    assert (feed.stream.ending, feed.endings, feed.closes) == ("completed", [], 0)
    await feed.stream.aclose()
    assert (feed.endings, feed.closes) == (["completed"], 1)


@pytest.mark.parametrize("error", [UpstreamError("upstream_timeout"), RuntimeError(), asyncio.CancelledError()])
async def test_a_stream_that_breaks_has_failed(error: BaseException) -> None:
    feed = Feed(error=error)
    feed.gate.set()
    with pytest.raises(type(error)):
        [event async for event in feed.stream]
    await feed.stream.aclose()
    assert (feed.endings, feed.closes, feed.stream.failure) == (["failed"], 1, error)


@pytest.mark.parametrize("pulled", [0, 1])
async def test_a_stream_closed_before_its_end_is_discarded_pulled_or_not(pulled: int) -> None:
    feed = Feed()
    for _ in range(pulled):
        await anext(feed.stream)
    assert feed.stream.ending is None
    await feed.stream.aclose()
    assert (feed.endings, feed.closes) == (["discarded"], 1)
    with pytest.raises(StopAsyncIteration):
        await anext(feed.stream)


@pytest.mark.parametrize("owned", [True, False])
async def test_a_pending_read_is_cancelled_and_over_before_the_upstream_is_released(owned: bool) -> None:
    feed = Feed()
    await anext(feed.stream)
    reading = asyncio.create_task(_read(feed.stream))
    await feed.reading.wait()
    await (feed.stream.aclose_owned() if owned else feed.stream.aclose())
    assert (feed.left, feed.closes, feed.endings) == (True, 1, ["discarded"])
    await asyncio.wait([reading])
    assert reading.cancelled()


async def _read(stream: EventStream) -> Event:
    return await anext(stream)


async def test_however_many_close_it_at_once_it_is_closed_once_and_over_for_all() -> None:
    feed = Feed()
    await asyncio.gather(feed.stream.aclose(), feed.stream.aclose_owned(), feed.stream.aclose())
    assert (feed.closes, feed.endings) == (1, ["discarded"])
    await feed.stream.aclose()
    await feed.stream.aclose_owned()
    assert (feed.closes, feed.endings) == (1, ["discarded"])


async def test_whoever_is_cancelled_while_it_closes_leaves_and_the_close_goes_on() -> None:
    feed = Feed()
    closing = asyncio.create_task(feed.stream.aclose())
    await settle(1)
    closing.cancel()
    await asyncio.wait([closing])
    assert closing.cancelled()
    await feed.stream.aclose_owned()
    assert (feed.closes, feed.endings) == (1, ["discarded"])


async def test_what_is_hung_on_a_stream_that_is_over_hears_at_once() -> None:
    feed = Feed()
    await feed.stream.aclose()
    late: list[Ending] = []
    feed.stream.on_close(late.append)
    assert (late, feed.endings) == (["discarded"], ["discarded"])


async def test_what_is_hung_on_a_stream_while_it_ends_hears_too() -> None:
    feed = Feed()
    late: list[Ending] = []
    feed.stream.on_close(lambda _: feed.stream.on_close(late.append))
    await feed.stream.aclose()
    assert late == ["discarded"]


@pytest.mark.parametrize("failure", [OSError("reset"), asyncio.CancelledError()])
async def test_a_close_or_a_callback_that_fails_is_logged_and_keeps_nobody_from_hearing(
    failure: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    async def close() -> None:
        raise failure

    def broken(ending: Ending) -> None:
        raise RuntimeError

    heard: list[Ending] = []
    stream = EventStream(Feed().events(), close, dialect=OPENAI_CHAT)
    stream.on_close(broken)
    stream.on_close(heard.append)
    await stream.aclose()
    assert heard == ["discarded"]
    logged = [record.message for record in caplog.records]
    assert logged == ["closing a stream failed", "a callback on a stream's end failed"]


def test_an_answer_is_complete_when_it_is_there() -> None:
    heard: list[Ending] = []
    completion("Hello").on_close(heard.append)
    assert heard == ["completed"]
