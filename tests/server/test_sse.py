"""The streamed response: when it commits, what it sends in silence, and how a reader that stalls ends it."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeAlias

import pytest
from starlette.types import Message, Receive, Scope, Send

from sentinel_core.config import ServerSettings
from sentinel_core.errors import Refusal
from sentinel_core.running import Running
from sentinel_server.edge import Edge, Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.sse import COMMENT, SseResponse
from tests.long_form import long_form
from tests.pace import PATIENCE_S
from tests.server.asgi_client import AsgiClient
from tests.server.edge_fixture import Life, access_lines, edge
from tests.server.serving import RUNNERS
from tests.server.wire import request

Story: TypeAlias = Callable[[SseResponse], Running[None]]


def streaming(story: Story, settings: ServerSettings) -> Any:  # an ASGI application
    """An application whose response `story` writes."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        tx = Transaction.of(scope)
        async with Watch(tx, receive, settings) as watch:
            await read_body(tx, receive, 1000)
            watch.body_arrived()
            async with SseResponse(tx, watch, lambda: [(b"x-late", b"1")], settings.keep_alive_comment_s) as response:
                await story(response)

    return app


def client_of(story: Story, **settings: float) -> AsgiClient:
    configured = ServerSettings(**settings)  # type: ignore[arg-type]  # each a duration
    return AsgiClient(Edge(streaming(story, configured), Life(), configured, exact={}))


async def test_the_head_leaves_with_the_first_data_and_carries_what_was_set_until_then() -> None:
    async def story(response: SseResponse) -> None:
        await response.write(b"data: 1\n\n")
        await response.end(b"data: [DONE]\n\n")

    client = client_of(story)
    await client.ended()
    answer = client.answer
    assert answer.body == b"data: 1\n\ndata: [DONE]\n\n"
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-accel-buffering"] == "no"
    assert answer.headers["x-late"] == "1"
    assert answer.headers["x-request-id"]


async def test_a_refusal_before_the_first_data_keeps_its_status() -> None:
    async def story(response: SseResponse) -> None:
        raise Refusal("content_policy_violation")

    client = client_of(story)
    await client.ended()
    assert (client.answer.status, client.answer.code) == (400, "content_policy_violation")


async def test_silence_commits_with_a_comment_and_goes_on_with_comments() -> None:
    go = asyncio.Event()

    async def story(response: SseResponse) -> None:
        await go.wait()
        await response.end(b"data: 1\n\n")

    client = client_of(story, keep_alive_comment_s=0.05)
    assert (await client.next())["status"] == 200
    assert [(await client.next())["body"] for _ in range(3)] == [COMMENT] * 3
    go.set()
    await client.ended()
    assert client.answer.body.replace(COMMENT, b"") == b"data: 1\n\n"


async def test_silence_between_events_is_filled_as_well() -> None:
    go = asyncio.Event()

    async def story(response: SseResponse) -> None:
        await response.write(b"data: 1\n\n")
        await go.wait()
        await response.end(b"data: 2\n\n")

    client = client_of(story, keep_alive_comment_s=0.05)
    bodies = [(await client.next()).get("body") for _ in range(3)]
    assert bodies == [None, b"data: 1\n\n", COMMENT]
    go.set()
    await client.ended()


async def test_a_stream_that_flows_gets_no_comment() -> None:
    async def story(response: SseResponse) -> None:
        for _ in range(60):
            await response.write(b"data: 1\n\n")
            await asyncio.sleep(0.01)
        await response.end(b"")

    client = client_of(story, keep_alive_comment_s=0.5)
    await client.ended()
    assert COMMENT not in client.answer.body


@long_form
async def test_a_comment_that_meets_a_closed_connection_is_no_failure_of_its_own() -> None:
    async def gone(message: Message) -> None:
        raise ConnectionError("gone")

    async def nothing() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    tx = Transaction({"type": "http", "path": "/", "headers": []}, gone, Life())
    unheard: list[dict[str, Any]] = []  # what a loop is told
    gc.collect()  # what other tests left behind is nothing of ours
    asyncio.get_running_loop().set_exception_handler(lambda _, context: unheard.append(context))
    async with Watch(tx, nothing, ServerSettings()) as watch, SseResponse(tx, watch, tuple, 0.001) as response:
        watch.body_arrived()
        while response._beat is None or not response._beat.done():
            await asyncio.sleep(0)
        assert not watch.busy
        with pytest.raises(ConnectionError):
            await response.write(b"data: 1\n\n")
    async with Watch(tx, nothing, ServerSettings()) as watch, SseResponse(tx, watch, tuple, 0.001) as response:
        watch.body_arrived()
        while response._beat is None or not response._beat.done():
            await asyncio.sleep(0)
        beat = response._beat
        response._pulse(monotonic() + 60.0)
        assert response._beat is beat, "what was not taken is not tried again"
    del response, beat
    gc.collect()
    assert unheard == []


async def test_c02_a_client_that_leaves_mid_stream_ends_the_work() -> None:
    cancelled = asyncio.Event()

    async def story(response: SseResponse) -> None:
        await response.write(b"data: 1\n\n")
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    client = client_of(story)
    await client.next()
    client.leave()
    with access_lines() as lines:
        await client.ended()
        assert (await lines.next()).end == "CD"
    assert cancelled.is_set()


@pytest.mark.parametrize("runner", RUNNERS)
async def test_c05_a_reader_that_reads_nothing_pauses_the_writer_and_is_given_up(runner: str) -> None:
    written = 0
    ended = asyncio.Event()

    async def story(response: SseResponse) -> None:
        nonlocal written
        try:
            while True:
                await response.write(b"data: " + b"x" * 1000 + b"\n\n")
                written += 1000
        finally:
            ended.set()

    settings = ServerSettings(send_timeout_s=0.2)
    app = streaming(story, settings)
    async with edge(runner, app=app, send_timeout_s=0.2) as (served, _), served.connect(receive_buffer=4096) as wire:
        with access_lines() as lines:
            await wire.send(request(method="POST", body=b"{}"))
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
            assert (await lines.next()).end == "cD"
        assert written < 16 * 1024 * 1024  # what the kernel's buffers take, not what memory has
