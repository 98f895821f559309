"""The body of one response, piece by piece, within its limits, and the two ways to let go of it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import aiohttp

from sentinel_core.errors import UpstreamError
from sentinel_plugins.http.decompress import Decompressor
from sentinel_plugins.http.faults import BODY_ERRORS
from sentinel_plugins.http.sending import Sending

Ended: TypeAlias = Callable[[aiohttp.ClientResponse | None], None]
"""Told once when a response is over; given it where its body may still have to end."""


class AiohttpResponse:
    """One response whose head has arrived. Exactly one of `release` and `abort` ends it."""

    __slots__ = (
        "_content",
        "_dial",
        "_end",
        "_ended",
        "_first_byte_at",
        "_idle_s",
        "_over",
        "_response",
        "_time",
        "_timer",
        "_unpack",
        "headers",
        "status",
    )

    def __init__(self, response: aiohttp.ClientResponse, sending: Sending, ended: Ended) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers  # any case finds them
        self._response = response
        self._content = response.content
        self._dial = sending.dial
        self._timer = sending.timer
        self._time = asyncio.get_running_loop().time
        self._first_byte_at = sending.first_byte_at
        self._idle_s = sending.timeouts.idle_s
        self._unpack = sending.decompressor
        self._ended = ended
        self._over = False
        self._end = self._dial.end
        if self._end is not None:
            self._end.add_done_callback(self._lost)

    async def read(self, limit: int) -> bytes:
        """The whole body, decompressed. Raises `UpstreamError` (upstream_invalid_response) past `limit` bytes."""
        pieces: list[bytes] = []
        size = 0
        while piece := await self.chunk():
            size += len(piece)
            if size > limit:
                raise UpstreamError("upstream_invalid_response", upstream_status=self.status, should_retry=False)
            pieces.append(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def chunk(self) -> Awaitable[bytes]:
        """The next piece of the body, decompressed; b"" at a clean end.

        Raises `UpstreamError`: upstream_timeout, or upstream_stream_interrupted if the body breaks off. Not a coroutine
        of its own: this runs for every event of every stream.
        """
        return self._piece() if self._unpack is None else self._unpacked(self._unpack)

    async def release(self) -> None:
        """Everything that matters was read: give the connection back once the body has ended, or close it soon."""
        if self._finish():
            self._ended(self._response)

    async def abort(self) -> None:
        """Close the connection now, whatever is still to be sent or read."""
        if self._finish():
            if not self._response.closed:
                self._dial.abort()
                self._response.close()
            self._ended(None)

    async def _unpacked(self, unpack: Decompressor) -> bytes:
        while True:
            if not unpack.pending:
                packed = await self._piece()
                if not packed:
                    unpack.end()
                    return b""
                unpack.feed(packed)
                continue
            await asyncio.sleep(0)  # between the steps of one compressed piece others get their turn
            if piece := unpack.step():
                return piece

    async def _piece(self) -> bytes:
        """What has arrived, or what arrives next. At its limit the timer closes the connection; that ends the wait."""
        timer = self._timer
        timer.due = due = self._first_byte_at or self._time() + self._idle_s
        if due < timer.armed:
            timer.until(due)
        try:
            piece = await self._content.readany()
        except BODY_ERRORS as error:
            return self._rest(error)
        except RuntimeError as error:  # aiohttp's word for a connection that was lost a moment ago
            if not self._dial.lost:
                raise
            return self._rest(error)
        timer.due = timer.end
        self._first_byte_at = 0.0
        if not piece and timer.expired:  # a body without framing ends with its connection
            raise UpstreamError("upstream_timeout")
        return piece

    def _rest(self, error: Exception) -> bytes:
        """The bytes that came before the body broke; then the error.

        aiohttp raises at once, with those bytes still in its buffer, and has no public way to them; they are the
        events that the client is owed before the error (U09a).
        """
        content = self._content
        if content.at_eof():
            return b""
        rest: bytes = content._read_nowait(-1)
        if rest:
            return rest
        late = self._timer.expired
        raise UpstreamError("upstream_timeout" if late else "upstream_stream_interrupted") from error

    def _lost(self, _: asyncio.Future[None]) -> None:
        """Wake whoever waits for a body that has lost its connection: aiohttp does, but not where its parser failed."""
        content = self._content
        if not content.is_eof() and content.exception() is None:
            broken = aiohttp.ClientPayloadError("the connection is lost")
            broken.__cause__ = self._dial.failure
            content.set_exception(broken)

    def _finish(self) -> bool:
        """True for the first ending."""
        if self._over:
            return False
        self._over = True
        self._timer.stop()
        if self._end is not None:
            self._end.remove_done_callback(self._lost)
        return True
