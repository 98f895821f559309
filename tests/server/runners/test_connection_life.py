"""Connections from their acceptance to their end: caps, clocks, disconnects, drain."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from contextlib import suppress

import pytest

from sentinel_core.errors import ConfigError
from sentinel_server.runners import load
from sentinel_server.runners.base import Message, Receive, Send
from tests.pace import AT_ONCE_S, until
from tests.server.runners.conftest import SHORT_S, Served, Start, closed, limits

GET = b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n"
LAST_GET = b"GET %b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


async def until_refused(served: Served) -> None:
    """Connect until nobody listens any more."""
    with suppress(ConnectionRefusedError):
        while True:
            (await served.connect())[1].close()


def reset_at_once(host: str, port: int) -> None:
    """Connect, and be gone before a server in this loop can have seen it."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as client:
        client.connect((host, port))
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def test_h13_a_slow_head_is_closed(serving: Start) -> None:
    async with serving(limits(head_s=SHORT_S)) as served:
        reader, writer = await served.connect()
        writer.write(b"GET /a HTTP/1.1\r\nHost: ")
        assert await closed(reader) == b""
        writer.close()
    assert served.application.requests == []


@pytest.mark.parametrize("pieces", [(b"%bGET /b HT",), (b"%b", b"GET /b HT"), (b"%b", b"GET /b HT", b"TP/1.1\r\nHo")])
async def test_h13_a_slow_head_behind_a_running_request_is_closed(serving: Start, pieces: tuple[bytes, ...]) -> None:
    async with serving(limits(head_s=SHORT_S)) as served:
        reader, writer = await served.connect()
        for piece in pieces:
            writer.write(piece.replace(b"%b", GET % b"/stream"))
            await served.exchange(LAST_GET % b"/a")  # by then what came before is read
        served.application.go_on.set()
        assert b"last " in await closed(reader)
        writer.close()
    assert "/b" not in served.application.requests


async def test_an_idle_connection_is_closed(serving: Start) -> None:
    async with serving(limits(keep_alive_s=SHORT_S)) as served:
        silent, writer = await served.connect()
        used, other = await served.connect()
        other.write(GET % b"/a")
        assert await closed(silent) == b""
        assert b"last" in await closed(used)
        writer.close()
        other.close()


async def test_0_5_no_clock_runs_while_a_response_does(serving: Start) -> None:
    async with serving(limits(head_s=SHORT_S, keep_alive_s=SHORT_S)) as served:
        reader, writer = await served.connect()
        writer.write(GET % b"/stream")
        await reader.readuntil(b"first ")
        with pytest.raises(TimeoutError):  # longer than both clocks, and nothing happens
            await asyncio.wait_for(reader.read(), 3 * SHORT_S)
        served.application.go_on.set()
        assert await asyncio.wait_for(reader.readuntil(b"last "), AT_ONCE_S)
        writer.close()


async def test_0_7_a_client_that_leaves_is_reported_to_the_application(serving: Start) -> None:
    async with serving() as served:
        _, writer = await served.connect()
        writer.write(GET % b"/hang")
        await asyncio.wait_for(served.application.waiting.wait(), AT_ONCE_S)
        writer.close()
        assert await asyncio.wait_for(served.application.ended.get(), AT_ONCE_S) == "disconnected"


async def test_0_7_a_client_that_pipelined_and_then_left_is_reported_too(serving: Start) -> None:
    async with serving() as served:
        _, writer = await served.connect()
        writer.write(GET % b"/hang")
        await asyncio.wait_for(served.application.waiting.wait(), AT_ONCE_S)
        writer.write(GET % b"/b")
        await writer.drain()
        writer.transport.abort()
        assert await asyncio.wait_for(served.application.ended.get(), AT_ONCE_S) == "disconnected"
    assert served.application.requests == ["/hang"]


async def test_c06_a_client_that_vanishes_is_given_up_by_the_kernel(
    serving: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    options: dict[tuple[int, int], object] = {}

    def note(_: socket.socket, level: int, name: int, value: object) -> None:
        options[level, name] = value

    # Dropping packets takes rights that a test does not have, so what the kernel was told is all there is to see.
    monkeypatch.setattr(socket.socket, "setsockopt", note)
    async with serving(limits(user_timeout_s=12)) as served:
        await served.exchange(LAST_GET % b"/a")
    assert options[socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT] == 12_000
    assert options[socket.SOL_SOCKET, socket.SO_KEEPALIVE] == 1
    assert options[socket.IPPROTO_TCP, socket.TCP_KEEPIDLE] == 6
    assert options[socket.IPPROTO_TCP, socket.TCP_KEEPINTVL] == 3


async def test_c07_a_half_close_counts_as_leaving(serving: Start) -> None:
    async with serving() as served:
        _, writer = await served.connect()
        writer.write(GET % b"/hang")
        await asyncio.wait_for(served.application.waiting.wait(), AT_ONCE_S)
        writer.write_eof()
        assert await asyncio.wait_for(served.application.ended.get(), AT_ONCE_S) == "disconnected"
        writer.close()


@pytest.mark.parametrize("cap", ["max_connections", "max_connections_per_ip"])
async def test_0_17_connections_beyond_a_cap_are_refused_and_room_is_made_again(serving: Start, cap: str) -> None:
    async with serving(limits(**{cap: 1})) as served:
        first, writer = await served.connect()
        writer.write(GET % b"/stream")
        await first.readuntil(b"first ")

        second, other = await served.connect()
        refusal = await closed(second)
        other.close()
        assert refusal.startswith(b"HTTP/1.1 503")
        assert b'"code":"overloaded"' in refusal

        writer.close()
        served.application.go_on.set()
        while True:  # until the server has seen the first one go
            third, another = await served.connect()
            another.write(GET % b"/a")
            answer = await asyncio.wait_for(third.read(12), AT_ONCE_S)
            another.close()
            if answer == b"HTTP/1.1 200":
                break


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_0_17_a_client_that_resets_at_once_makes_room(serving: Start, host: str) -> None:
    async with serving(limits(max_connections=1), host=host) as served:
        reset_at_once(host, served.port)

        async def room() -> bool:
            reader, writer = await served.connect()
            writer.write(LAST_GET % b"/a")
            answer = await closed(reader)
            writer.close()
            return answer.startswith(b"HTTP/1.1 200")

        await until(room, AT_ONCE_S)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_0_4_a_client_that_resets_at_once_does_not_hold_up_a_drain(serving: Start, host: str) -> None:
    async with serving(host=host) as served:
        reset_at_once(host, served.port)
        served.shutdown.begin.set()
        await served.stopped()
    assert served.application.requests == []


async def test_0_4_during_a_drain_new_connections_are_refused_and_running_requests_end(serving: Start) -> None:
    async with serving() as served:
        idle, idle_writer = await served.connect()
        idle_writer.write(GET % b"/a")
        await idle.readuntil(b"last ")
        reader, writer = await served.connect()
        writer.write(GET % b"/stream")
        await reader.readuntil(b"first ")

        served.shutdown.begin.set()
        assert b"HTTP" not in await closed(idle)
        with pytest.raises(ConnectionRefusedError):
            await served.connect()
        assert not served.task.done()

        served.application.go_on.set()
        assert b"last " in await closed(reader)
        await served.stopped()
        writer.close()
        idle_writer.close()


async def test_s01_a_response_that_begins_during_a_drain_closes_its_connection(serving: Start) -> None:
    begun = asyncio.Event()
    answer = asyncio.Event()

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        begun.set()
        await answer.wait()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})

    async with serving(app=app) as served:
        reader, writer = await served.connect()
        writer.write(GET % b"/a")
        await begun.wait()
        served.shutdown.begin.set()
        await until_refused(served)
        answer.set()
        response = await closed(reader)
        writer.close()

    assert response.lower().count(b"\r\nconnection: close\r\n") == 1


async def test_s02_at_the_drain_deadline_requests_are_cancelled_and_may_say_a_last_word(
    serving: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    async with serving() as served:
        reader, writer = await served.connect()
        writer.write(GET % b"/stream")
        await reader.readuntil(b"first ")

        served.shutdown.hurry()
        assert b"cancelled" in await closed(reader)
        await served.stopped()
        writer.close()

    assert served.application.ended.get_nowait() == "cancelled"
    assert caplog.records == []


async def test_s02_an_application_that_ignores_its_cancellation_is_cut(serving: Start) -> None:
    begun = asyncio.Event()
    release = asyncio.Event()

    async def stubborn(scope: Message, receive: Receive, send: Send) -> None:
        begun.set()
        try:
            await release.wait()
        except asyncio.CancelledError:
            await release.wait()

    async with serving(app=stubborn) as served:
        reader, writer = await served.connect()
        writer.write(GET % b"/a")
        await begun.wait()
        served.shutdown.hurry()
        assert await closed(reader) == b""
        await served.stopped()
        writer.close()


async def test_a_failing_application_is_logged_and_its_connection_closed(
    serving: Start, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(scope: Message, receive: Receive, send: Send) -> None:
        raise RuntimeError("boom")

    async with serving(app=broken) as served:
        reader, writer = await served.connect()
        writer.write(GET % b"/a")
        assert (await reader.readline()).startswith(b"HTTP/1.1 500")
        writer.close()

    assert "boom" in caplog.text


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentinel_server.runners.find_spec", lambda name: None if name == "httptools" else object())
    with pytest.raises(ConfigError, match=r"needs httptools; .*pip install '\.\[fast\]' in"):
        load("uvicorn")


def test_s08_the_cap_leaves_files_for_upstream_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, 256))
    assert limits(max_connections=4096).affordable_connections == 96
    assert limits(max_connections=50).affordable_connections == 50
