"""What authentication, limits, a budget and the ledger cost together, in memory, on SQLite and on Redis.

    python -m benchmarks.state [--part chain|gateway] [--runner uvicorn] [--quick] [--check] > state.json

`chain` is what they add to an exchange in process (`harness/admission.py` has the variants). `gateway` is `sentinel
serve`: unary requests on one pinned core, as in `throughput`, each of a key with a limit of requests, one of tokens,
one of places and a budget, with a row in the ledger. `added_us` is processor time over the same gateway without stages,
with its response headers and with what the caches of a busy core forget between two requests; `round_trips` how often
per request Redis was asked for state. Rows of the ledger go to a Redis of their own, behind the requests and many at a
time. Both run on the load's core, as the mock does. Targets: 60 us in memory, 200 us of processor time on Redis, for
each part; 0.7 of the requests per second in memory, and two round trips.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Awaitable, Mapping

import uvloop

from benchmarks.harness import machine, report, targets
from benchmarks.harness.admission import added, in_the_chain
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.redis_servers import MISSING, RedisServer, redis, redis_binary, steps
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.unary import unary_load

MEMORY_LIMIT_US = 60.0
REDIS_LIMIT_US = 200.0
CHAIN_ROUNDS, CHAIN_SECONDS = 40, 0.15
"""Short and many: a machine's speed changes between them, not within."""
SLOWDOWN_LIMIT = 1 / 0.7
"""Of Redis, against memory, in requests per second."""
ROUND_TRIPS = 2.0
SETTLE_S = 0.2
MARGIN = 0.05
"""Of round trips: requests that are under way when a burst ends have asked already and are not counted."""


async def measure(server: Server, store: RedisServer | None, connections: int, seconds: float) -> Metrics:
    """One burst of load on one gateway."""
    await asyncio.sleep(SETTLE_S)
    cpu, asked = server.cpu_s(), steps(store)
    seen = await unary_load(server, connections, seconds)
    found = {"req_s": seen.per_second, "cpu_us": (server.cpu_s() - cpu) * 1e6 / seen.requests, "p50_ms": seen.p50_ms}
    return found if store is None else {**found, "round_trips": (steps(store) - asked) / seen.requests}


async def in_front(
    servers: Mapping[str, Server], store: RedisServer | None, rounds: int, connections: int, seconds: float
) -> Samples:
    """All rounds; one short burst on each gateway first, which is not counted."""
    names = [name for name in servers if name != "direct"]
    for name in names:
        await unary_load(servers[name], connections, min(1.0, seconds))

    def one(name: str) -> Awaitable[Metrics]:
        return measure(servers[name], store if name.startswith("redis") else None, connections, seconds)

    return await interleave(names, rounds, one)


def chain(out: report.Report, urls: tuple[str, str], *, quick: bool, check: bool) -> None:
    """The four in process, and whether they keep to the limits."""
    state, records = urls
    environ = {"STATE_URL": state, "RECORDS_URL": records} if state else {}
    rounds, seconds = (1, 0.1) if quick else (CHAIN_ROUNDS, CHAIN_SECONDS)
    with machine.pinned(machine.cores().gateway):
        samples = uvloop.run(in_the_chain(rounds, seconds, environ))
    out.add(samples)
    more = added(samples)
    for name, row in more.items():
        out.results[name] |= row
    if check:
        what = "us that the four together add to an exchange"
        out.checks.append(report.at_most(what, more["four"]["added_exchange_us"], MEMORY_LIMIT_US))
    if check and "four redis" in more:
        what = "us of processor time that they add on Redis"
        out.checks.append(report.at_most(what, more["four redis"]["added_cpu_us"], REDIS_LIMIT_US))


def gateway(out: report.Report, samples: Samples, runner: str, *, check: bool) -> None:
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
    parser.add_argument("--part", choices=("chain", "gateway"), action="append", help="default: both")
    parser.add_argument("--runner", choices=targets.RUNNERS, default="uvicorn")
    parser.add_argument("--connections", type=int, default=32)
    args = report.parse(parser)
    parts = args.part or ("chain", "gateway")
    binary = redis_binary()
    out = report.Report("state", vars(args), skipped={} if binary is not None else {"redis": MISSING})
    with redis(binary) as store, redis(binary) as ledger:
        urls = (store.url, ledger.url) if store is not None and ledger is not None else ("", "")
        if "chain" in parts:
            chain(out, urls, quick=args.quick, check=args.check)
        if "gateway" in parts:
            found = [
                targets.metered(args.runner, kind, urls)
                for kind in targets.METERED
                if kind != "redis" or store is not None
            ]
            with lab(found) as servers:
                samples = uvloop.run(in_front(servers, store, args.rounds, args.connections, args.seconds))
            out.add(samples)
            gateway(out, samples, args.runner, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
