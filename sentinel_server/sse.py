"""The streamed response: Server-Sent Events at the client's pace.

Source: the HTML standard, section 9.2. Keep-alives are comment lines only: `id:`, `retry:`, `event:` and empty data
break official clients (reliability section 3).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from time import monotonic

from sentinel_server.edge import Transaction, Watch

log = logging.getLogger("sentinel.server")

CONTENT_TYPE = b"text/event-stream; charset=utf-8"
COMMENT = b": keep-alive\n\n"

_HEAD = (
    (b"content-type", CONTENT_TYPE),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
)


class SseResponse:
    """One event stream to one client.

    Status and headers leave with the first data, or after `keep_alive_s` seconds of silence with a comment; until then
    a failure may still have a status of its own. `headers` is asked when they leave. Every write waits until the
    server took it: the client's pace is the provider's pace (C05). Use it from one task; enter it as a context, so
    that a comment in flight is over when the response is.
    """

    __slots__ = ("_beat", "_headers", "_keep_alive_s", "_last", "_tx", "_watch", "committed")

    def __init__(
        self, tx: Transaction, watch: Watch, headers: Callable[[], Iterable[tuple[bytes, bytes]]], keep_alive_s: float
    ) -> None:
        self._tx = tx
        self._watch = watch
        self._headers = headers
        self._keep_alive_s = keep_alive_s
        self._last = monotonic()
        self._beat: asyncio.Task[None] | None = None
        self.committed = False
        watch.call(self._pulse)

    async def __aenter__(self) -> SseResponse:
        return self

    async def __aexit__(self, *_: object) -> None:
        beat = self._beat
        if beat is not None:
            beat.cancel()
            await asyncio.wait([beat])
            if not beat.cancelled() and (error := beat.exception()) is not None:
                log.debug("a comment was not taken: %s", type(error).__name__)

    async def write(self, data: bytes) -> None:
        """Send one or more events of the answer."""
        if self._beat is not None or not self.committed:
            await self._open()
        watch = self._watch
        self._last = watch.sending_since = monotonic()
        await self._tx.send_chunk(data)
        watch.sending_since = None

    async def _open(self) -> None:
        """Wait for a comment that is leaving; send the head if it has not left."""
        await self._ready()
        self._tx.first_byte = True
        if not self.committed:
            self._watch.sending()
            await self._commit()

    async def end(self, data: bytes) -> None:
        """Send the last events and end the response."""
        await self._ready()
        self._watch.sending()
        if not self.committed:
            await self._commit()
        self._watch.finishing()
        await self._tx.send({"type": "http.response.body", "body": data, "more_body": False})
        self._watch.release()

    async def _ready(self) -> None:
        """Wait for a comment that is being sent; two writes at once would mix."""
        beat = self._beat
        if beat is not None:
            await asyncio.wait([beat])
            self._beat = None
            beat.result()  # what a comment met, the next write would meet as well

    async def _commit(self) -> None:
        self.committed = True
        head = [*_HEAD, *self._headers()]
        await self._tx.send({"type": "http.response.start", "status": 200, "headers": head})

    def _pulse(self, now: float) -> float:
        """Send a comment if there has been silence for long enough. When to look again.

        After one that was not taken there is none: what it met is for the next write.
        """
        due = self._last + self._keep_alive_s
        if now < due or self._watch.busy or (self._beat is not None and not _taken(self._beat)):
            return max(due, now + self._keep_alive_s / 2)
        self._last = now
        self._beat = asyncio.get_running_loop().create_task(self._comment())
        return now + self._keep_alive_s

    async def _comment(self) -> None:
        self._watch.sending()
        try:
            if not self.committed:
                await self._commit()
            await self._tx.send_chunk(COMMENT)
        finally:
            self._watch.sent()


def _taken(beat: asyncio.Task[None]) -> bool:
    return beat.done() and not beat.cancelled() and beat.exception() is None
