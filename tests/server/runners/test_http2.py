"""HTTP/2 with prior knowledge, which only Hypercorn speaks and only when asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace

import h2.config
import h2.connection
import h2.errors
import h2.events
import pytest

from sentinel_server.app import asgi
from sentinel_server.runners.base import Message, Receive, Send
from tests.long_form import long_form
from tests.pace import AT_ONCE_S
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import CHAT, chat_body, encoded, gateway_of
from tests.server.runners.conftest import FRAME, SERVICE_RESTART, Served, Socket, Start, closed, limits
from tests.upstream import Reply, Stream, Upstream, chat_stream, completion

LIMITS = limits(http2=True)


@pytest.fixture
def runner() -> str:
    """The one runner that has it."""
    return "hypercorn"


class Client:
    """A client's side of one HTTP/2 connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, normal: bool = True) -> None:
        self.reader = reader
        self.writer = writer
        settings = h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=normal)
        self.h2 = h2.connection.H2Connection(settings)
        self.h2.initiate_connection()
        self.flush()

    @classmethod
    async def to(cls, served: Served) -> Client:
        return cls(*await served.connect())

    def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())

    def request(
        self,
        stream: int,
        path: bytes,
        *others: tuple[bytes, bytes],
        body: bytes = b"",
        end: bool = True,
        json: bool = False,
    ) -> None:
        headers = [(b":method", b"POST"), (b":scheme", b"http"), (b":authority", b"localhost"), (b":path", path)]
        headers += others
        if json:
            headers.append((b"content-type", b"application/json"))
        self.h2.send_headers(stream, headers, end_stream=end and not body)
        if body:
            self.h2.send_data(stream, body, end_stream=end)
        self.flush()

    def connect(self, stream: int, *changed: tuple[bytes, bytes | None]) -> None:
        """Ask for a WebSocket (RFC 8441); `changed` headers say something else, or nothing."""
        headers: dict[bytes, bytes | None] = {
            **{b":method": b"CONNECT", b":protocol": b"websocket", b":scheme": b"http", b":path": b"/socket"},
            **{b":authority": b"localhost", b"sec-websocket-version": b"13"},
            **dict(changed),
        }
        self.h2.send_headers(stream, [(name, value) for name, value in headers.items() if value is not None])
        self.flush()

    async def until(self, kind: type[h2.events.Event], stream: int) -> h2.events.Event:
        """Read until an event of this kind comes for this stream."""
        while True:
            data = await asyncio.wait_for(self.reader.read(65_536), AT_ONCE_S)
            assert data, "the connection was closed"
            for event in self.h2.receive_data(data):
                if isinstance(event, kind) and getattr(event, "stream_id", None) == stream:
                    return event
            self.flush()

    async def rest(self) -> list[h2.events.Event]:
        """Every event until the server closes."""
        events: list[h2.events.Event] = []
        while data := await asyncio.wait_for(self.reader.read(65_536), AT_ONCE_S):
            events += self.h2.receive_data(data)
            self.flush()
        return events


async def test_a_request_is_answered_over_http2_and_http1_still_works(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await Client.to(served)
        client.request(1, b"/a", body=b"hello")
        await client.until(h2.events.StreamEnded, 1)
        response = await served.exchange(b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        client.writer.close()

    assert response.startswith(b"HTTP/1.1 200")
    assert served.application.requests == ["/a", "/b"]


async def test_a_connection_without_a_request_is_closed(serving: Start) -> None:
    async with serving(replace(LIMITS, keep_alive_s=0.1)) as served:
        client = await Client.to(served)
        await closed(client.reader)
        client.writer.close()


async def test_a_drain_closes_a_connection_without_a_request(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await Client.to(served)
        assert await asyncio.wait_for(client.reader.read(65_536), AT_ONCE_S)  # the server's own preface
        served.shutdown.begin.set()
        assert isinstance((await client.rest())[-1], h2.events.ConnectionTerminated)
        await served.stopped()
        client.writer.close()


async def test_s01_in_a_drain_later_streams_are_refused_and_the_one_that_runs_is_completed(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await Client.to(served)
        client.request(1, b"/stream")
        await client.until(h2.events.DataReceived, 1)
        served.shutdown.begin.set()
        notice = await asyncio.wait_for(client.reader.read(65_536), AT_ONCE_S)
        client.request(3, b"/late")  # sent before it was read
        (changed,) = client.h2.receive_data(notice)
        assert isinstance(changed, h2.events.RemoteSettingsChanged)
        assert client.h2.remote_settings.max_concurrent_streams == 0
        refused = await client.until(h2.events.StreamReset, 3)
        assert isinstance(refused, h2.events.StreamReset)
        assert refused.error_code == h2.errors.ErrorCodes.REFUSED_STREAM
        client.flush()

        served.application.go_on.set()
        *events, last = await client.rest()
        assert any(isinstance(event, h2.events.StreamEnded) and event.stream_id == 1 for event in events)
        assert isinstance(last, h2.events.ConnectionTerminated)
        await served.stopped()
        assert served.application.requests == ["/stream"]
        client.writer.close()


async def beside_a_reset(served: Served) -> Client:
    """A client whose first stream runs, and whose second one was reset for its path."""
    client = await Client.to(served)
    client.request(1, b"/stream")
    await client.until(h2.events.DataReceived, 1)
    client.request(3, b"/\xc3\xa9")
    await client.until(h2.events.StreamReset, 3)
    return client


async def test_s01_a_stream_that_was_reset_does_not_hold_up_a_drain(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await beside_a_reset(served)
        served.shutdown.begin.set()
        served.application.go_on.set()
        assert isinstance((await client.rest())[-1], h2.events.ConnectionTerminated)
        await served.stopped()
        client.writer.close()


async def test_h15_a_non_ascii_path_resets_its_stream_only(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await beside_a_reset(served)
        served.application.go_on.set()
        await client.until(h2.events.StreamEnded, 1)
        client.writer.close()


@pytest.mark.parametrize(
    "changed",
    [
        [(b":protocol", None), (b":path", None), (b":scheme", None)],
        [(b":protocol", b"other")],
        [(b"sec-websocket-version", b"12")],
        [(b"sec-websocket-version", None)],
        [(b":method", b"get"), (b":protocol", None)],
    ],
    ids=["a tunnel", "another protocol", "another version", "no version", "small letters"],
)
async def test_h15_a_malformed_connect_resets_its_stream_only(
    serving: Start, changed: list[tuple[bytes, bytes | None]]
) -> None:
    async with serving(LIMITS) as served:
        client = await Client.to(served)
        client.connect(1, *changed)
        reset = await client.until(h2.events.StreamReset, 1)
        assert isinstance(reset, h2.events.StreamReset)
        assert reset.error_code == h2.errors.ErrorCodes.PROTOCOL_ERROR
        client.request(3, b"/a")
        await client.until(h2.events.StreamEnded, 3)
        served.shutdown.begin.set()
        await closed(client.reader)
        await served.stopped()
        assert served.application.requests == ["/a"]
        client.writer.close()


@pytest.mark.parametrize("malformed", [(b"te", b"gzip"), (b"X-Up", b"1"), (b"content-length", b"5")])
async def test_h15_what_h2_finds_malformed_ends_its_connection(serving: Start, malformed: tuple[bytes, bytes]) -> None:
    async with serving(LIMITS) as served:
        client = Client(*await served.connect(), normal=False)
        client.request(1, b"/hang")
        await asyncio.wait_for(served.application.waiting.wait(), AT_ONCE_S)
        client.request(3, b"/a", malformed, body=b"{}")
        assert isinstance((await client.rest())[-1], h2.events.ConnectionTerminated)
        client.writer.close()


async def test_h15_a_refused_handshake_is_answered_and_its_neighbours_go_on(serving: Start, upstream: Upstream) -> None:
    gateway = gateway_of(upstream)
    async with gateway, serving(LIMITS, asgi(gateway)) as served:
        client = await Client.to(served)
        client.connect(1)
        answer = await client.until(h2.events.ResponseReceived, 1)
        assert isinstance(answer, h2.events.ResponseReceived)
        assert dict(answer.headers).items() >= {b":status": b"404", b"content-type": b"application/json"}.items()
        assert b"connection" not in dict(answer.headers)
        client.request(3, CHAT.encode(), body=encoded(chat_body()), json=True)
        await client.until(h2.events.StreamEnded, 3)
        client.writer.close()


async def test_s01_a_drain_tells_a_socket_to_come_back_and_ends_its_stream(serving: Start) -> None:
    app = Socket()
    async with serving(replace(LIMITS, farewell_s=60.0), app) as served:
        client = await Client.to(served)
        client.connect(1)
        await client.until(h2.events.ResponseReceived, 1)
        served.shutdown.begin.set()
        events = await client.rest()
        (data,) = [event for event in events if isinstance(event, h2.events.DataReceived) and event.data]
        assert data.data == SERVICE_RESTART
        assert any(isinstance(event, h2.events.StreamEnded) for event in events)
        assert isinstance(events[-1], h2.events.ConnectionTerminated)
        assert await asyncio.wait_for(app.ended.get(), AT_ONCE_S) == "websocket.disconnect"
        await served.stopped()
        client.writer.close()


@pytest.mark.parametrize("early", [True, False], ids=["with a frame", "without"])
async def test_s01_a_socket_that_was_not_answered_does_not_hold_up_a_drain(serving: Start, early: bool) -> None:
    asked: asyncio.Queue[str] = asyncio.Queue()

    async def undecided(scope: Message, receive: Receive, send: Send) -> None:
        asked.put_nowait((await receive())["type"])
        asked.put_nowait((await receive())["type"])
        await send({"type": "websocket.accept"})  # what nobody hears any more does no harm

    async with serving(replace(LIMITS, farewell_s=60.0), undecided) as served:
        client = await Client.to(served)
        client.connect(1)
        assert await asyncio.wait_for(asked.get(), AT_ONCE_S) == "websocket.connect"
        if early:
            client.h2.send_data(1, FRAME)
            client.flush()
            await client.until(h2.events.StreamReset, 1)
        served.shutdown.begin.set()
        assert isinstance((await client.rest())[-1], h2.events.ConnectionTerminated)
        assert await asyncio.wait_for(asked.get(), AT_ONCE_S) == "websocket.disconnect"
        await served.stopped()
        client.writer.close()


async def test_h15_data_after_the_reply_harms_no_neighbour(serving: Start) -> None:
    go_on = asyncio.Event()

    async def early(scope: Message, receive: Receive, send: Send) -> None:
        if scope["path"] == "/slow":
            await go_on.wait()
        await send({"type": "http.response.start", "status": 413, "headers": []})
        await send({"type": "http.response.body", "body": b"too large"})

    async with serving(LIMITS, early) as served:
        client = await Client.to(served)
        client.request(1, b"/slow")
        client.request(3, b"/a", body=b"begin", end=False)
        await client.until(h2.events.StreamEnded, 3)
        client.h2.send_data(3, b"more")
        client.flush()
        go_on.set()
        await client.until(h2.events.StreamEnded, 1)
        client.writer.close()


async def test_c05_a_client_that_opens_no_window_stops_the_application(serving: Start) -> None:
    chunk, chunks, whole = b"x" * 10_000, 100, asyncio.Event()

    async def talks(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(chunks):
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        whole.set()
        await send({"type": "http.response.body", "body": b""})

    async with serving(LIMITS, talks) as served:
        client = await Client.to(served)
        client.request(1, b"/a")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(whole.wait(), 0.3)
        client.h2.increment_flow_control_window(len(chunk) * chunks)
        client.h2.increment_flow_control_window(len(chunk) * chunks, 1)
        client.flush()
        await client.until(h2.events.StreamEnded, 1)
        client.writer.close()


async def test_a_response_that_is_given_up_resets_its_stream_only(serving: Start) -> None:
    async def gives_up(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        if scope["path"] == "/long":
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
            return
        await send({"type": "http.response.body", "body": b"short"})

    async with serving(LIMITS, gives_up) as served:
        client = await Client.to(served)
        client.request(1, b"/long")
        await client.until(h2.events.StreamReset, 1)
        client.h2.increment_flow_control_window(1_000)
        client.request(3, b"/short")
        await client.until(h2.events.StreamEnded, 3)
        client.writer.close()


async def test_a_body_needs_no_declared_length(serving: Start, upstream: Upstream) -> None:
    upstream.script("m", Reply(completion("whole")))
    gateway = gateway_of(upstream)
    async with gateway, serving(LIMITS, asgi(gateway)) as served:
        client = await Client.to(served)
        client.request(1, CHAT.encode(), body=encoded(chat_body()), json=True)
        answer = await client.until(h2.events.ResponseReceived, 1)
        assert isinstance(answer, h2.events.ResponseReceived)
        assert dict(answer.headers)[b":status"] == b"200"
        client.writer.close()


async def test_c05_a_reader_that_stalls_aborts_the_upstream(serving: Start, upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream(*(["x" * 10_000] * 2000))))
    gateway = gateway_of(upstream, send_timeout_s=0.1)
    async with gateway, serving(LIMITS, asgi(gateway)) as served:
        client = await Client.to(served)
        with access_lines() as lines:
            client.request(1, CHAT.encode(), body=encoded(chat_body(stream=True)), json=True)
            await upstream.closed()
            assert (await lines.next()).end == "cD"
        await client.until(h2.events.StreamReset, 1)
        client.writer.close()


@long_form
async def test_h14_a_rapid_reset_closes_the_connection_and_nothing_else(serving: Start) -> None:
    async with serving(LIMITS) as served:
        client = await Client.to(served)
        try:
            for number in range(3000):
                client.request(2 * number + 1, b"/hang")
                client.h2.reset_stream(2 * number + 1)
                client.flush()
                await client.writer.drain()
            while await asyncio.wait_for(client.reader.read(65_536), AT_ONCE_S):
                pass
        except ConnectionError:
            pass  # closed while we were writing
        response = await served.exchange(b"GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        client.writer.close()

    assert response.startswith(b"HTTP/1.1 200")
