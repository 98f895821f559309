"""Replies as they come from the socket, and how a connection ends."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import BusyLoadingError, InvalidResponse, MovedError, NoScriptError, ResponseError
from redis.exceptions import ConnectionError as LinkError

from sentinel_plugins.redis.wire import Reply, Wire


class Pipe(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.opened_by = self.protocol = Opener()
        self.sent = b""
        self.aborted = False

    def get_protocol(self) -> asyncio.BaseProtocol:
        return self.protocol

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = cast("Any", protocol)  # whatever the connection sets

    def write(self, data: Any) -> None:  # as the transport's own
        self.sent += data

    def abort(self) -> None:
        self.aborted = True


class Opener(asyncio.Protocol):
    """What redis-py reads with, and waits for when it closes."""

    lost = False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True


class Ear:
    """A wire over a pipe, and what it said."""

    def __init__(self) -> None:
        self.pipe = Pipe()
        self.replies: list[Reply] = []
        self.flows: list[bool] = []
        connection = SimpleNamespace(_writer=SimpleNamespace(transport=self.pipe))
        self.wire = Wire(cast("AbstractConnection", connection), self.replies.append, self.flows.append)

    async def ended(self) -> Exception | None:
        assert self.wire.ended.done()
        return cast("Exception | None", self.wire.ended.exception())


SAID = (
    b"+OK\r\n:7\r\n$-1\r\n$3\r\na\r\n\r\n*2\r\n:1\r\n$0\r\n\r\n-NOSCRIPT no\r\n-MOVED 12 127.0.0.1:7\r\n-ERR what\r\n"
)
MEANT = [b"OK", 7, None, b"a\r\n", [1, b""]]


@given(st.lists(st.integers(1, len(SAID) - 1), max_size=6))
def test_replies_are_the_same_wherever_they_are_cut(cuts: list[int]) -> None:
    async def heard() -> list[Reply]:
        ear, at = Ear(), 0
        for end in (*sorted(cuts), len(SAID)):
            ear.wire.data_received(SAID[at:end])
            at = end
        ear.wire.ended.cancel()
        return ear.replies

    replies = asyncio.run(heard())
    assert replies[:5] == MEANT
    assert [type(reply) for reply in replies[5:]] == [NoScriptError, MovedError, ResponseError]


async def test_commands_leave_together() -> None:
    ear = Ear()
    ear.wire.write([b"a", b"b"])
    assert ear.pipe.sent == b"ab"
    ear.wire.ended.cancel()


@pytest.mark.parametrize(
    ("said", "kind"),
    [(b"-LOADING not yet\r\n", BusyLoadingError), (b"-NOAUTH who\r\n", LinkError), (b"?what\r\n", InvalidResponse)],
)
async def test_what_concerns_the_whole_connection_ends_it(said: bytes, kind: type[Exception]) -> None:
    ear = Ear()
    ear.wire.data_received(b"+OK\r\n" + said + b"+never heard\r\n")
    assert ear.replies == [b"OK"]
    assert isinstance(await ear.ended(), kind)
    assert ear.pipe.aborted


@pytest.mark.parametrize("why", [None, ConnectionResetError("gone")])
async def test_a_lost_connection_is_told_to_those_who_wait_and_to_whom_it_belonged(why: Exception | None) -> None:
    ear = Ear()
    ear.wire.connection_lost(why)
    assert ear.pipe.opened_by.lost
    found = await ear.ended()
    assert found is why if why is not None else isinstance(found, LinkError)


async def test_whoever_writes_hears_when_the_server_reads_too_slowly() -> None:
    ear = Ear()
    ear.wire.pause_writing()
    ear.wire.resume_writing()
    assert ear.flows == [False, True]
    ear.wire.ended.cancel()
