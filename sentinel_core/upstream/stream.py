"""An upstream's streamed body as events that can be trusted to be complete, or to end in an error."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Protocol

from sentinel_core.dialects.base import StreamDecoder
from sentinel_core.dialects.sse import SseEvent
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event
from sentinel_core.services import HttpResponse
from sentinel_core.upstream.withheld import Withheld

MAX_HELD_EVENTS = 256
"""Opening frames that are held back for the first content; an upstream that sends more of them is handed on as is."""


class Framing(Protocol):
    """Parts bytes into payloads, however they are cut: `SseParser`, or a parser of one JSON value a line."""

    def feed(self, chunk: bytes) -> Sequence[SseEvent]:
        """The payloads that this piece completes. Raises `UpstreamError` (upstream_invalid_response) for a huge one."""
        ...

    def close(self) -> Sequence[SseEvent]:
        """The bytes are over: the payload that lacks only its end, if there is one."""
        ...


class UpstreamStream:
    """Iterates over the events of one response. Reads no further than the consumer asks, and never past the decoder's
    end marker.

    Events that came before a fault are handed out before the fault is raised. An end that the decoder does not call
    complete is a fault (U09b, U09d). Of what is `withheld` no fault tells.
    """

    __slots__ = ("_chunk", "_decoder", "_error", "_left", "_over", "_parser", "_ready", "_response", "_withheld")

    def __init__(
        self,
        response: HttpResponse,
        decoder: StreamDecoder,
        framing: Framing,
        max_bytes: int,
        withheld: Withheld | None = None,
    ) -> None:
        self._response = response
        self._chunk = response.chunk
        self._parser = framing
        self._decoder = decoder
        self._left = max_bytes
        self._withheld = withheld
        self._ready: deque[Event] = deque()
        self._over = False
        self._error: UpstreamError | None = None

    async def open(self) -> None:
        """Read up to the first event that bears content. What came before it is held and comes first.

        Until then nothing was shown to anybody, so a fault here is raised at once, and another target may be tried.
        """
        bears_content = self._decoder.bears_content
        held: list[Event] = []
        async for event in self:
            held.append(event)
            if bears_content(event) or len(held) == MAX_HELD_EVENTS:
                break
        self._ready.extendleft(reversed(held))

    def __aiter__(self) -> UpstreamStream:
        return self

    async def __anext__(self) -> Event:
        ready = self._ready
        while not ready:
            if self._error is not None:
                raise self._error
            if self._over:
                raise StopAsyncIteration
            try:
                piece = await self._chunk()
                self._left -= len(piece)
                if self._left < 0:
                    raise UpstreamError("upstream_invalid_response", should_retry=False)
                if piece:
                    self._take(self._parser.feed(piece))
                else:
                    self._end()
            except UpstreamError as error:  # kept until the events before it are gone
                if self._withheld is not None:
                    self._withheld.strike(error)
                self._error = error
        return ready.popleft()

    async def close(self) -> None:
        """Give the connection back if the stream was read to its end, close it otherwise."""
        if self._over:
            await self._response.release()
        else:
            await self._response.abort()

    def _take(self, events: Sequence[SseEvent]) -> None:
        """Their events become ready."""
        decoder = self._decoder
        for data, name in events:
            if data:
                self._ready.extend(decoder.decode(data, name))
                if decoder.done:
                    decoder.end()
                    self._over = True
                    return

    def _end(self) -> None:
        """The body is over without an end marker: fine after the last finish reason (U09c)."""
        try:
            self._take(self._parser.close())
        except UpstreamError as error:
            if error.code != "upstream_invalid_response":
                raise
            # What cannot be read is the stump of an event that was cut off.
            raise UpstreamError("upstream_stream_interrupted") from error
        if not self._over:
            self._decoder.end()
            self._over = True
