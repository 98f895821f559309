"""A gateway whose workers share Redis, as a process."""

from __future__ import annotations

import json
from pathlib import Path

from sentinel_core.json_types import JsonObject
from tests.long_form import long_form
from tests.redis.server import running_server
from tests.server.process import Client, Process, config, running

STATE = '[state]\nkind = "redis"\nhost = "127.0.0.1"\nport = {port}\ntimeout_s = 1.0\n'


async def asked(process: Process, path: str) -> tuple[bytes, JsonObject]:
    """Status line and body of a GET."""
    client = await Client.to(process)
    client.get(path)
    head, _, body = (await client.rest()).partition(b"\r\n\r\n")
    return head.partition(b"\r\n")[0], json.loads(body)


@long_form
async def test_r01_workers_that_share_redis_start_and_say_how_it_is(redis_binary: str, tmp_path: Path) -> None:
    text = config(workers=2).replace("[state]\napproximate = true", "")
    with running_server(redis_binary, tmp_path) as server:
        async with running(tmp_path, text + "\n" + STATE.format(port=server.port)) as process:
            _, health = await asked(process, "/health")
            assert health["cache"] == "connected"
            assert health["checks"]["redis"]["status"] == "connected"
            assert 0 < health["checks"]["redis"]["latency_ms"] < 1_000
            assert (await asked(process, "/health/ready"))[1] == {"status": "ready"}

            server.kill()
            while (health := (await asked(process, "/health"))[1])["cache"] == "connected":
                continue
            assert (health["status"], health["checks"]["redis"]["status"]) == ("degraded", "disconnected")
            status, _ = await asked(process, "/health/live")
            assert b" 200 " in status


@long_form
async def test_r01_a_gateway_without_its_redis_is_degraded_and_says_so(redis_binary: str, tmp_path: Path) -> None:
    with running_server(redis_binary, tmp_path) as server:
        server.kill()
        async with running(tmp_path, config() + "\n" + STATE.format(port=server.port)) as process:
            status, ready = await asked(process, "/health/ready")
            assert (b" 200 " in status, ready) == (True, {"status": "degraded"})
            status, health = await asked(process, "/health")
            assert (b" 200 " in status, health["status"]) == (True, "degraded")
            assert "does not answer" in process.output
            assert "Traceback" not in process.output
