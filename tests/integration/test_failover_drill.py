"""The failover drill: the primary dies under load, requests go on, and the evidence is there; then it comes back."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp

from sentinel_core.config import settings_from
from sentinel_core.gateway import Gateway
from sentinel_server.app import asgi
from tests.server.serving import serving
from tests.upstream import Reply, Reset, Upstream, completion

REQUESTS_PER_S = 50
REQUESTS = 50
DIES_AT = 15
OPEN_S = 0.1
PATIENCE_S = 5.0
CHAT = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


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


async def under_load(session: aiohttp.ClientSession, primary: Upstream) -> list[int]:
    """The status of every request of the run; the primary dies in the middle."""
    requests: list[asyncio.Task[int]] = []
    for number in range(REQUESTS):
        if number == DIES_AT:
            primary.script(None, Reset())
        requests.append(asyncio.create_task(ask(session)))
        await asyncio.sleep(1 / REQUESTS_PER_S)  # the pace of the drill
    return await asyncio.gather(*requests)


async def ask(session: aiohttp.ClientSession) -> int:
    """One request's status."""
    async with session.post("/v1/chat/completions", json=CHAT) as response:
        await response.read()
        return response.status


async def incidents(socket: aiohttp.ClientWebSocketResponse, *kinds: str) -> list[Any]:  # JSON
    """The next incident of each type, as a subscriber hears them, in the order of `kinds`."""
    found: dict[str, Any] = {}  # JSON
    async with asyncio.timeout(PATIENCE_S):
        while not found.keys() >= set(kinds):
            event = await socket.receive_json()
            if event["event_type"] == "incident":
                found.setdefault(event["payload"]["type"], event["payload"])
    return [found[kind] for kind in kinds]


async def primary_state(session: aiohttp.ClientSession) -> tuple[str, str]:
    """The primary's status and its circuit's state."""
    async with session.get("/api/providers/status") as response:
        found = (await response.json())["providers"]["primary"]
        return found["status"], found["circuit_breaker"]["state"]


async def test_s3_01_a_primary_that_dies_under_load_fails_no_request_and_leaves_its_traces() -> None:
    async with Upstream() as primary, Upstream() as backup:
        gateway = Gateway(settings(primary, backup))
        async with (
            gateway,
            serving(asgi(gateway)) as served,
            aiohttp.ClientSession(served.url) as session,
            session.ws_connect("/ws/system-events") as socket,
        ):
            assert (await under_load(session, primary)) == [200] * REQUESTS
            outage, failover = await incidents(socket, "outage", "failover_triggered")
            assert outage["provider"] == "primary"
            assert (failover["provider"], failover["to_provider"]) == ("primary", "backup")
            assert (await primary_state(session))[0] in ("unhealthy", "degraded")

            async with session.get("/health") as response:
                assert "primary/m" in (await response.json())["checks"]["circuit_breakers"]

            primary.script(None, Reply(completion()))
            async with asyncio.timeout(PATIENCE_S):
                while (await primary_state(session))[1] != "closed":
                    await asyncio.sleep(OPEN_S)  # what an open circuit waits is time
                    assert await ask(session) == 200
            async with session.post("/api/providers/primary/probe") as response:
                assert (await response.json())["status"] == "healthy"
            assert (await incidents(socket, "recovery"))[0]["provider"] == "primary"
