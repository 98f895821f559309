"""A handler that fails with a cancellation of its own making fails like any other: nobody is shutting down."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from sentinel_core import Gateway, Registry
from sentinel_core.config import settings_from
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.hookspecs import hookimpl
from sentinel_server.app import asgi
from sentinel_server.edge import INTERNAL_ERROR
from tests.server.asgi_client import AsgiClient


async def ended_itself() -> None:
    """A task of the handler's own, which it cancels and awaits."""
    job = asyncio.create_task(asyncio.sleep(60))
    job.cancel()
    await job


class Cancels:
    """A plugin whose handlers do that."""

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint | Socket]:
        async def answer(request: HttpRequest) -> HttpReply:
            await ended_itself()
            return HttpReply({})

        async def waits(request: HttpRequest) -> HttpReply:
            await asyncio.Event().wait()
            return HttpReply({})

        async def listen(connection: SocketConnection) -> None:
            await ended_itself()

        return (
            Endpoint("GET", "/acme/route", answer, "public"),
            Endpoint("GET", "/acme/waits", waits, "public"),
            Socket("/acme/socket", listen, "public"),
        )


def gateway() -> Gateway:
    registry = Registry()
    registry.register(Cancels())
    return Gateway(settings_from({"providers": {"echo": {}}}), registry=registry)


async def test_an_endpoint_that_cancels_itself_is_an_internal_error_and_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with gateway() as live:
        client = AsgiClient(asgi(live), method="GET", path="/acme/route", body=b"")
        await client.ended()
        assert (client.answer.status, client.answer.code) == (500, "internal_error")
    assert any("failed: CancelledError (" in said for said in caplog.messages)


async def test_one_that_the_server_cancels_says_that_it_shuts_down(caplog: pytest.LogCaptureFixture) -> None:
    async with gateway() as live:
        client = AsgiClient(asgi(live), method="GET", path="/acme/waits", body=b"")
        await asyncio.sleep(0.01)
        client.task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await client.ended()
        assert (client.answer.status, client.answer.code) == (503, "draining")
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_a_socket_that_cancels_itself_is_closed_as_failed_and_logged(caplog: pytest.LogCaptureFixture) -> None:
    live = gateway()

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with live:
            yield

    served = Starlette(routes=[Mount("/llm", app=asgi(live))], lifespan=lifespan)
    with TestClient(served) as client:
        with pytest.raises(WebSocketDisconnect) as closed, client.websocket_connect("/llm/acme/socket") as socket:
            socket.receive_text()
        assert closed.value.code == INTERNAL_ERROR
    assert any("failed: CancelledError (" in said for said in caplog.messages)
