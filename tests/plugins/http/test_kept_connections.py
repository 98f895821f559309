"""A connection over which something came that nobody had asked for: it answers no further call."""

from __future__ import annotations

import asyncio

import pytest

from sentinel_core.services import HttpClient
from sentinel_plugins.http.pools import AiohttpPools
from tests.pace import TURNS
from tests.upstream import Hold, Raw, Reply, Upstream, head

pytestmark = pytest.mark.usefixtures("parser")


def answer(body: bytes) -> bytes:
    return head(200, [("Content-Length", str(len(body)))]) + body


OTHERS = answer(b"somebody else's")
SURPLUS = {
    "an answer": OTHERS,
    "two answers": OTHERS * 2,
    "an answer that has not ended": OTHERS[:-1],
    "a time-out": head(408, [("Content-Length", "0")]),
    "words": b"words\r\n\r\n",
}
surplus = pytest.mark.parametrize("more", SURPLUS.values(), ids=SURPLUS)


async def called(client: HttpClient, upstream: Upstream, go: asyncio.Event | None = None) -> bytes:
    response = await client.send("POST", upstream.base_url, headers={}, body=b"{}")
    if go is not None:
        go.set()
    body = await response.read(100)
    await response.release()
    return body


async def is_kept_apart(upstream: Upstream, first: bytes, more: bytes) -> None:
    """What the first call reads, and then what comes behind it, do not reach the second one."""
    go = asyncio.Event()
    upstream.script(None, Raw([first, Hold(go), more], keep=True), Reply(b"second"))
    async with AiohttpPools().pool(connections=1) as pool:
        assert await called(pool, upstream, go) == b"first"
        for _ in range(TURNS):  # whatever was sent has been read by then
            await asyncio.sleep(0)
        assert await called(pool, upstream) == b"second"
    assert [request.connection for request in upstream.requests] == [1, 2]


@surplus
async def test_u25_what_comes_behind_an_answer_is_not_the_next_one(upstream: Upstream, more: bytes) -> None:
    await is_kept_apart(upstream, answer(b"first"), more)


@surplus
async def test_u25_nor_is_what_comes_with_the_rest_of_an_answer(upstream: Upstream, more: bytes) -> None:
    whole = answer(b"first")
    await is_kept_apart(upstream, whole[:-1], whole[-1:] + more)
