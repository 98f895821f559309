"""The other routes: models, health, documents, what plugins contribute, and how hosts embed the application."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Sequence, Set
from contextlib import asynccontextmanager
from typing import Any, ClassVar, Self

import msgspec
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from sentinel_core.config import settings_from
from sentinel_core.endpoints import OWN_ROUTES, Endpoint, HttpReply, HttpRequest, Socket, SocketConnection
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import Target
from sentinel_core.services import CIRCUITS, Services
from sentinel_core.stage import Stage
from sentinel_server.app import Application, asgi, create_app
from tests.pace import PATIENCE_S
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import CHAT, chat, chat_server, gateway_of
from tests.server.serving import RUNNERS, serving
from tests.server.wire import HANDSHAKE, request
from tests.upstream import Upstream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)


class Sum(msgspec.Struct):
    """What the contributed endpoint takes."""

    numbers: list[int]


class Total(msgspec.Struct):
    """What it answers."""

    total: int


async def add(request: HttpRequest) -> HttpReply:
    """Adds, and shows what it was given."""
    numbers = msgspec.json.decode(request.body, type=Sum).numbers
    headers = {"X-Who": request.path_params["who"], "X-Query": request.query.get("q", "")}
    return HttpReply(Total(sum(numbers)), status=201, headers=headers)


async def nothing(request: HttpRequest) -> HttpReply:
    """Takes no body."""
    return HttpReply({})


async def shout(connection: SocketConnection) -> None:
    """Answers in upper case."""
    async for message in connection.messages():
        await connection.send(message.upper())


class Contributes:
    """A plugin with routes of every policy."""

    @hookimpl
    def sentinel_endpoints(self) -> Iterable[Endpoint | Socket]:
        return (
            Endpoint("POST", "/acme/{who}", add, "caller", Sum, Total, "Adds", ("acme",), query=("q",)),
            Endpoint("POST", "/nothing", nothing, "public"),
            Endpoint("GET", "/acme/admin", add, "admin"),
            Socket("/acme/shout", shout, "public"),
            Socket("/acme/secret", shout, "admin"),
        )


async def test_s1_04_models_are_listed_in_openais_shape(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        body = (await wire.ask(request("/v1/models"))).json
        assert body["object"] == "list"
        assert {"id": "m", "object": "model"}.items() <= body["data"][0].items()
        assert {"created", "owned_by"} <= body["data"][0].keys()


@pytest.mark.parametrize("path", ["/v1/models/m", "/v1/models/org%2Fm", "/v1/models/org/m"])
async def test_s1_05_a_model_is_found_by_its_id_which_may_hold_a_slash(
    runner: str, upstream: Upstream, path: str
) -> None:
    async with chat_server(upstream, runner=runner, models=("m", "org/m")) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(path))
        assert answer.status == 200
        assert answer.json["object"] == "model"


async def test_s1_05_an_unknown_model_is_404(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/v1/models/nobody"))
        assert (answer.status, answer.code) == (404, "model_not_found")


async def test_with_only_a_key_in_the_environment_the_list_has_what_is_known_and_any_name_is_found(runner: str) -> None:
    gateway = Gateway(settings_from({}, environ={"OPENAI_API_KEY": "sk-1"}))
    async with gateway, serving(asgi(gateway), runner) as served, served.connect() as wire:
        listed = (await wire.ask(request("/v1/models"))).json["data"]
        assert {model["owned_by"] for model in listed} == {"openai"}
        for name, status in {listed[0]["id"]: 200, "ft:gpt-4o:acme": 200, "-no-name": 404}.items():
            assert (await wire.ask(request(f"/v1/models/{name}"))).status == status


async def test_c09_health_reports_the_superset(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/health"))
        body = answer.json
        assert (answer.status, body["status"]) == (200, "healthy")
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["timestamp"])
        assert body.keys() >= {"version", "uptime_seconds", "cache"}
        assert body["checks"].keys() == {"redis", "circuit_breakers", "providers"}
        assert body["stats"]["uptime_seconds"] >= 0


class Judged(Stage):
    """Thinks this of the circuits of some targets, as a breaker would."""

    name: ClassVar[str] = "judged"
    found: ClassVar[Sequence[tuple[Target, str]]]

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        stage = cls(config)
        services.shared[CIRCUITS] = stage
        yield stage

    def states(self, named: Set[Target]) -> Iterable[tuple[Target, str]]:
        return self.found


async def test_c09_a_stranger_sees_the_worst_circuit_of_a_provider_and_no_model(
    runner: str, upstream: Upstream
) -> None:
    Judged.found = [(Target("up", "m"), "closed"), (Target("up", "ft:acme-takeover-of-globex"), "half_open")]
    async with chat_server(upstream, Judged, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/health"))
        assert answer.json["checks"]["circuit_breakers"] == {"up": "half_open"}


@pytest.mark.parametrize(
    ("found", "status", "word"),
    [
        ([], 200, "healthy"),
        (["closed"], 200, "healthy"),
        (["open", "open"], 503, "unhealthy"),
        (["open", "closed"], 200, "degraded"),
        (["half_open"], 200, "degraded"),
    ],
)
async def test_health_counts_a_provider_that_no_call_would_reach_as_down(
    found: Sequence[str], status: int, word: str, runner: str, upstream: Upstream
) -> None:
    Judged.found = [(Target("up", str(number)), state) for number, state in enumerate(found)]
    async with chat_server(upstream, Judged, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/health"))
        assert (answer.status, answer.json["status"]) == (status, word)
        assert (await wire.ask(request("/health/ready"))).json == {"status": "ready"}, "the probe judges nobody"


async def test_s0_20_probes_ask_nobody_and_health_asks_a_provider_once(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        for _ in range(5):
            await wire.ask(request("/health/live"))
            await wire.ask(request("/health/ready"))
        assert upstream.requests == []
        for _ in range(5):
            await wire.ask(request("/health"))
        assert [(asked.method, asked.target) for asked in upstream.requests] == [("GET", "/v1/models")]


async def test_s1_12_a_draining_gateway_lives_but_is_not_ready(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, gateway):
        gateway.begin_drain()
        statuses = {}
        for path in ("/health", "/health/live", "/health/ready", "/v1/models"):
            async with served.connect() as wire:
                statuses[path] = (await wire.ask(request(path))).status
        assert statuses == {"/health": 503, "/health/live": 200, "/health/ready": 503, "/v1/models": 503}


@pytest.mark.parametrize(
    ("method", "target", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("GET", "/v1/chat/completions/", 404, "not_found"),
        ("GET", CHAT, 405, "method_not_allowed"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/acme/admin", 404, "not_found"),
    ],
)
async def test_c20_every_error_has_the_envelope(
    runner: str, upstream: Upstream, method: str, target: str, status: int, code: str
) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(target, method=method))
        assert (answer.status, answer.code) == (status, code)
        assert ("allow" in answer.headers) == (status == 405)


async def test_405_names_every_method_that_the_path_has(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/acme/admin", method="PUT"))
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_a_head_request_gets_the_head_only(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        await wire.send(request("/health/live", method="HEAD"))
        assert (await wire.head()).status == 200
        assert (await wire.ask(request("/health/live"))).json == {"status": "live"}


async def test_s0_11_the_document_describes_every_route_that_can_be_called(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        api = (await wire.ask(request("/openapi.json"))).json
        assert api["openapi"].startswith("3.1")
        assert api["paths"].keys() >= {CHAT, "/v1/models", "/v1/models/{id}", "/health", "/acme/{who}"}
        assert "/acme/admin" not in api["paths"]
        said = [(one["name"], one["in"], one["required"]) for one in api["paths"]["/acme/{who}"]["post"]["parameters"]]
        assert said == [("who", "path", True), ("q", "query", False)]
        for reference in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', msgspec.json.encode(api).decode()):
            assert reference in api["components"]["schemas"]


async def test_s0_11_the_page_loads_its_neighbours_only(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner) as (served, _), served.connect() as wire:
        page = await wire.ask(request("/docs"))
        assert page.headers["content-type"].startswith("text/html")
        policy = page.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        text = page.body.decode()
        assert "://" not in text
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|\sstyle=", text)
        for name in re.findall(r'(?:src|href)="([^"]+)"', text):
            assert (await wire.ask(request(f"/{name}"))).status == 200
        script = (await wire.ask(request("/docs/docs.js"))).body.decode()
        assert "innerHTML" not in script


async def test_a_contributed_endpoint_is_served(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/acme/you?q=1", method="POST", body=b'{"numbers":[1,2]}'))
        assert (answer.status, answer.json) == (201, {"total": 3})
        assert (answer.headers["x-who"], answer.headers["x-query"]) == ("you", "1")


@pytest.mark.parametrize(
    ("query", "hint"), [("Q=1", "did you mean 'q'?"), ("q=1&since=2026-01-01", "there are: q"), ("=1", "there are: q")]
)
async def test_a_parameter_that_a_route_does_not_have_is_refused(
    runner: str, upstream: Upstream, query: str, hint: str
) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        answer = await wire.ask(request(f"/acme/you?{query}", method="POST", body=b'{"numbers":[]}'))
        assert (answer.status, answer.code) == (400, "invalid_parameter")
        assert hint in answer.json["error"]["message"]
        assert (await wire.ask(request("/v1/models?q=1"))).status == 200


OTHER_BODIES = [
    ("Content-Type: text/plain",),
    ("Content-Type: application/json; charset=utf-16",),
    ("Content-Type: application/json", "Content-Encoding: gzip"),
]


@pytest.mark.parametrize("headers", OTHER_BODIES)
async def test_h25_a_contributed_endpoint_takes_json_alone(
    runner: str, upstream: Upstream, headers: tuple[str, ...]
) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        for framing, body in (((), b'{"numbers":[]}'), (("Transfer-Encoding: chunked",), b"2\r\n{}\r\n0\r\n\r\n")):
            asked = request("/acme/you", method="POST", headers=(*headers, *framing), body=body)
            answer = await wire.ask(asked)
            assert (answer.status, answer.code) == (415, "unsupported_media_type")


@pytest.mark.parametrize("framing", ["Content-Length: 0", "Transfer-Encoding: chunked"])
async def test_an_endpoint_that_wants_no_body_asks_for_no_media_type(
    runner: str, upstream: Upstream, framing: str
) -> None:
    body = b"0\r\n\r\n" if "chunked" in framing else b""
    asked = request("/nothing", method="POST", headers=(framing, "Content-Type: text/plain"), body=body)
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        assert (await wire.ask(asked)).status == 200


async def test_a_contributed_endpoint_that_fails_is_a_500_in_the_envelope(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/acme/you", method="POST", body=b"{"))
        assert (answer.status, answer.code) == (500, "internal_error")


async def test_a_page_of_another_origin_may_not_change_state(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        headers = ("Origin: https://evil.example",)
        answer = await wire.ask(request("/acme/you", method="POST", headers=headers, body=b'{"numbers":[]}'))
        assert (answer.status, answer.code) == (403, "route_not_allowed")


@pytest.mark.parametrize(
    ("target", "origin", "status"),
    [
        ("/acme/shout", None, 101),
        ("/acme/shout", "http://localhost", 101),
        ("/acme/shout", "https://evil.example", 403),
        ("/acme/secret", None, 404),
        ("//acme/shout", None, 400),
    ],
)
async def test_sockets_are_opened_for_their_own_origin_only(
    runner: str, upstream: Upstream, target: str, origin: str | None, status: int
) -> None:
    headers = HANDSHAKE if origin is None else (*HANDSHAKE, f"Origin: {origin}")
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        await wire.send(request(target, headers=headers))
        first = await asyncio.wait_for(wire.reader.readline(), PATIENCE_S)
        assert first.split(b" ")[1] == str(status).encode()


async def test_a_handshake_that_is_refused_is_told_why(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        answer = await wire.ask(request("/acme/none", headers=(*HANDSHAKE, "X-Request-ID: mine")))
        assert (answer.status, answer.code) == (404, "not_found")
        expected = {"content-type": "application/json", "x-request-id": "mine", "x-should-retry": "false"}
        assert answer.headers.items() >= {**expected, "connection": "close"}.items()
        assert await wire.closed()


async def test_a_socket_talks_to_its_handler(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        await wire.send(request("/acme/shout", headers=HANDSHAKE))
        await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        mask = b"\0\0\0\0"
        await wire.send(b"\x81\x82" + mask + b"hi")
        assert await asyncio.wait_for(wire.reader.readexactly(4), PATIENCE_S) == b"\x81\x02HI"


async def test_a_sockets_handler_hears_nothing_of_a_binary_message(runner: str, upstream: Upstream) -> None:
    async with chat_server(upstream, runner=runner, plugin=Contributes()) as (served, _), served.connect() as wire:
        await wire.send(request("/acme/shout", headers=HANDSHAKE))
        await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        mask = b"\0\0\0\0"
        await wire.send(b"\x82\x82" + mask + b"no" + b"\x81\x82" + mask + b"hi")
        assert await asyncio.wait_for(wire.reader.readexactly(4), PATIENCE_S) == b"\x81\x02HI"


async def test_the_embedded_application_answers_below_the_hosts_path(runner: str, upstream: Upstream) -> None:
    gateway = gateway_of(upstream)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with gateway:
            yield

    host = Starlette(routes=[Mount("/llm", asgi(gateway))], lifespan=lifespan)
    async with host.router.lifespan_context(host), serving(host, runner) as served, served.connect() as wire:
        assert (await wire.ask(chat(target="/llm" + CHAT))).status == 200
        assert (await wire.ask(request("/llm/v1/models"))).status == 200
        assert (await wire.ask(request("/llm/v1%2fmodels"))).status == 400
        assert (await wire.ask(request("/llm/openapi.json"))).json["servers"] == [{"url": "/llm"}]


async def test_an_embedded_gateway_that_is_not_open_says_so(runner: str, upstream: Upstream) -> None:
    async with serving(asgi(gateway_of(upstream)), runner) as served:
        async with served.connect() as wire:
            answer = await wire.ask(chat())
            assert (answer.status, answer.code) == (503, "not_started")
        async with served.connect() as wire:
            assert (await wire.ask(request("/health"))).json["status"] == "unhealthy"
            assert (await wire.ask(request("/health/ready"))).json == {"status": "not_started"}
            assert (await wire.ask(request("/health/live"))).status == 200


async def test_an_application_of_its_own_opens_and_closes_the_gateway(runner: str, upstream: Upstream) -> None:
    gateway = gateway_of(upstream)
    app = create_app(gateway)
    inbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    outbox: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    lifespan = asyncio.create_task(app({"type": "lifespan", "state": {}}, inbox.get, outbox.put))  # type: ignore[arg-type]
    inbox.put_nowait({"type": "lifespan.startup"})
    assert (await asyncio.wait_for(outbox.get(), PATIENCE_S))["type"] == "lifespan.startup.complete"
    assert gateway.started
    client = AsgiClient(app, method="GET", path="/health/ready", body=b"")
    await client.ended()
    assert client.answer.json == {"status": "ready"}
    inbox.put_nowait({"type": "lifespan.shutdown"})
    assert (await asyncio.wait_for(outbox.get(), PATIENCE_S))["type"] == "lifespan.shutdown.complete"
    await lifespan
    assert not gateway.started


async def test_plugins_know_every_route_of_the_servers_own(runner: str, upstream: Upstream) -> None:
    application = asgi(gateway_of(upstream)).app
    assert isinstance(application, Application)
    application.refresh()
    routes = [route for route in application.routes if isinstance(route, Route)]
    own = {(method, route.path) for route in routes for method in route.methods or () if method != "HEAD"}
    assert own == set(OWN_ROUTES)
