"""One call from its start to the head of its response, and the ways in which that fails."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Mapping
from typing import NamedTuple

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from sentinel_core.cancellation import note_unsent
from sentinel_core.errors import UpstreamError
from sentinel_core.services import HttpTimeouts
from sentinel_plugins.http import short_way
from sentinel_plugins.http.constants import HEADERS, READ_BUFFER_BYTES
from sentinel_plugins.http.decompress import Decompressor, decompressor
from sentinel_plugins.http.dialling import DIAL, Dial
from sentinel_plugins.http.faults import CALL_ERRORS, call_error, is_stale
from sentinel_plugins.http.timer import CallTimer

LARGE_BODY_BYTES = 1 << 20
"""Above this aiohttp wants a file, which it writes in pieces, so that the loop is not held up."""


STALE_WITHIN_S = 2.0
"""A connection that was dead before the request says so within a round trip. One that dies later was at work on it,
and a model must not be run, and billed, twice."""


class Outgoing(NamedTuple):
    """What is sent."""

    method: str
    url: URL
    headers: Mapping[str, str]
    body: bytes | None


class Sending:
    """One call on its way: its timer, its connection, and what its limits mean at each point.

    The connect limit runs until a connection is there; the first-byte limit from then until the first byte of the
    body, so that a head with silence after it (U07) is as late as no head (U06).
    """

    __slots__ = (
        "_handshake",
        "_hastened",
        "_loop",
        "_outgoing",
        "_sent_at",
        "decompressor",
        "dial",
        "first_byte_at",
        "timeouts",
        "timer",
    )

    def __init__(self, outgoing: Outgoing, timeouts: HttpTimeouts, total_s: float) -> None:
        self._loop = asyncio.get_running_loop()
        self._outgoing = outgoing
        self._handshake = False
        self._hastened = total_s < timeouts.total_s  # by the request's deadline
        self._sent_at = 0.0
        self.timeouts = timeouts
        self.timer = CallTimer(self._loop, total_s, self._expire)
        self.first_byte_at = 0.0
        self.dial = Dial(self._connected)
        self.decompressor: Decompressor | None = None

    @property
    def queued(self) -> bool:
        """The call ended while it waited for a connection, before any was opened for it."""
        return self.timer.expired and self.dial.connection is None and not self.dial.fresh

    async def run(self, shared: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        """The head of the response. Raises `UpstreamError`; whatever is raised, the connection is closed."""
        try:
            response = await self._retried(shared, fresh)
            self._check(response)
        except CALL_ERRORS as error:
            self.abort()
            raise call_error(error) from error
        except BaseException as exc:  # a cancellation leaves no connection open, either
            self.abort()
            if not self._sent_at and isinstance(exc, asyncio.CancelledError):
                note_unsent(exc)
            raise
        return response

    def abort(self) -> None:
        """Close the connection now and stop the timer."""
        self.timer.stop()
        self.dial.abort()

    async def _retried(self, shared: aiohttp.ClientSession, fresh: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        try:
            return await self._over(shared)
        except CALL_ERRORS as error:
            if self.dial.fresh or not is_stale(error) or self._loop.time() > self._sent_at + STALE_WITHIN_S:
                raise
        self.dial = Dial(self._connected)
        return await self._over(fresh)

    async def _over(self, session: aiohttp.ClientSession) -> aiohttp.ClientResponse:
        method, url, headers, body = self._outgoing
        data = _payload(body) if body is not None else None
        DIAL.set(self.dial)
        try:
            with self.timer.limit(self.timeouts.connect_s):
                if short_way.KNOWN:
                    whole = CIMultiDict((*HEADERS.items(), *headers.items()))
                    return await short_way.send(session, method, url, whole, data, read_bufsize=READ_BUFFER_BYTES)
                return await session.request(method, url, data=data, headers=headers, allow_redirects=False)
        except UpstreamError as error:
            raise self._late() from error.__cause__

    def _check(self, response: aiohttp.ClientResponse) -> None:
        """A head that can be worked with. Else the response is closed, and never shown to anybody."""
        status = response.status
        try:
            if 300 <= status < 400:
                raise UpstreamError("upstream_redirect", upstream_status=status)
            if status < 200:
                raise UpstreamError("upstream_invalid_response", upstream_status=status)
            encoding = response.headers.get("Content-Encoding", "")
            self.decompressor = decompressor(encoding, needed=status < 400)  # an error's status speaks for itself
        except UpstreamError:
            self.dial.abort()
            response.close()
            raise

    def _connected(self) -> None:
        self._sent_at = self._loop.time()
        self.first_byte_at = self._sent_at + self.timeouts.first_byte_s
        self.timer.until(self.first_byte_at)

    def _expire(self) -> None:
        self._handshake = self.dial.in_handshake
        self.dial.abort()

    def _late(self) -> UpstreamError:
        """What a limit that passed before the head came says about the upstream (U02, U03, U06). A deadline that passed
        before there was a connection says nothing."""
        if self.dial.connection is not None:
            return UpstreamError("upstream_timeout")
        if self.timer.total_is_over and (self._sent_at or self._hastened):
            return UpstreamError("upstream_timeout", attempted=bool(self._sent_at))
        if self._handshake and self._outgoing.url.scheme == "https":
            return UpstreamError("upstream_tls_error")
        return UpstreamError("upstream_unreachable")


def _payload(body: bytes) -> io.BytesIO | aiohttp.BytesPayload:
    """The body as aiohttp sends it; made here, because aiohttp would look through its registry of kinds for it."""
    return io.BytesIO(body) if len(body) > LARGE_BODY_BYTES else aiohttp.BytesPayload(body)
