"""What plugins contribute never stands in the way of the server's own, and is open only to whom it says."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.config import settings_from
from sentinel_core.context import Client
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_server.admission import admitted
from sentinel_server.app import Application, asgi
from tests.server.asgi_client import AsgiClient


async def answer(request: HttpRequest) -> HttpReply:
    """What the plugin says."""
    return HttpReply({"whose": "the plugin's"})


async def listen(connection: SocketConnection) -> None:
    """Never reached."""


class Everything:
    """A plugin with one route for whatever nobody else has."""

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint | Socket]:
        return (Endpoint("GET", "/{rest:path}", answer, "public"),)


def gateway(*plugins: object) -> Gateway:
    registry = Registry()
    for plugin in plugins:
        registry.register(plugin)
    return Gateway(settings_from({"providers": {"echo": {}}}), registry=registry)


@pytest.mark.parametrize(
    ("path", "own"),
    [("/docs", True), ("/docs/docs.css", True), ("/openapi.json", True), ("/v1/models", True), ("/acme", False)],
)
async def test_a_route_for_everything_hides_none_of_the_servers_own(path: str, own: bool) -> None:
    async with gateway(Everything()) as live:
        client = AsgiClient(asgi(live), method="GET", path=path, body=b"")
        await client.ended()
        assert client.answer.status == 200
        assert (b"the plugin's" not in client.answer.body) is own


@pytest.mark.parametrize("policy", ["Admin", "administrators", "", None])
async def test_a_policy_that_nobody_knows_is_closed(policy: Any) -> None:  # what no plugin may hand over
    async with gateway() as live:
        for route in (Endpoint("GET", "/acme", answer, policy), Socket("/acme", listen, policy)):
            with pytest.raises(Refusal, match="no such route"):
                await admitted(live, route, Client())


async def test_a_table_that_cannot_be_made_is_not_taken_over() -> None:
    live = gateway(Everything())
    application = asgi(live).app
    assert isinstance(application, Application)
    application.refresh()
    before = application.routes
    live.endpoints = (Endpoint("GET", "acme", answer, cast("Any", "public")),)  # what the registry refuses
    for _ in range(2):
        with pytest.raises(AssertionError, match="must start with"):
            application.refresh()
        assert application.routes is before
