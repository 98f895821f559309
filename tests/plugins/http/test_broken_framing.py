"""An answer whose framing breaks behind its head, read by either parser of aiohttp: it is over at once.

Both have closed the connection by then. One of them tells its reader nothing about that, the other one tells it in an
error of its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sentinel_core.errors import UpstreamError
from sentinel_core.services import HttpClient, HttpResponse, HttpTimeouts
from sentinel_plugins.http.pools import AiohttpPools
from tests.pace import AT_ONCE_S, in_time
from tests.upstream import Hold, Part, Raw, Stall, Upstream, head

pytestmark = pytest.mark.usefixtures("parser")
BEGUN = head(200, [("Transfer-Encoding", "chunked")]) + b"3\r\none\r\n"
BREAKS = {
    "no size": b"zz\r\nabc\r\n",
    "a negative size": b"-1\r\n",
    "an answer of a proxy": b"HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\n\r\n",
    "words": b"upstream timed out\r\n",
    "a field that is none": b"0\r\nX y\r\n\r\n",
}
ROOM_S = 0.4
"""Where the head has to come first, on a machine that stops for a moment now and then."""
breaks = pytest.mark.parametrize("bad", BREAKS.values(), ids=BREAKS)


@pytest_asyncio.fixture
async def client() -> AsyncIterator[HttpClient]:
    async with AiohttpPools().pool(connections=4) as pool:
        yield pool


async def answer(client: HttpClient, upstream: Upstream, *parts: Part) -> HttpResponse:
    upstream.script(None, Raw(parts))
    return await client.send("POST", upstream.base_url, headers={}, body=b"{}")


async def interrupted(response: HttpResponse) -> None:
    with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
        await in_time(response.read(100), AT_ONCE_S)


@breaks
async def test_u09a_whoever_waits_is_told_at_once(client: HttpClient, upstream: Upstream, bad: bytes) -> None:
    read = asyncio.Event()
    response = await answer(client, upstream, BEGUN, Hold(read), bad, Stall())
    assert await response.chunk() == b"one"
    read.set()
    await interrupted(response)
    await upstream.closed()
    await response.abort()


@breaks
async def test_u09a_whoever_was_busy_gets_what_came_before(client: HttpClient, upstream: Upstream, bad: bytes) -> None:
    answered = asyncio.Event()
    response = await answer(client, upstream, BEGUN, Hold(answered), b"3\r\ntwo\r\n" + bad, Stall())
    answered.set()
    await upstream.closed()
    assert await response.chunk() == b"onetwo"
    await interrupted(response)
    await response.abort()


async def test_u09a_an_upload_that_holds_a_broken_connection_open_ends_at_a_limit(client: HttpClient) -> None:
    """aiohttp closes it once all is sent, which is never."""
    accepted: asyncio.Future[asyncio.StreamWriter] = asyncio.get_running_loop().create_future()

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1)
        writer.write(BEGUN)
        accepted.set_result(writer)

    server = await asyncio.start_server(deaf, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    limits = HttpTimeouts(idle_s=ROOM_S)
    response = await client.send("POST", url, headers={}, body=b"x" * (32 << 20), timeouts=limits)
    writer = await accepted
    writer.write(BREAKS["words"])
    with pytest.raises(UpstreamError, match=r"upstream_timeout|upstream_stream_interrupted"):
        await in_time(response.read(100), AT_ONCE_S)
    await response.abort()
    writer.close()
    server.close()


async def test_closing_the_pool_ends_the_wait_of_whoever_still_reads(upstream: Upstream) -> None:
    async with AiohttpPools().pool(connections=1) as pool:
        response = await answer(pool, upstream, BEGUN, Stall())
        assert await response.chunk() == b"one"
        reading = asyncio.create_task(interrupted(response))
        await asyncio.sleep(0)
    await reading
    await interrupted(response)
    await response.abort()
