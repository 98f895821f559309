"""What authentication, limits, a budget and the ledger cost together, in memory, on SQLite and on Redis.

    python -m benchmarks.state [--runner uvicorn] [--quick] [--check] > state.json

Unary requests on one pinned core, as in `throughput`, each of a key with a limit of requests, one of tokens, one of
places and a budget, with a row in the ledger. `added_us` is processor time over the same gateway without stages,
`round_trips` how often per request Redis was asked for state. Rows of the ledger go to a Redis of their own, behind
the requests and many at a time. Both run on the load's core, as the mock does.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import uvloop

from benchmarks.harness import machine, report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.unary import unary_load
from tests.redis.binaries import BINARIES, MISSING  # the tests know where servers are, and start them
from tests.redis.server import RedisServer, running_server

MEMORY_LIMIT_US = 60.0
REDIS_LIMIT_US = 200.0
SLOWDOWN_LIMIT = 1 / 0.7
"""Of Redis, against memory, in requests per second."""
ROUND_TRIPS = 2.0
SETTLE_S = 0.2
MARGIN = 0.05
"""Of round trips: requests that are under way when a burst ends have asked already and are not counted."""


@contextmanager
def redis(binary: str | None) -> Iterator[RedisServer | None]:
    """An empty Redis, None where there is none."""
    if binary is None:
        yield None
        return
    with TemporaryDirectory() as folder, ExitStack() as stack:
        with machine.pinned(machine.cores().load):  # no longer: the gateway is started while this one runs
            server = stack.enter_context(running_server(binary, Path(folder)))
        yield server


def steps(server: RedisServer | None) -> int:
    """How many scripts a server was sent."""
    if server is None:
        return 0
    stats = server.ask("INFO", "commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))


async def measure(server: Server, store: RedisServer | None, connections: int, seconds: float) -> Metrics:
    """One burst of load on one gateway."""
    await asyncio.sleep(SETTLE_S)
    cpu, asked = server.cpu_s(), steps(store)
    seen = await unary_load(server, connections, seconds)
    found = {"req_s": seen.per_second, "cpu_us": (server.cpu_s() - cpu) * 1e6 / seen.requests, "p50_ms": seen.p50_ms}
    return found if store is None else {**found, "round_trips": (steps(store) - asked) / seen.requests}


async def run(
    servers: Mapping[str, Server], store: RedisServer | None, rounds: int, connections: int, seconds: float
) -> Samples:
    """All rounds; one short burst on each gateway first, which is not counted."""
    names = [name for name in servers if name != "direct"]
    for name in names:
        await unary_load(servers[name], connections, min(1.0, seconds))

    def one(name: str) -> Awaitable[Metrics]:
        return measure(servers[name], store if name.startswith("redis") else None, connections, seconds)

    return await interleave(names, rounds, one)


def compare(out: report.Report, samples: Samples, runner: str, *, check: bool) -> None:
    """What the four add to the same gateway without them, in the same round, and what is left of memory's rate."""
    none = samples[f"none {runner}"]
    for kind in ("memory", "sqlite", "redis"):
        if (name := f"{kind} {runner}") not in samples:
            continue
        row = out.results[name]
        row["added_us"] = statistics.median(
            [own["cpu_us"] - base["cpu_us"] for own, base in zip(samples[name], none, strict=True)]
        )
        if kind != "memory":
            out.ratios.append(ratio(samples, f"memory {runner}", name, "req_s"))
        if check and kind != "sqlite":
            limit = MEMORY_LIMIT_US if kind == "memory" else REDIS_LIMIT_US
            out.checks.append(report.at_most(f"us that the four add to a request, {name}", row["added_us"], limit))
        if check and kind == "redis":
            what = f"requests per second in memory, against {name}"
            out.checks.append(report.at_most(what, out.ratios[-1].median, SLOWDOWN_LIMIT))
            trips = report.at_most(f"round trips per request, {name}", row["round_trips"], ROUND_TRIPS + MARGIN)
            out.checks.append(trips)


def main() -> None:
    parser = report.arguments(__doc__, rounds=12, seconds=1.0)
    parser.add_argument("--runner", choices=targets.RUNNERS, default="uvicorn")
    parser.add_argument("--connections", type=int, default=32)
    args = report.parse(parser)
    binary = next((path for path in BINARIES.values() if path), None)
    with redis(binary) as store, redis(binary) as ledger:
        urls = (store.url, ledger.url) if store is not None and ledger is not None else ("", "")
        found = [
            targets.metered(args.runner, kind, urls) for kind in targets.METERED if kind != "redis" or store is not None
        ]
        out = report.Report("state", vars(args), skipped={} if store is not None else {"redis": MISSING})
        with lab(found) as servers:
            samples = uvloop.run(run(servers, store, args.rounds, args.connections, args.seconds))
    out.add(samples)
    compare(out, samples, args.runner, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
