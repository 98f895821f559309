"""Unary requests per second and CPU microseconds per request on one pinned core, interleaved with the baselines.

python -m benchmarks.throughput [--runner uvicorn] [--quick] [--check] > throughput.json
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import uvloop

from benchmarks.harness import report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.unary import unary_load

LIMITS = {"uvicorn": 1.3, "hypercorn": 1.15}
"""CPU per request through eight no-op stages, against the bare proxy on the same runner."""
SETTLE_S = 0.2


async def measure(server: Server, connections: int, seconds: float) -> Metrics:
    """One burst of load on one server."""
    await asyncio.sleep(SETTLE_S)
    before = server.cpu_s()
    seen = await unary_load(server, connections, seconds)
    cpu_us = (server.cpu_s() - before) * 1e6 / seen.requests
    return {"req_s": seen.per_second, "cpu_us": cpu_us, "p50_ms": seen.p50_ms, "p99_ms": seen.p99_ms}


def chosen(runners: Sequence[str]) -> tuple[list[targets.Target], dict[str, str]]:
    """The targets of one run, and why one is missing."""
    nginx = targets.nginx()
    skipped = {} if nginx else {"nginx": "not installed"}
    found = [nginx] if nginx else []
    for runner in runners:
        found += [targets.bare(runner), targets.sentinel(runner), targets.sentinel(runner, stages=targets.STAGES)]
        found += [targets.sentinel(runner, stages=targets.STAGES, logged=True)]
    return found, skipped


async def run(servers: Mapping[str, Server], rounds: int, connections: int, seconds: float) -> Samples:
    """All rounds; one short burst on each server first, which is not counted."""
    for server in servers.values():
        await unary_load(server, connections, min(1.0, seconds))
    return await interleave(list(servers), rounds, lambda name: measure(servers[name], connections, seconds))


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--runner", choices=targets.RUNNERS, action="append", help="default: both")
    parser.add_argument("--connections", type=int, default=32)
    args = report.parse(parser)
    runners = args.runner or targets.RUNNERS
    found, skipped = chosen(runners)
    out = report.Report("throughput", vars(args), skipped=skipped)
    with lab(found) as servers:
        samples = uvloop.run(run(servers, args.rounds, args.connections, args.seconds))
    out.add(samples)
    for runner in runners:
        for kind in ("0 noop", "8 noop logged", "8 noop"):
            out.ratios.append(ratio(samples, f"sentinel {runner} {kind}", f"bare {runner}", "cpu_us"))
        if args.check:
            name = f"CPU per request, 8 no-op stages, against the bare proxy on {runner}"
            out.checks.append(report.at_most(name, out.ratios[-1].median, LIMITS[runner]))
    out.emit()


if __name__ == "__main__":
    main()
