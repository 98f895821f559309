"""What a state store costs per request: one admission and one settlement, in memory and on a Redis of this machine.

    python -m benchmarks.stores [--quick] [--check] > stores.json

Each request takes a place in a window of requests, one of tokens, a lease and a part of a budget, of one of 1,000
tenants, and settles them. `cpu_us` is the gateway's processor time, `server_us` Redis's, `wall_us` the time that passed
per request, with 1 and with 32 requests at a time. Variants are interleaved.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import accounting, machine, report
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from sentinel_core.state import Algorithm, Budget, Claim, Lease, Settlement, StateStore, Window, state_key
from sentinel_plugins.state.memory import MemoryState, MemoryStateConfig
from sentinel_plugins.state.redis import RedisState, RedisStateConfig
from tests.redis.binaries import BINARIES, MISSING  # the tests know where servers are, and start them
from tests.redis.server import RedisServer, running_server

MEMORY_LIMIT_US = 60.0
REDIS_LIMIT_US = 200.0
ROUND_TRIPS = 2
TENANTS = 1_000
BATCH = 100
VARIANTS: Sequence[tuple[Algorithm, int]] = (("exact", 1), ("exact", 32), ("gcra", 32), ("sliding_window", 32))
"""How the windows count, and how many requests there are at a time."""


@dataclass(frozen=True, slots=True)
class Target:
    """A store, how many requests it has at a time, how their windows count, and its server if it has one."""

    store: StateStore
    concurrency: int
    algorithm: Algorithm
    server: RedisServer | None


def claims(tenant: str, algorithm: Algorithm) -> Sequence[Claim]:
    """What one request asks for."""
    return (
        Window(state_key(tenant, "requests"), 10_000, 60.0, 1, algorithm),
        Window(state_key(tenant, "tokens"), 10_000_000, 60.0, 800, algorithm),
        Lease(state_key(tenant, "concurrency"), 100, 600.0),
        Budget(state_key(tenant, "money"), 10**15, 5_000_000, "today", 600.0, keep_s=86_400.0),
    )


@asynccontextmanager
async def targets(folder: Path) -> AsyncIterator[Mapping[str, Target]]:
    """Every variant, open."""
    async with AsyncExitStack() as stack:
        stores: dict[str, tuple[StateStore, RedisServer | None]] = {
            "memory": (await stack.enter_async_context(MemoryState.open(MemoryStateConfig())), None)
        }
        for kind, binary in BINARIES.items():
            if binary is not None:
                with machine.pinned(machine.cores().load):
                    (home := folder / kind).mkdir()
                    server = stack.enter_context(running_server(binary, home))
                config = RedisStateConfig(kind="redis", host="127.0.0.1", port=server.port, timeout_s=10.0)
                stores[kind] = (await stack.enter_async_context(RedisState.open(config)), server)
        made = {
            f"{name} {algorithm} c={concurrency}": Target(store, concurrency, algorithm, server)
            for name, (store, server) in stores.items()
            for algorithm, concurrency in VARIANTS
        }
        yield made


_numbers = count()


async def request(target: Target) -> None:
    """One admission and its settlement."""
    number = next(_numbers)
    tenant = f"tenant-{number % TENANTS}"
    reservation = state_key(tenant, str(number))
    admission = await target.store.admit(reservation, claims(tenant, target.algorithm))
    assert admission.admitted
    used = ((state_key(tenant, "tokens"), 300),)
    assert await target.store.settle(reservation, Settlement(used, 2_000_000)) == "settled"


async def measure(target: Target, seconds: float) -> Metrics:
    """One variant for a while."""

    async def work() -> int:
        done = 0
        while time.perf_counter() < until:
            for _ in range(BATCH):
                await request(target)
            done += BATCH
        return done

    before = _counted(target.server)
    until = time.perf_counter() + seconds
    wall, cpu = time.perf_counter(), time.process_time()
    done = sum(await asyncio.gather(*(work() for _ in range(target.concurrency))))
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    metrics = {"cpu_us": cpu / done * 1e6, "wall_us": wall / done * 1e6}
    if before is not None and (after := _counted(target.server)) is not None:
        metrics |= {"server_us": (after[0] - before[0]) / done * 1e6, "round_trips": (after[1] - before[1]) / done}
    return metrics


def _counted(server: RedisServer | None) -> tuple[float, int] | None:
    """A server's processor time so far, and how many scripts it was sent."""
    if server is None:
        return None
    stats = server.ask("INFO", "commandstats")
    calls = sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))
    return accounting.cpu_s(server.pid), calls


async def run(rounds: int, seconds: float) -> Samples:
    """All variants, interleaved."""
    with TemporaryDirectory() as folder:
        async with targets(Path(folder)) as opened:
            return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def summarise(out: report.Report, samples: Samples, *, check: bool) -> None:
    """Throughput against memory's in the same round, and the project's targets."""
    for name, row in out.results.items():
        kind, _, variant = name.partition(" ")
        if kind != "memory":
            out.ratios.append(ratio(samples, f"memory {variant}", name, "wall_us"))
        if check:
            limit = MEMORY_LIMIT_US if kind == "memory" else REDIS_LIMIT_US
            out.checks.append(report.at_most(f"us of processor time per request, {name}", row["cpu_us"], limit))
            if kind != "memory":
                out.checks.append(report.at_most(f"round trips per request, {name}", row["round_trips"], ROUND_TRIPS))


def main() -> None:
    args = report.parse(report.arguments(__doc__, seconds=1.0), quick_seconds=0.2)
    out = report.Report("stores", vars(args))
    out.skipped = {kind: MISSING for kind, binary in BINARIES.items() if binary is None}
    with machine.pinned(machine.cores().gateway):
        samples = asyncio.run(run(args.rounds, args.seconds))
    out.add(samples)
    summarise(out, samples, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
