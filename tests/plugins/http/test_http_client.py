"""The outgoing client against a scripted upstream: what it sends, what it refuses, how it lets go."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Literal

import pytest
import pytest_asyncio

from sentinel_core.cancellation import is_unsent
from sentinel_core.errors import UpstreamError
from sentinel_core.services import HttpClient, HttpResponse, HttpTimeouts
from sentinel_plugins.http import sending
from sentinel_plugins.http.pools import AiohttpPools
from tests.pace import PATIENCE_S
from tests.upstream import Close, Drip, Early, Hold, Raw, Redirect, Reply, Reset, Stall, Stream, Upstream

LIMITS = HttpTimeouts(connect_s=2.0, first_byte_s=2.0, idle_s=2.0, total_s=10.0)
SHORT_S = 0.1
ROOM_S = 0.4
"""Where the head has to come first, on a machine that stops for a moment now and then."""
BIG = b"x" * (3 << 20)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with AiohttpPools().pool(connections=4) as pool:
        yield pool


async def post(
    client: HttpClient,
    upstream: Upstream,
    body: bytes = b"{}",
    timeouts: HttpTimeouts = LIMITS,
    deadline: float | None = None,
) -> HttpResponse:
    url = f"{upstream.base_url}/chat/completions"
    return await client.send("POST", url, headers={"X-Own": "1"}, body=body, timeouts=timeouts, deadline=deadline)


async def text(response: HttpResponse) -> bytes:
    body = await response.read(1 << 20)
    await response.release()
    return body


async def failure(client: HttpClient, url: str, timeouts: HttpTimeouts = LIMITS) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        await client.send("POST", url, headers={}, body=b"{}", timeouts=timeouts)
    assert "127.0.0.1" not in str(raised.value)
    assert "localhost" not in str(raised.value)
    return raised.value


async def test_sends_what_it_was_given_and_asks_for_no_compression(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"fine", headers=[("X-Theirs", "2")]))
    response = await post(client, upstream, b'{"a":1}')
    assert (response.status, response.headers["x-theirs"], await text(response)) == (200, "2", b"fine")
    sent = upstream.requests[0]
    assert (sent.method, sent.target, sent.body) == ("POST", "/v1/chat/completions", b'{"a":1}')
    assert (sent.header("x-own"), sent.header("accept-encoding")) == ("1", "identity")
    assert sent.header("user-agent") == "sentinel-gateway"


async def test_reuses_a_connection_whose_body_was_read(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"fine"))
    for _ in range(3):
        await text(await post(client, upstream))
    assert upstream.connections == 1


async def test_sends_a_large_body_whole(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"fine"))
    assert await text(await post(client, upstream, BIG)) == b"fine"
    assert upstream.requests[0].body == BIG


async def test_u01_a_refused_connection_is_unreachable(client: HttpClient) -> None:
    with closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))
        error = await failure(client, f"http://127.0.0.1:{unheard.getsockname()[1]}/v1")
    assert (error.code, error.status) == ("upstream_unreachable", 502)


async def test_u02_an_unknown_name_is_unreachable_and_stays_out_of_the_message(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    error = await failure(client, "http://secret-name.test/v1")
    assert error.code == "upstream_unreachable"
    assert "secret-name" not in str(error)


async def test_u02_a_name_that_cannot_be_one_is_unreachable(client: HttpClient) -> None:
    assert (await failure(client, "http://a..b/v1")).code == "upstream_unreachable"


async def test_u02_a_name_server_that_hangs_blocks_neither_the_loop_nor_the_call(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> None:
        answered.wait(5)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        error = await failure(client, "http://slow-name.test/v1", HttpTimeouts(connect_s=SHORT_S))
    finally:
        answered.set()
    assert error.code == "upstream_unreachable"


async def test_u04_a_reset_before_the_head_is_not_sent_again(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reset())
    error = await failure(client, upstream.base_url)
    assert (error.code, len(upstream.requests)) == ("upstream_connection_reset", 1)


@pytest.mark.parametrize("ending", [Close(), Reset()])
async def test_u05_a_stale_connection_is_replaced_once(
    client: HttpClient, upstream: Upstream, ending: Close | Reset
) -> None:
    upstream.script(None, Reply(b"first"), ending, Reply(b"second"))
    assert await text(await post(client, upstream)) == b"first"
    assert await text(await post(client, upstream)) == b"second"
    assert [request.connection for request in upstream.requests] == [1, 1, 2]


async def test_u05_a_second_failure_is_an_error(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"first"), Close())
    await text(await post(client, upstream))
    with pytest.raises(UpstreamError, match="upstream_connection_reset"):
        await post(client, upstream)
    assert len(upstream.requests) == 3


async def test_u05_a_connection_that_broke_within_the_head_is_not_sent_again(
    client: HttpClient, upstream: Upstream
) -> None:
    upstream.script(None, Reply(b"first"), Raw([b"HTTP/1.1 200 OK\r\nContent-"]))
    await text(await post(client, upstream))
    with pytest.raises(UpstreamError, match="upstream_connection_reset"):
        await post(client, upstream)
    assert len(upstream.requests) == 2


async def test_u05_a_connection_that_dies_while_its_upstream_works_is_not_stale(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "STALE_WITHIN_S", -1.0)
    upstream.script(None, Reply(b"first"), Close())
    await text(await post(client, upstream))
    with pytest.raises(UpstreamError, match="upstream_connection_reset"):
        await post(client, upstream)
    assert len(upstream.requests) == 2


async def test_u06_headers_that_never_come_are_a_timeout_and_close_the_connection(
    client: HttpClient, upstream: Upstream
) -> None:
    upstream.script(None, Stall())
    error = await failure(client, upstream.base_url, HttpTimeouts(first_byte_s=SHORT_S))
    assert (error.code, error.status) == ("upstream_timeout", 504)
    await upstream.closed()


FRAMINGS = pytest.mark.parametrize("framing", ["chunked", "eof"])
"""The second ends with its connection, which the timer closes: that must not look like a clean end."""


@FRAMINGS
async def test_u07_a_head_and_then_silence_is_as_late_as_no_head(
    client: HttpClient, upstream: Upstream, framing: Literal["chunked", "eof"]
) -> None:
    upstream.script(None, Stream([Stall()], framing=framing))
    response = await post(client, upstream, timeouts=HttpTimeouts(first_byte_s=ROOM_S))
    with pytest.raises(UpstreamError, match="upstream_timeout"):
        await response.chunk()
    await upstream.closed()
    await response.abort()


@FRAMINGS
async def test_u08_a_silent_gap_ends_the_body_after_what_came(
    client: HttpClient, upstream: Upstream, framing: Literal["chunked", "eof"]
) -> None:
    upstream.script(None, Stream([b"one", Stall()], framing=framing))
    response = await post(client, upstream, timeouts=HttpTimeouts(idle_s=ROOM_S))
    assert await response.chunk() == b"one"
    with pytest.raises(UpstreamError, match="upstream_timeout"):
        await response.chunk()
    await upstream.closed()
    await response.abort()


async def test_u09a_what_came_before_a_break_is_handed_out_first(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Close()]))
    response = await post(client, upstream)
    await upstream.idle()
    assert await response.chunk() == b"one"
    with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
        await response.chunk()
    await response.abort()


async def test_u09a_a_body_shorter_than_its_length_is_interrupted(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Raw([b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"]))
    response = await post(client, upstream)
    with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
        await response.read(100)
    await response.abort()


async def test_u21_a_drip_below_the_idle_gap_ends_at_the_total(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Raw([b"HTTP/1.1 200 OK\r\n\r\n", Drip(b".", 0.01, forever=True)]))
    response = await post(client, upstream, timeouts=HttpTimeouts(total_s=ROOM_S))
    with pytest.raises(UpstreamError, match="upstream_timeout"):
        await response.read(1 << 20)
    await upstream.closed()
    await response.abort()


async def test_u21_the_total_also_ends_a_body_that_nobody_reads(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Stall()]))
    response = await post(client, upstream, timeouts=HttpTimeouts(total_s=ROOM_S))
    await upstream.closed()
    with pytest.raises(UpstreamError, match="upstream_timeout"):
        await response.read(100)
    await response.abort()


async def test_a_deadline_shortens_the_total_and_never_lengthens_it(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stall())
    now = time.monotonic()
    for timeouts, deadline in ((LIMITS, now + SHORT_S), (HttpTimeouts(total_s=SHORT_S), now + 60)):
        with pytest.raises(UpstreamError, match="upstream_timeout"):
            await post(client, upstream, timeouts=timeouts, deadline=deadline)
    with pytest.raises(UpstreamError, match="upstream_timeout") as late:
        await post(client, upstream, deadline=now)
    assert (late.value.attempted, len(upstream.requests)) == (False, 2)


async def test_u22_a_body_past_its_cap_is_aborted(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Raw([b"HTTP/1.1 200 OK\r\n\r\n", Drip(b"x", 0, forever=True)]))
    response = await post(client, upstream)
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        await response.read(100)
    await response.abort()
    await upstream.closed()


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 307, 308])
async def test_u23_a_redirect_is_an_error_and_the_other_host_receives_nothing(
    client: HttpClient, upstream: Upstream, status: int
) -> None:
    async with Upstream() as other:
        upstream.script(None, Redirect(other.base_url, status))
        error = await failure(client, upstream.base_url)
        assert (error.code, error.upstream_status, other.connections) == ("upstream_redirect", status, 0)


async def test_u24_a_cookie_is_not_kept_for_the_next_caller(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"", headers=[("Set-Cookie", "tenant=a; Path=/")]))
    for _ in range(2):
        await text(await post(client, upstream))
    assert upstream.requests[1].header("cookie") is None


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 20_000 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(300)),
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
    ],
    ids=["20 KB header", "300 headers", "two lengths", "upgrade", "not http"],
)
async def test_u24_a_hostile_head_is_not_valid(client: HttpClient, upstream: Upstream, head: bytes) -> None:
    upstream.script(None, Raw([head + b"\r\n"]))
    error = await failure(client, upstream.base_url)
    assert error.code == "upstream_invalid_response"


async def test_u27_an_early_answer_counts_although_the_body_was_not_read(
    client: HttpClient, upstream: Upstream
) -> None:
    upstream.script(None, Early(Reply(b"too large", 413)))
    response = await post(client, upstream, BIG)
    assert (response.status, await response.read(100)) == (413, b"too large")
    await response.abort()


async def given_up(call: asyncio.Task[HttpResponse]) -> asyncio.CancelledError:
    """What comes of a call that is cancelled now."""
    call.cancel()
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await call
    return cancelled.value


async def test_a_cancelled_call_closes_its_connection_at_once(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stall())
    call = asyncio.create_task(post(client, upstream))
    await upstream.received()
    assert not is_unsent(await given_up(call))
    await upstream.closed()


async def test_a_call_that_is_cancelled_in_a_full_pool_says_that_nothing_was_sent(upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Stall()]))
    async with AiohttpPools().pool(connections=1) as pool:
        first = await post(pool, upstream)
        call = asyncio.create_task(post(pool, upstream))
        await asyncio.sleep(0)
        assert is_unsent(await given_up(call))
        await first.abort()


async def test_what_was_written_to_a_stale_connection_was_sent(
    client: HttpClient, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who can tell how far it came, before it is sent once more?"""
    again = asyncio.Event()

    async def hang(*_: object) -> None:
        again.set()
        await asyncio.Event().wait()

    upstream.script(None, Reply(b"first"), Close())
    await text(await post(client, upstream))
    monkeypatch.setattr("aiohttp.TCPConnector._create_connection", hang)
    call = asyncio.create_task(post(client, upstream))
    await again.wait()
    assert not is_unsent(await given_up(call))
    with pytest.raises(UpstreamError, match="upstream_timeout") as late:
        await post(client, upstream, deadline=time.monotonic() + SHORT_S)
    assert not late.value.attempted


async def test_an_upload_that_nobody_reads_is_cut_off_when_cancelled(client: HttpClient) -> None:
    accepted: asyncio.Future[tuple[asyncio.StreamReader, asyncio.StreamWriter]]
    accepted = asyncio.get_running_loop().create_future()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        accepted.set_result((reader, writer))

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    call = asyncio.create_task(client.send("POST", url, headers={}, body=BIG * 10, timeouts=LIMITS))
    reader, writer = await accepted
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    async with asyncio.timeout(PATIENCE_S):
        rest = await reader.read()
    assert len(rest) < len(BIG) * 10
    writer.close()
    server.close()


async def test_a_cancelled_read_leaves_a_response_that_can_be_aborted(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Stall()]))
    response = await post(client, upstream)
    await response.chunk()
    read = asyncio.ensure_future(response.chunk())
    await asyncio.sleep(0)
    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read
    await response.abort()
    await upstream.closed()


async def test_abort_may_be_called_again_and_after_release(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Reply(b"fine"), Stream([b"one", Stall()]))
    response = await post(client, upstream)
    await text(response)
    await response.abort()
    assert upstream.closed_by_peer == 0
    response = await post(client, upstream)
    await response.abort()
    await response.abort()
    await response.release()
    await upstream.closed()


async def test_u25_a_released_body_that_does_not_end_is_closed_soon(client: HttpClient, upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Stall()]))
    response = await post(client, upstream)
    await response.chunk()
    await response.release()
    await upstream.closed()


async def test_a_released_body_that_ends_soon_keeps_its_connection(upstream: Upstream) -> None:
    go = asyncio.Event()
    upstream.script(None, Stream([b"one", Hold(go)]), Reply(b"fine"))
    async with AiohttpPools().pool(connections=1) as pool:
        response = await post(pool, upstream)
        await response.chunk()
        await response.release()
        go.set()
        assert await text(await post(pool, upstream)) == b"fine"
    assert upstream.connections == 1


async def test_a_full_pool_is_overload_and_nothing_was_attempted(upstream: Upstream) -> None:
    upstream.script(None, Stream([Stall()]))
    async with AiohttpPools().pool(connections=1) as pool:
        first = await post(pool, upstream)
        with pytest.raises(UpstreamError, match="overloaded") as full:
            await post(pool, upstream, timeouts=HttpTimeouts(connect_s=SHORT_S))
        assert (full.value.attempted, upstream.connections) == (False, 1)
        await first.abort()
        upstream.script(None, Reply(b"fine"))
        assert await text(await post(pool, upstream)) == b"fine"


async def test_a_waiting_call_gets_the_connection_that_becomes_free(upstream: Upstream) -> None:
    upstream.script(None, Reply(b"fine"))
    async with AiohttpPools().pool(connections=1) as pool:
        answers = await asyncio.gather(*(post_and_read(pool, upstream) for _ in range(8)))
    assert (answers, upstream.connections) == ([b"fine"] * 8, 1)


async def post_and_read(client: HttpClient, upstream: Upstream) -> bytes:
    return await text(await post(client, upstream))


async def test_ignores_proxies_of_the_environment(upstream: Upstream, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Upstream() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.base_url)
        async with AiohttpPools().pool(connections=1) as pool:
            upstream.script(None, Reply(b"fine"))
            assert await text(await post(pool, upstream)) == b"fine"
        assert proxy.connections == 0


async def test_closing_the_pool_closes_every_connection(upstream: Upstream) -> None:
    upstream.script(None, Stream([b"one", Stall()]), Reply(b"fine"))
    async with AiohttpPools().pool(connections=2) as pool:
        open_one = await post(pool, upstream)
        await text(await post(pool, upstream))
    await upstream.closed(2)
    await open_one.abort()
