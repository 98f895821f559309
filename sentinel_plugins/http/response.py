"""The body of one response, piece by piece, within its limits, and the two ways to let go of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TypeAlias

import aiohttp

from sentinel_core.errors import UpstreamError
from sentinel_plugins.http.sending import Sending
from sentinel_plugins.http.timer import CallTimer

Ended: TypeAlias = Callable[[aiohttp.ClientResponse | None], None]
"""Told once when a response is over; given it where its body may still have to end."""


class AiohttpResponse:
    """One response whose head has arrived. Exactly one of `release` and `abort` ends it."""

    __slots__ = ("_content", "_ended", "_first", "_over", "_response", "_sending", "_unpack", "headers", "status")

    def __init__(self, response: aiohttp.ClientResponse, sending: Sending, ended: Ended) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = response.headers  # any case finds them
        self._response = response
        self._content = response.content
        self._sending = sending
        self._unpack = sending.decompressor
        self._ended = ended
        self._first = True
        self._over = False

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

    async def chunk(self) -> bytes:
        """The next piece of the body, decompressed; b"" at a clean end.

        Raises `UpstreamError`: upstream_timeout, or upstream_stream_interrupted if the body breaks off.
        """
        unpack = self._unpack
        if unpack is None:
            return await self._piece()
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

    async def release(self) -> None:
        """Everything that matters was read: give the connection back once the body has ended, or close it soon."""
        if self._finish():
            self._ended(self._response)

    async def abort(self) -> None:
        """Close the connection now, whatever is still to be sent or read."""
        if self._finish():
            if not self._response.closed:
                self._sending.dial.abort()
                self._response.close()
            self._ended(None)

    async def _piece(self) -> bytes:
        """What has arrived, or what arrives next."""
        content = self._content
        if content.at_eof():
            return b""
        try:
            with self._limit():
                piece = await content.readany()
        except (aiohttp.ClientError, OSError) as error:
            return self._rest(error)
        self._first = False
        return piece

    def _limit(self) -> CallTimer:
        sending = self._sending
        if self._first:
            return sending.timer.until(sending.first_byte_at)
        return sending.timer.limit(sending.timeouts.idle_s)

    def _rest(self, error: Exception) -> bytes:
        """The bytes that came before the body broke; then the error.

        aiohttp raises at once, with those bytes still in its buffer, and has no public way to them; they are the
        events that the client is owed before the error (U09a).
        """
        rest: bytes = self._content._read_nowait(-1)
        if rest:
            return rest
        late = self._sending.timer.expired
        raise UpstreamError("upstream_timeout" if late else "upstream_stream_interrupted") from error

    def _finish(self) -> bool:
        """True for the first ending."""
        if self._over:
            return False
        self._over = True
        self._sending.timer.stop()
        return True
