"""U22, and the size of U11: whatever an upstream sends, a call takes no more memory than its caps allow, and no longer
turn of the loop than others can bear.
"""

from __future__ import annotations

import asyncio
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import TypeVar

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import TomlTable
from tests.plugins.providers.faults.rig import SAID, began, error_of, framed, heard_of, is_sse, streamed
from tests.upstream import Endless, Part, Raw, Reply, Stall, Upstream, gzip_bomb, head
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

T = TypeVar("T")

CAP = 1 << 20
BOMB_BYTES = 48 << 20
OUR_TURN_S = 0.1


async def within_memory(limit: int, upstream: Upstream, ask: Callable[[], Awaitable[T]]) -> T:
    """What comes of asking a second time, and that it never takes more than this, the upstream's own buffers included.

    The first time pays for what a process imports and makes once.
    """
    await ask()
    await upstream.idle()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        found = await ask()
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < limit
    return found


@asynccontextmanager
async def loop_stays_free() -> AsyncIterator[None]:
    """No turn of the loop takes longer than others can bear, in this thread's own time: the machine has other work."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        while True:
            began = time.thread_time()
            await asyncio.sleep(0)
            longest = max(longest, time.thread_time() - began)

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
    assert longest < OUR_TURN_S


@pytest.fixture(scope="module")
def bombs() -> dict[str, bytes]:
    """A thousandth of what they become."""
    return {"gzip": gzip_bomb(BOMB_BYTES), "deflate": zlib.compress(b" " * BOMB_BYTES, 9)}


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_u22_a_compressed_bomb(
    spoken: Spoken, upstream: Upstream, stream: bool, encoding: str, bombs: dict[str, bytes]
) -> None:
    kind = spoken.api.content_type if stream else "application/json"
    upstream.script(None, Reply(bombs[encoding], 200, [("Content-Encoding", encoding)], content_type=kind))
    ask = partial(error_of, spoken, upstream, stream, max_response_bytes=CAP, max_event_bytes=CAP // 2)
    error = await within_memory(2 * CAP, upstream, ask)
    assert error.code == "upstream_invalid_response"
    await upstream.closed(2)


async def test_u22_a_bomb_leaves_the_loop_to_others(
    spoken: Spoken, upstream: Upstream, bombs: dict[str, bytes]
) -> None:
    upstream.script(None, Reply(bombs["gzip"], 200, [("Content-Encoding", "gzip")]))
    async with loop_stays_free():
        await error_of(spoken, upstream, max_response_bytes=BOMB_BYTES // 2)


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
async def test_u22_a_coding_that_nobody_asked_for(
    spoken: Spoken, upstream: Upstream, stream: bool, encoding: str
) -> None:
    upstream.script(None, Reply(b"\x00" * 100, 200, [("Content-Encoding", encoding)]))
    assert (await error_of(spoken, upstream, stream)).code == "upstream_invalid_response"


async def test_u22_an_answer_without_end(spoken: Spoken, upstream: Upstream) -> None:
    parts: list[Part] = [head(200, [("Content-Type", "application/json")]), b'{"x":"', Endless(b"x" * 65536)]
    upstream.script(None, Raw(parts))
    error = await within_memory(3 * CAP, upstream, partial(error_of, spoken, upstream, max_response_bytes=CAP))
    assert error.code == "upstream_invalid_response"
    await upstream.closed(2)


async def test_u22_an_error_without_end_still_has_its_status(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, Raw([head(429, [("Content-Type", "application/json")]), b'{"x":"', Endless(b"x" * 65536)]))
    assert (await error_of(spoken, upstream)).code == "rate_limit_exceeded"
    await upstream.closed()


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip"])
async def test_u22_an_error_in_a_coding_that_nobody_asked_for_still_has_its_status(
    spoken: Spoken, upstream: Upstream, stream: bool, encoding: str
) -> None:
    packed = [("Content-Encoding", encoding), ("Retry-After", "7")]
    upstream.script(None, Reply(b"\x00" * 100, 429, packed))
    error = await error_of(spoken, upstream, stream)
    assert (error.code, error.upstream_status, error.retry_after_s) == ("rate_limit_exceeded", 429, 7.0)


async def test_u11_u22_an_event_without_end(spoken: Spoken, upstream: Upstream) -> None:
    start = b'data: {"x":"' if is_sse(spoken) else b'{"x":"'
    upstream.script(None, streamed(spoken, began(spoken), [start, Endless(b"x" * 65536)], eof=True))
    ask = partial(heard_of, spoken, upstream, True, max_event_bytes=CAP)
    heard = await within_memory(4 * CAP, upstream, ask)
    assert (heard.text, heard.code) == (SAID.text, "upstream_invalid_response")
    assert heard.error is not None
    assert heard.error.message == f"The model's provider sent an event of more than {CAP} bytes (`max_event_bytes`)."
    assert heard.error.should_retry is False
    await upstream.closed(2)


async def test_u22_events_without_end(spoken: Spoken, upstream: Upstream) -> None:
    wire = spoken.api.stream(SAID)
    upstream.script(None, streamed(spoken, wire.opening, [Endless(b"".join(wire.content))], eof=True))
    heard = await heard_of(spoken, upstream, True, max_response_bytes=CAP // 4)
    assert (heard.opened, heard.code, heard.finishes) == (True, "upstream_invalid_response", [])
    assert 0 < len(heard.text.encode()) < CAP // 4
    await upstream.closed()


async def test_u22_an_opening_without_end(spoken: Spoken, upstream: Upstream) -> None:
    nothing = framed(spoken, b"") if is_sse(spoken) else b"\n"
    upstream.script(None, streamed(spoken, [Endless(nothing * 1000)], eof=True))
    error = await error_of(spoken, upstream, True, max_response_bytes=CAP)
    assert error.code == "upstream_invalid_response"
    await upstream.closed()


@pytest.mark.parametrize("limits", [{}, {"max_event_bytes": 4 * CAP}, {"max_event_bytes": CAP}], ids=str)
async def test_u11_u22_an_event_may_be_as_large_as_its_cap(
    spoken: Spoken, upstream: Upstream, limits: TomlTable
) -> None:
    """Without one of its own, as large as a picture."""
    said = Said("x" * (2 * CAP))
    upstream.script(None, streamed(spoken, spoken.api.stream(said).whole))
    heard = await heard_of(spoken, upstream, True, OPENAI_CHAT, **limits)
    whole = limits.get("max_event_bytes") != CAP
    assert (heard.code, len(heard.text)) == ((None, len(said.text)) if whole else ("upstream_invalid_response", 0))


async def test_u22_a_cap_below_the_answer(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    api = spoken.api
    upstream.script(None, streamed(spoken, api.stream(SAID).whole, [Stall()]) if stream else Reply(api.answer(SAID)))
    heard = await heard_of(spoken, upstream, stream, max_response_bytes=16)
    assert (heard.code, heard.finishes) == ("upstream_invalid_response", [])
