"""What ends a request's task from outside, and that nothing is left behind."""

from __future__ import annotations

import asyncio

import pytest
from starlette.types import Receive, Scope, Send

from sentinel_core.config import ServerSettings
from sentinel_server.edge import Edge, Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.edge.watch import FIRST_LOOK_S
from tests.pace import PATIENCE_S, until
from tests.server.asgi_client import AsgiClient
from tests.server.edge_fixture import Life, access_lines


class Working:
    """Reads the body, then waits for `go`; notes how the waiting ended."""

    def __init__(self, settings: ServerSettings) -> None:
        self.settings = settings
        self.begun = asyncio.Event()
        self.go = asyncio.Event()
        self.cancelled = False
        self.cancelling_after = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        tx = Transaction.of(scope)
        async with Watch(tx, receive, self.settings) as watch:
            await read_body(tx, receive, 1000)
            watch.body_arrived()
            self.begun.set()
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
            watch.sending()
            watch.finishing()
            await tx.answer(200, b"{}")
            watch.release()


def working(**settings: float) -> tuple[Working, Edge]:
    configured = ServerSettings(**settings)  # type: ignore[arg-type]  # each a duration
    app = Working(configured)
    return app, Edge(app, Life(), configured, exact={})


async def left_tasks() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}


def test_the_watcher_starts_early_enough_to_close_upstreams_within_250_ms() -> None:
    assert FIRST_LOOK_S <= 0.1


async def test_a_client_that_leaves_ends_the_work_and_nothing_is_left() -> None:
    app, edge = working()
    client = AsgiClient(edge)
    await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
    client.leave()
    with access_lines() as lines:
        await client.ended()
        assert (await lines.next()).end == "CQ"
    assert app.cancelled
    assert client.sent == []
    assert client.task.cancelling() == 0
    assert await left_tasks() == set()


async def test_a_fast_request_never_asks_for_a_disconnect() -> None:
    app, edge = working()
    app.go.set()
    client = AsgiClient(edge)
    await client.ended()
    assert client.answer.status == 200
    assert client.asked == 1


async def test_a_slow_request_that_succeeds_leaves_no_watcher() -> None:
    app, edge = working()
    client = AsgiClient(edge)
    await until(lambda: client.asked >= 2)  # the watcher asks
    app.go.set()
    await client.ended()
    assert client.answer.status == 200
    assert await left_tasks() == set()


async def test_a_disconnect_after_the_last_write_began_ends_nothing() -> None:
    app, edge = working()
    client = AsgiClient(edge)
    await until(lambda: client.asked >= 2)
    client.reading.clear()
    app.go.set()
    await client.next()
    client.leave()
    client.reading.set()
    with access_lines() as lines:
        await client.ended()
        assert (await lines.next()).end == "--"
    assert client.answer.status == 200


async def test_a_request_that_takes_longer_than_its_deadline_is_answered_504() -> None:
    app, edge = working(request_timeout_s=0.05)
    client = AsgiClient(edge)
    with access_lines() as lines:
        await client.ended()
        assert (await lines.next()).end == "sH"
    assert (client.answer.status, client.answer.code) == (504, "upstream_timeout")
    assert app.cancelled


async def test_c05_a_reader_that_stalls_is_given_up() -> None:
    app, edge = working(send_timeout_s=0.1)
    app.go.set()
    client = AsgiClient(edge)
    client.reading.clear()
    with access_lines() as lines:
        await client.ended()
        assert (await lines.next()).end == "cD"
    assert await left_tasks() == set()


async def test_a_cancellation_by_the_server_passes_through_and_says_so() -> None:
    app, edge = working()
    client = AsgiClient(edge)
    await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
    client.task.cancel()
    with access_lines() as lines:
        with pytest.raises(asyncio.CancelledError):
            await client.ended()
        assert (await lines.next()).end == "LR"
    assert (client.answer.status, client.answer.code) == (503, "draining")
    assert await left_tasks() == set()


async def test_a_client_that_leaves_while_the_server_cancels_does_not_hide_the_server() -> None:
    app, edge = working()
    client = AsgiClient(edge)
    await asyncio.wait_for(app.begun.wait(), PATIENCE_S)
    await until(lambda: client.asked >= 2)
    client.leave()
    client.task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await client.ended()
