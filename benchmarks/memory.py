"""KiB per open stream, and the proportional set size (PSS) of an idle worker.

    python -m benchmarks.memory [--runner uvicorn] [--streams 1000] [--quick] [--check] > memory.json

Streams are opened and then idle: the upstream has sent its first content and keeps still. The first growth of a fresh
process is what counts, so every round starts every target anew.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import uvloop

from benchmarks.harness import report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave
from benchmarks.harness.streams import stream_load

STREAM_LIMIT_KIB = 64.0
IDLE_LIMIT_MIB = 80.0
KIB = 1024
IDLE_UPSTREAM_MS = 600_000.0


async def measure(server: Server, streams: int, ramp_s: float) -> Metrics:
    """Memory before, and with all streams open."""
    idle = server.pss_bytes()
    async with stream_load(server, streams, ramp_s) as running:
        await running.run(0.5)
        loaded = server.pss_bytes()
    await asyncio.sleep(0.5)
    return {
        "kib_stream": (loaded - idle) / KIB / streams,
        "idle_mib": idle / KIB / KIB,
        "loaded_mib": loaded / KIB / KIB,
        "after_mib": server.pss_bytes() / KIB / KIB,
    }


async def run(servers: Mapping[str, Server], streams: int, ramp_s: float) -> Samples:
    """One round."""
    names = [name for name in servers if name != "direct"]
    return await interleave(names, 1, lambda name: measure(servers[name], streams, ramp_s))


def main() -> None:
    parser = report.arguments(__doc__, rounds=3)
    parser.add_argument("--runner", choices=targets.RUNNERS, action="append", help="default: both")
    parser.add_argument("--streams", type=int, default=1000)
    args = report.parse(parser)
    out = report.Report("memory", vars(args))
    runners = args.runner or targets.RUNNERS
    found = [t for runner in runners for t in (targets.bare(runner), targets.sentinel(runner, stages=targets.STAGES))]
    samples: Samples = {}
    for _ in range(args.rounds):
        with lab(found, targets.mock(100, IDLE_UPSTREAM_MS)) as servers:
            for name, rows in uvloop.run(run(servers, args.streams, args.seconds)).items():
                samples.setdefault(name, []).extend(rows)
    out.add(samples)
    if args.check:
        for runner in runners:
            row = out.results[f"sentinel {runner} 8 noop"]
            out.checks.append(report.at_most(f"KiB per open stream on {runner}", row["kib_stream"], STREAM_LIMIT_KIB))
            out.checks.append(report.at_most(f"MiB of an idle worker on {runner}", row["idle_mib"], IDLE_LIMIT_MIB))
    out.emit()


if __name__ == "__main__":
    main()
