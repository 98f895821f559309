"""The bytes of an open connection: what is written leaves at once, replies are handed on as they come.

redis-py opens connections, logs in and closes them. Its own way from the socket to a reply is six coroutines long;
here it is one call.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

from hiredis import Reader
from redis.asyncio.connection import AbstractConnection, DefaultParser
from redis.exceptions import ConnectionError as LinkError
from redis.exceptions import InvalidResponse, RedisError, ResponseError

Reply: TypeAlias = bytes | int | list["Reply"] | ResponseError | None
"""What a server says; an error is a reply as well."""

_INCOMPLETE = object()


class Wire(asyncio.Protocol):
    """Takes the place of redis-py's own reader on a connection that it has opened.

    `heard` is told each reply, in order. `ended` fails when nothing more will come, with an OSError or a RedisError:
    the server closed, broke the protocol, or said what concerns the whole connection, as that nobody is logged in.
    `flowing` is told whether the system takes what is written.
    """

    def __init__(
        self, connection: AbstractConnection, heard: Callable[[Reply], None], flowing: Callable[[bool], None]
    ) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._heard = heard
        self._flowing = flowing
        parse_error = cast("Any", DefaultParser).parse_error  # its stub has no parse_error
        kinds = {"protocolError": InvalidResponse, "replyError": parse_error}
        self._reader = Reader(**kinds, notEnoughData=_INCOMPLETE)
        writer: asyncio.StreamWriter = cast("Any", connection)._writer  # there is no other way to it
        self._transport = cast("asyncio.Transport", writer.transport)
        self._opened_by = self._transport.get_protocol()
        self._transport.set_protocol(self)

    def write(self, commands: Sequence[bytes]) -> None:
        """Send packed commands."""
        self._transport.write(b"".join(commands))

    def data_received(self, data: bytes) -> None:
        """Hand on the replies that are complete."""
        reader = self._reader
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not _INCOMPLETE:
                if isinstance(reply, LinkError):
                    raise reply
                self._heard(reply)
        except RedisError as error:
            self._end(error)
            self._transport.abort()

    def pause_writing(self) -> None:
        """The server reads too slowly."""
        self._flowing(False)

    def resume_writing(self) -> None:
        """It has caught up."""
        self._flowing(True)

    def connection_lost(self, exc: Exception | None) -> None:
        """Also told to whom the connection belonged before: redis-py waits for it when it closes."""
        self._end(exc or LinkError("the server closed the connection"))
        self._opened_by.connection_lost(exc)

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
