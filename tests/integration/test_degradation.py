"""R13, R07, C-32: what each use of the stores becomes while Redis is frozen, and after, over a whole gateway.

The rows are those of the table in docs/how-to/survive-outages.md; tests/promises holds the two together.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from sentinel_core.errors import Refusal
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.limits import Limits
from sentinel_plugins.redis.breaker import FAILURES
from tests.pace import until
from tests.plugins.auth.callers import ADMIN_KEY, STATIC
from tests.plugins.auth.gateway import House, house, tables
from tests.plugins.recording.written import rows
from tests.ports import HOST
from tests.redis.server import RedisServer
from tests.redis.shim import Shim
from tests.server.wire import Answer

TIMEOUT_S = 0.5
"""Each test waits for it once. A Redis that shares a busy machine with it answers sooner."""
LIMIT, REPLICAS = 12, 3


@dataclass
class Outage:
    """A gateway whose state and records are behind one shim, and what a test made before it froze."""

    house: House
    shim: Shim
    keys: dict[str, str] = field(default_factory=dict)

    async def chat(self, key: str = STATIC) -> Answer:
        messages = [{"role": "user", "content": "Hello"}]
        return await self.house.ask("/v1/chat/completions", key, "POST", model="gpt-4o", messages=messages)

    def count(self, name: str) -> int:
        """Everything that was counted under one name."""
        families = (family for family in self.house.gateway.services.counts if family.name == name)
        return sum(number for family in families for _, number in family.read())

    async def ready(self) -> tuple[int, str]:
        answer = await self.house.ask("/health/ready")
        return answer.status, answer.json["status"]

    async def freeze(self) -> None:
        """Until both stores know that nobody answers."""
        gateway = self.house.gateway

        async def look() -> None:
            with suppress(Refusal):
                await gateway.state.ping()
            with suppress(Refusal):
                await gateway.records.get("usage", None, "nothing")

        self.shim.freeze()
        while gateway.state.available or gateway.records.available:
            await asyncio.gather(*(look() for _ in range(FAILURES)))

    async def thaw(self) -> None:
        """Until both stores have found out by themselves."""
        gateway = self.house.gateway
        self.shim.thaw()
        await until(lambda: gateway.state.available and gateway.records.available)  # they look about every second


def settings(shim: Shim, folder: Path, spool_max_bytes: int, audit: Mapping[str, TomlValue]) -> TomlTable:
    redis = {"kind": "redis", "host": HOST, "port": shim.port, "timeout_s": TIMEOUT_S}
    spool = {"spool": str(folder / "spool"), "spool_max_bytes": spool_max_bytes}
    found = tables(cache_ttl_s=600.0)  # so that a budget's refusal is the budget's
    found["stages"] |= {
        **{"metrics": {}, "usage": {}, "audit": audit},
        "rate_limit": {"max_requests": LIMIT, "replicas": REPLICAS},
    }
    return {**found, "state": redis, "records": {**redis, **spool}}


@asynccontextmanager
async def outage(
    server: RedisServer, folder: Path, *, spool_max_bytes: int = 1_000_000, **audit: TomlValue
) -> AsyncIterator[Outage]:
    async with Shim(server.port) as shim, house(settings(shim, folder, spool_max_bytes, audit)) as served:
        scene = Outage(served, shim)
        _, scene.keys["known"] = await served.key("default")
        _, scene.keys["unknown"] = await served.key("default")
        _, scene.keys["budgeted"] = await served.key("default", limits=Limits(daily_usd=1.0))
        for name in ("known", "budgeted"):
            assert (await scene.chat(scene.keys[name])).status == 200
        await until(lambda: min(scene.count("usage_written"), scene.count("audit_written")) >= 2)
        await scene.freeze()
        yield scene


async def authentication(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        refused = await o.chat(o.keys["unknown"])
        assert (refused.status, refused.code) == (503, "state_unavailable"), "never 401: it may be a good key"
        assert (await o.chat(o.keys["known"])).status == 200, "looked up a moment ago"
        assert (await o.chat(STATIC)).status == 200, "of the configuration"
        assert (await o.chat("no key at all")).status == 401, "which no store has to be asked about"


async def budgets(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        called = o.count("attempts")
        refused = await o.chat(o.keys["budgeted"])
        assert (refused.status, refused.code) == (503, "state_unavailable")
        assert o.count("attempts") == called, "nobody was called"
        await o.thaw()
        assert (await o.chat(o.keys["budgeted"])).status == 200


async def rate_limits(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        answers = [await o.chat() for _ in range(LIMIT // REPLICAS + 1)]
        assert [answer.status for answer in answers] == [200] * (LIMIT // REPLICAS) + [429]
        assert {answer.headers["x-sentinel-degraded"] for answer in answers[:-1]} == {"rate_limit"}
        assert o.count("admitted_locally") == LIMIT // REPLICAS
        await o.thaw()
        assert "x-sentinel-degraded" not in (await o.chat()).headers


async def usage(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        for _ in range(3):
            assert (await o.chat()).status == 200
        await until(lambda: o.count("rows_spooled") >= 6)
        await o.thaw()
        found = await rows(o.house.gateway.records, "usage", 5)
        audited = await rows(o.house.gateway.records, "audit", 5, kind="terminal")
        assert (len(found), len(audited), o.count("usage_dropped")) == (5, 5, 0), "each once, two from before"
        await until(lambda: o.count("rows_replayed") >= o.count("rows_spooled"))
        assert len(await rows(o.house.gateway.records, "usage", 5)) == 5


async def required_audit(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder, guarantee="required") as o:
        assert (await o.chat()).status == 200, "its intent is on the local disk"
        assert list((folder / "spool").glob("*.rows"))


async def required_audit_without_room(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder, guarantee="required", spool_max_bytes=0) as o:
        called = o.count("attempts")
        refused = await o.chat()
        assert (refused.status, refused.code) == (503, "ledger_unavailable")
        assert o.count("attempts") == called, "no provider was called without a record"
        written = o.count("audit_written")
        await o.thaw()
        await until(lambda: o.count("audit_written") >= written + 2)  # the intent and its refusal had to wait
        assert (await o.chat()).status == 200


async def best_effort_audit(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder, max_waiting=2, spool_max_bytes=0) as o:
        answers = [await o.chat() for _ in range(4)]
        assert {answer.status for answer in answers} == {200}
        assert o.count("audit_dropped") == 2
        metrics = (await o.house.ask("/metrics")).json
        assert metrics["counts"]["audit_dropped"] == 2, "D01: each one is counted"


async def questions(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        for path in ("/v1/usage", "/v1/audit", "/v1/audit/any"):
            refused = await o.house.ask(path, ADMIN_KEY)
            assert (refused.status, refused.code) == (503, "ledger_unavailable")


async def probes(server: RedisServer, folder: Path) -> None:
    async with outage(server, folder) as o:
        assert await o.ready() == (200, "degraded")
        assert (await o.house.ask("/health")).json["status"] == "degraded"
        metrics = (await o.house.ask("/metrics")).json
        assert (metrics["state_available"], metrics["records_available"]) == (False, False)
        await o.thaw()
        assert await o.ready() == (200, "ready")


ROWS: Mapping[str, Callable[[RedisServer, Path], Awaitable[None]]] = {
    "callers": authentication,
    "budgets": budgets,
    "rate limits": rate_limits,
    "usage": usage,
    "audit, `required`": required_audit,
    "audit, `required`, no room on the disk": required_audit_without_room,
    "audit, `best_effort`": best_effort_audit,
    "questions": questions,
    "probes and `/metrics`": probes,
}


@pytest.mark.parametrize("row", ROWS)
async def test_r13_c_32_a_frozen_redis_leaves_each_use_as_the_table_says(
    redis_server: RedisServer, tmp_path: Path, row: str
) -> None:
    await ROWS[row](redis_server, tmp_path)


async def test_r07_an_outage_is_in_metrics_log_and_readiness_and_so_is_its_end(
    redis_server: RedisServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        async with outage(redis_server, tmp_path) as o:
            assert await o.ready() == (200, "degraded")
            lost = {part: (o.count(f"{part}_degraded"), o.count(f"{part}_recovered")) for part in ("state", "records")}
            assert lost == {"state": (1, 0), "records": (1, 0)}
            await o.chat()
            await o.thaw()
            assert await o.ready() == (200, "ready")
            back = {part: (o.count(f"{part}_degraded"), o.count(f"{part}_recovered")) for part in ("state", "records")}
            assert back == {"state": (1, 1), "records": (1, 1)}
    said = "\n".join(record.message for record in caplog.records if not record.name.startswith("sentinel.access"))
    assert "does not answer" in said
    assert "limits rates on its own" in said
    assert "answers again" in said
