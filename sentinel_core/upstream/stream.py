"""An upstream's SSE body as events that can be trusted to be complete, or to end in an error."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseEvent, SseParser
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Event, Opaque, UsageReport
from sentinel_core.services import HttpResponse

MAX_HELD_EVENTS = 256
"""Opening frames that are held back for the first content; an upstream that sends more of them is handed on as is."""


class ChatStream:
    """Iterates over the events of one response. Reads no further than the consumer asks, and never past `[DONE]`.

    Events that came before a fault are handed out before the fault is raised. An end without a finish reason for
    every choice is a fault (U09b, U09d).
    """

    __slots__ = ("_decoder", "_error", "_left", "_over", "_parser", "_ready", "_response")

    def __init__(self, response: HttpResponse, max_event_bytes: int, max_bytes: int) -> None:
        self._response = response
        self._parser = SseParser(max_event_bytes)
        self._decoder = OPENAI_CHAT.stream_decoder()
        self._left = max_bytes
        self._ready: deque[Event] = deque()
        self._over = False
        self._error: UpstreamError | None = None

    async def open(self) -> None:
        """Read up to the first event that bears content. What came before it is held and comes first.

        Until then nothing was shown to anybody, so a fault here is raised at once, and another target may be tried.
        """
        seen = 0
        while True:
            if any(bears_content(self._ready[index]) for index in range(seen, len(self._ready))):
                return
            if self._error is not None:
                raise self._error
            seen = len(self._ready)
            if self._over or seen >= MAX_HELD_EVENTS:
                return
            await self._read()

    def __aiter__(self) -> ChatStream:
        return self

    async def __anext__(self) -> Event:
        while not self._ready:
            if self._error is not None:
                raise self._error
            if self._over:
                raise StopAsyncIteration
            await self._read()
        return self._ready.popleft()

    async def close(self) -> None:
        """Give the connection back if the stream was read to its end, close it otherwise."""
        if self._over:
            await self._response.release()
        else:
            await self._response.abort()

    async def _read(self) -> None:
        """Take one more piece of the body; its events become ready, its fault is kept until they are gone."""
        try:
            piece = await self._response.chunk()
            self._left -= len(piece)
            if self._left < 0:
                raise UpstreamError("upstream_invalid_response")
            if piece:
                self._take(self._parser.feed(piece))
            else:
                self._end()
        except UpstreamError as error:
            self._error = error

    def _take(self, events: Sequence[SseEvent]) -> None:
        decoder = self._decoder
        for data, name in events:
            if data:
                self._ready.extend(decoder.decode(data, name))
                if decoder.done:
                    decoder.end()
                    self._over = True
                    return

    def _end(self) -> None:
        """The body is over without `[DONE]`: fine after the last finish reason (U09c)."""
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


def bears_content(event: Event) -> bool:
    """False for what opens a stream: role-only deltas, frames without choices, running token counts."""
    if isinstance(event, Opaque):
        return bool(event.slots) and event.frame is not None and bool(event.frame.body.get("choices"))
    return not isinstance(event, UsageReport)
