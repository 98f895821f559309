"""The failover drill: the primary dies under load, requests go on, and the evidence is there; then it comes back."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import aiohttp

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_server.app import asgi
from tests.long_form import long_form
from tests.pace import AT_ONCE_S, PATIENCE_S
from tests.server.serving import serving
from tests.upstream import Reply, Reset, Upstream, completion, head
from tests.upstream.link import Link
from tests.upstream.payloads import encoded

REQUESTS_PER_S = 50
REQUESTS = 75
DIES_AT = 25
OPEN_S = 0.3
ANSWERING_S = 0.05
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


@dataclass
class Mortal:
    """Answers in two pieces, so that some answers have begun at any moment; once it has died, they never end."""

    died: asyncio.Event = field(default_factory=asyncio.Event)
    broken: int = 0

    async def play(self, link: Link) -> None:
        body = encoded(completion("primary"))
        await link.send(
            head(200, [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]) + body[:9]
        )
        try:
            async with asyncio.timeout(ANSWERING_S):
                await self.died.wait()
        except TimeoutError:
            await link.send(body[9:])
        else:
            self.broken += 1
            link.reset()


class Answered(NamedTuple):
    status: int
    provider: str | None
    elapsed_s: float


class Drill:
    """A client of the gateway, and the primary behind it."""

    def __init__(self, session: aiohttp.ClientSession, primary: Upstream) -> None:
        self.session = session
        self.primary = primary
        self.mortal = Mortal()
        primary.script("m", self.mortal)

    async def under_load(self) -> list[Answered]:
        """Every answer of the run; the primary dies in the middle, connections and all."""
        requests: list[asyncio.Task[Answered]] = []
        for number in range(REQUESTS):
            if number == DIES_AT:
                self.primary.script("m", Reset())
                self.mortal.died.set()
            requests.append(asyncio.create_task(self.ask()))
            await asyncio.sleep(1 / REQUESTS_PER_S)  # the pace of the drill
        return await asyncio.gather(*requests)

    async def ask(self) -> Answered:
        began = asyncio.get_running_loop().time()
        async with self.session.post("/v1/chat/completions", json=CHAT) as response:
            await response.read()
            provider = response.headers.get("x-sentinel-provider")
            return Answered(response.status, provider, asyncio.get_running_loop().time() - began)

    async def get(self, path: str) -> JsonValue:
        async with self.session.get(path) as response:
            return await response.json()

    async def circuit(self) -> str:
        state: str = (await self.get("/health"))["checks"]["circuit_breakers"]["primary"]
        return state


def settings(primary: Upstream, backup: Upstream) -> Any:  # Settings
    """One model on two upstreams, behind everything that survives outages."""
    ups = {"primary": primary, "backup": backup}
    return settings_from(
        {
            "providers": {name: {"kind": "openai", "base_url": up.base_url} for name, up in ups.items()},
            "models": [{"name": "m", "targets": [{"provider": "primary"}, {"provider": "backup"}]}],
            "stages": {
                "health": {},
                "routing": {},
                "retry": {"base_delay_s": 0.01},
                "breaker": {"recovery_timeout_s": OPEN_S},
            },
        }
    )


async def heard(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> list[JsonValue]:
    """The next incident of each type, as a subscriber hears them, in the order of `kinds`."""
    found: JsonObject = {}
    async with asyncio.timeout(PATIENCE_S):
        while not found.keys() >= set(kinds):
            event = await socket.receive_json()
            if event["event_type"] == "incident":
                found.setdefault(event["payload"]["type"], event["payload"])
    return [found[kind] for kind in kinds]


@long_form
async def test_s3_01_a_primary_that_dies_under_load_fails_no_request_and_leaves_its_traces() -> None:
    async with Upstream() as primary, Upstream() as backup:
        gateway = Gateway(settings(primary, backup))
        async with (
            gateway,
            serving(asgi(gateway)) as served,
            aiohttp.ClientSession(served.url) as session,
            session.ws_connect("/ws/system-events") as socket,
        ):
            drill = Drill(session, primary)
            answers = await drill.under_load()

            # No unary request fails, not even those whose answer the primary had begun: no caller had seen a byte.
            assert [answer.status for answer in answers] == [200] * REQUESTS
            assert drill.mortal.broken >= 1
            assert {answer.provider for answer in answers[: DIES_AT - 5]} == {"primary"}
            assert {answer.provider for answer in answers[DIES_AT:]} == {"backup"}
            assert max(answer.elapsed_s for answer in answers) < AT_ONCE_S, "somebody waited for the dead"

            # The breaker opens, and spares the dead. It is open, or shown half open since its wait is over.
            assert await drill.circuit() != "closed"
            calls = [request for request in primary.requests if request.method == "POST"]
            assert len(calls) < DIES_AT + (REQUESTS - DIES_AT) / 2

            # Incident and event appear: heard by subscribers, kept for those who ask later.
            outage, failover = await heard(socket, "outage", "failover_triggered")
            assert (outage["provider"], failover["provider"], failover["to_provider"]) == (
                "primary",
                "primary",
                "backup",
            )
            kept = (await drill.get("/api/incidents?limit=20"))["incidents"]
            assert [one["id"] for one in kept if one["type"] == "failover_triggered"] == [failover["id"]]
            assert (await drill.get("/api/providers/status"))["providers"]["primary"]["status"] != "healthy"
            assert (await drill.get("/api/metrics"))["total_failures"] == 0

            # Recovery closes it: one probe by a caller's own request, and the primary has its traffic back.
            primary.script("m", Reply(completion()))
            async with asyncio.timeout(PATIENCE_S):
                while await drill.circuit() != "closed":
                    await asyncio.sleep(OPEN_S / 3)  # what an open circuit waits is time
                    assert (await drill.ask()).status == 200
            assert (await drill.ask()).provider == "primary"
            (recovery,) = await heard(socket, "recovery")
            assert (recovery["provider"], recovery["duration_s"] > 0) == ("primary", True)
            status = (await drill.get("/api/providers/status"))["providers"]["primary"]
            assert (status["status"], status["circuit_breaker"]["state"]) == ("healthy", "closed")
