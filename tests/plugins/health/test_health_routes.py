"""The routes and the socket, served, in front of two upstreams that a test lets fail."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_plugins.health.events import publish
from sentinel_plugins.health.incidents import KEPT, Incidents, incident
from sentinel_server.app import asgi
from tests.pace import AT_ONCE_S, until
from tests.plugins.health.watched import provider, registry, tables
from tests.server.serving import RUNNERS, serving
from tests.server.wire import request
from tests.upstream import Upstream

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

SHORT_S = 0.5
HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
)
CHAT = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 512, "temperature": 0.7}


class Api:
    """What a client of the routes sees."""

    def __init__(self, gateway: Gateway, session: aiohttp.ClientSession) -> None:
        self.gateway = gateway
        self.session = session

    async def get(self, path: str) -> tuple[int, JsonValue]:
        """Status and body."""
        async with self.session.get(path) as response:
            return response.status, await response.json()

    async def post(self, path: str, body: JsonValue = None) -> tuple[int, JsonValue]:
        """Status and body."""
        async with self.session.post(path, json=body) as response:
            return response.status, await response.json()


@asynccontextmanager
async def api(runner: str, **health: TomlValue) -> AsyncIterator[Api]:
    """A served gateway, and a client of it."""
    gateway = Gateway(settings_from(tables(**health)), registry=registry())
    async with gateway, serving(asgi(gateway), runner) as served, aiohttp.ClientSession(served.url) as session:
        yield Api(gateway, session)


async def next_of(socket: aiohttp.ClientWebSocketResponse, kind: str) -> JsonValue:
    """The payload of the next event of one kind."""
    while True:
        event = await asyncio.wait_for(socket.receive_json(), AT_ONCE_S)
        assert event.keys() == {"event_type", "payload"}
        if event["event_type"] == kind:
            return event["payload"]


async def test_s3_17_a_probe_asks_now_and_s3_16_the_status_shows_it(runner: str) -> None:
    async with api(runner) as client:
        provider(client.gateway, "first").fail()
        status, found = await client.post("/api/providers/first/probe")
        assert (status, found["status"], found["detail"]) == (200, "unhealthy", "upstream_unreachable")
        status, listed = await client.get("/api/providers/status")
        assert (status, listed["providers"]["first"]["status"]) == (200, "unhealthy")
        assert {"latency_ms", "last_check"} <= listed["providers"]["second"].keys()
        assert "circuit_breaker" not in listed["providers"]["second"]
        assert "success_rate_pct" not in listed["providers"]["second"]


async def test_a_probe_of_a_provider_that_nobody_configured_is_a_404(runner: str) -> None:
    async with api(runner) as client:
        status, body = await client.post("/api/providers/nobody/probe")
        assert (status, body["error"]["code"]) == (404, "not_found")


async def test_s3_18_incidents_are_listed_by_type_newest_first(runner: str) -> None:
    async with api(runner) as client, client.session.ws_connect("/ws/system-events") as socket:
        await next_of(socket, "system")
        provider(client.gateway, "first").error = UpstreamError("upstream_timeout")
        _, answer = await client.post("/api/chat", CHAT)
        told = await next_of(socket, "incident")
        assert (told["type"], told["trace_id"]) == ("failover_triggered", answer["trace_id"])
        provider(client.gateway, "first").fail()
        await client.post("/api/providers/first/probe")
        assert (await next_of(socket, "incident"))["type"] == "outage"
        _, every = await client.get("/api/incidents?limit=20")
        assert [one["type"] for one in every["incidents"]] == ["outage", "failover_triggered"]
        _, failovers = await client.get("/api/incidents?limit=20&type=failover_triggered")
        assert [one["id"] for one in failovers["incidents"]] == [told["id"]]
        _, one = await client.get("/api/incidents?limit=1")
        assert one["count"] == 1


async def test_s3_19_the_ring_is_read_to_its_end_over_the_wire(runner: str) -> None:
    async with api(runner) as client:
        ring = Incidents(client.gateway.records)
        for number in range(KEPT + 5):
            await ring.add(incident("outage", float(number), f"p{number}", "down"), float(number))
        _, found = await client.get(f"/api/incidents?limit={KEPT}")
        assert found["count"] == len(found["incidents"]) == KEPT
        assert [found["incidents"][end]["provider"] for end in (0, -1)] == [f"p{KEPT + 4}", "p5"]


async def test_s4_12_looks_and_probes_and_health_cost_no_tokens(runner: str, upstream: Upstream) -> None:
    """Over a provider with a real API: however often somebody looks at `/health`, it is asked for its models only."""
    tables = {
        "providers": {"up": {"kind": "openai", "base_url": upstream.base_url}},
        "stages": {"health": {"interval_s": 60.0}},
    }
    gateway = Gateway(settings_from(tables))
    async with gateway, serving(asgi(gateway), runner) as served, aiohttp.ClientSession(served.url) as session:
        await upstream.received()
        client = Api(gateway, session)
        for _ in range(10):
            _, found = await client.get("/health")
            assert found["checks"]["providers"]["up"]["status"] == "healthy"
        assert len(upstream.requests) == 1
        await client.post("/api/providers/up/probe")
        assert [(asked.method, asked.target) for asked in upstream.requests] == [("GET", "/v1/models")] * 2


QUERIES = ["limit=0", "limit=501", "limit=many", "limit=٣", "limit=", "type=nothing", f"limit=1{'0' * 5000}"]


@pytest.mark.parametrize("query", [*QUERIES, f"limit=000000001{'0' * 5000}"], ids=lambda query: query[:16])
async def test_incidents_refuse_a_query_that_is_none(runner: str, query: str) -> None:
    async with api(runner) as client:
        status, body = await client.get(f"/api/incidents?{query}")
        assert (status, body["error"]["code"]) == (400, "invalid_parameter")


async def test_s3_25_metrics_have_their_fields(runner: str) -> None:
    async with api(runner) as client:
        await client.post("/api/chat", CHAT)
        _, found = await client.get("/api/metrics")
        assert found.pop("avg_latency_ms") > 0
        assert found.pop("uptime_seconds") > 0
        providers = found.pop("providers")
        assert providers["first"]["success_rate_pct"] == 100
        assert found == {
            "total_requests": 1,
            "total_successes": 1,
            "total_failures": 0,
            "total_failovers": 0,
            "active_provider": "first",
        }


async def test_s3_22_a_page_of_another_origin_may_not_listen(runner: str) -> None:
    async with api(runner) as client:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await client.session.ws_connect("/ws/system-events", origin="https://evil.example")
        assert refused.value.status == 403


async def test_s3_23_beats_and_cycles_are_heard_on_the_socket(runner: str) -> None:
    async with (
        api(runner, interval_s=0.05, heartbeat_s=0.05) as client,
        client.session.ws_connect("/ws/system-events") as socket,
    ):
        assert (await next_of(socket, "system"))["status"] == "connected"
        for kind in ("heartbeat", "provider_status", "metrics"):
            await next_of(socket, kind)


class Dropped(logging.Handler):
    """Set once a subscriber was dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.event = asyncio.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "was dropped" in record.getMessage():
            self.event.set()


@pytest.fixture
def dropped() -> Iterator[asyncio.Event]:
    """Set once a subscriber was dropped."""
    handler = Dropped()
    logger = logging.getLogger("sentinel.health")
    logger.addHandler(handler)
    yield handler.event
    logger.removeHandler(handler)


async def test_a_reader_that_stalls_is_dropped_and_its_neighbour_hears_everything(
    runner: str, dropped: asyncio.Event
) -> None:
    gateway = Gateway(settings_from(tables(send_timeout_s=SHORT_S)), registry=registry())
    async with (
        gateway,
        serving(asgi(gateway), runner) as served,
        served.connect(receive_buffer=4096) as stalled,
        aiohttp.ClientSession(served.url) as session,
        session.ws_connect("/ws/system-events") as socket,
    ):
        await stalled.send(request("/ws/system-events", headers=HANDSHAKE))
        await asyncio.wait_for(stalled.reader.readuntil(b"\r\n\r\n"), AT_ONCE_S)
        await next_of(socket, "system")
        for number in range(200):  # 12 MiB: more than all buffers on the way
            await publish(gateway.state, "system", {"number": number, "filler": "x" * 65_536})
        heard = [(await next_of(socket, "system"))["number"] for _ in range(200)]
        assert heard == list(range(200))
        await asyncio.wait_for(dropped.wait(), AT_ONCE_S)


async def test_a_subscriber_that_leaves_leaves_no_subscription(runner: str) -> None:
    async with api(runner) as client:
        before = asyncio.all_tasks()
        socket = await client.session.ws_connect("/ws/system-events")
        await next_of(socket, "system")
        await socket.close()
        await until(lambda: not any("Feed" in repr(task) for task in asyncio.all_tasks() - before), AT_ONCE_S)
