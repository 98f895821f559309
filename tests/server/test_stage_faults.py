"""S05 from a client's side: a stage that raises or hangs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import Any

import pytest

from sentinel_core.context import Client, Context
from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import PRINCIPAL, Principal
from sentinel_core.stage import Stage, StageConfig
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import chat, chat_server
from tests.server.serving import RUNNERS
from tests.server.wire import HANDSHAKE, request
from tests.upstream import Upstream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

CANARY = "canary-51c0"


class Impatient(StageConfig, frozen=True, kw_only=True):
    """A stage's own time is 100 ms."""

    timeout_s: float | None = 0.1


class Raises(Stage):
    """A guard that breaks."""

    name = "raises"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise ValueError(CANARY)


class Hangs(Stage):
    """A guard that never answers."""

    name = "hangs"
    guard = True
    Config = Impatient

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        await asyncio.Event().wait()


class Exhausts(Raises):
    """A guard that asks for more memory than there is."""

    name = "exhausts"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        raise MemoryError(CANARY)


class Authenticates(Stage):
    """Breaks on a caller's key, and quotes it."""

    name = "authenticates"
    writes = (PRINCIPAL,)

    async def authenticate(self, client: Client) -> Principal:
        """Nobody is known."""
        raise ValueError(client.headers["x-api-key"])


class Listens:
    """A plugin with a route and a socket for known callers."""

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint | Socket]:
        async def answer(request: HttpRequest) -> HttpReply:
            return HttpReply({})

        async def listen(connection: SocketConnection) -> None:
            """Never reached."""

        return (Endpoint("GET", "/acme/route", answer, "caller"), Socket("/acme/socket", listen, "caller"))


class Counts(Raises):
    """No guard: what it does can be done without."""

    name = "counts"
    guard = False
    on_fault = "open"


class SetsNumber(Stage):
    """Sets a header to what is no string."""

    name = "sets_number"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        number: Any = 5  # as of an author without a type checker
        ctx.headers["x-left"] = number


class GoesAround(Stage):
    """Does so where nobody looks."""

    name = "goes_around"

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        number: Any = 5  # as above
        ctx.headers.update({"x-left": number, "x-right": "6"})


@pytest.mark.parametrize("stage", [Raises, Hangs, Exhausts])
@pytest.mark.parametrize("stream", [False, True])
async def test_s05_a_guard_that_fails_closes_and_is_logged_as_failed(
    runner: str, upstream: Upstream, stage: type[Stage], stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat_server(upstream, stage, runner=runner) as (served, gateway), served.connect() as wire:
        with access_lines() as lines:
            answer = await wire.ask(chat(stream=stream))
            record = await lines.next()
        assert (answer.status, answer.code) == (503, "guard_unavailable")
        assert answer.headers["retry-after"] == "1"
        assert (record.end, record.error) == ("IR", "guard_unavailable")
        assert CANARY not in str(answer) + caplog.text + json.dumps(str(record))
        assert stage.name in caplog.text
        assert gateway.in_flight == 0
    assert upstream.requests == []


async def test_s05_a_stage_that_may_fail_open_is_skipped(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, Counts, runner=runner) as (served, _), served.connect() as wire:
        assert (await wire.ask(chat())).status == 200


@pytest.mark.parametrize("stream", [False, True])
async def test_s05_a_header_that_is_no_string_is_its_stages_fault_and_costs_no_call(
    runner: str, upstream: Upstream, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat_server(upstream, SetsNumber, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(stream=stream))
        assert (answer.status, answer.code) == (500, "internal_error")
    assert "stage sets_number raised in on_request: TypeError" in caplog.text
    assert upstream.requests == []


@pytest.mark.parametrize("stream", [False, True])
async def test_s05_a_header_that_is_no_string_costs_nobody_an_answer(
    runner: str, upstream: Upstream, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async with chat_server(upstream, GoesAround, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(chat(stream=stream))
        assert (answer.status, answer.headers["x-right"]) == (200, "6")
        assert "x-left" not in answer.headers
    assert "a response header was dropped: 'x-left'" in caplog.text


@pytest.mark.parametrize(
    ("target", "headers"), [("/acme/route", ()), ("/acme/socket", HANDSHAKE)], ids=["http", "socket"]
)
async def test_h39_an_authenticator_that_breaks_leaves_no_key_in_the_log(
    runner: str,
    upstream: Upstream,
    target: str,
    headers: tuple[str, ...],
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = request(target, headers=(*headers, f"X-API-Key: {CANARY}"))
    server = chat_server(upstream, Authenticates, runner=runner, plugin=Listens())
    async with server as (served, _), served.connect() as wire:
        with access_lines() as lines:
            await wire.send(asked)
            assert (await wire.head()).status == 500
            record = await lines.next()
    assert (record.end, record.error) == ("IR", "internal_error")
    assert "failed: ValueError (" in caplog.text
    assert CANARY not in caplog.text
