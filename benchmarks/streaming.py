"""Streams on one pinned core: time to the first content chunk, and CPU microseconds per event while all streams run.

    python -m benchmarks.streaming [--runner uvicorn] [--streams 32] [--quick] [--check] > streaming.json

The mock sends the first content at once, so the time to it is what the proxies add, plus `direct`'s own.
"""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import uvloop

from benchmarks.harness import report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.streams import stream_load

EVENT_LIMIT = 1.25
FIRST_CHUNK_LIMIT = 1.3
SETTLE_S = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """How many streams, how many content chunks each, and how far apart. Kept below one core's saturation."""

    streams: int
    chunks: int
    interval_ms: float
    ramp_s: float


LOADS = {32: Load(32, 100, 10.0, 1.0), 1000: Load(1000, 100, 250.0, 5.0)}


async def measure(server: Server, load: Load, seconds: float) -> Metrics:
    """Ramp up, then count events and CPU in a window in which all streams run."""
    await asyncio.sleep(SETTLE_S)
    async with stream_load(server, load.streams, load.ramp_s) as running:
        cpu, events = server.cpu_s(), running.events
        await running.run(seconds)
        cpu_us = (server.cpu_s() - cpu) * 1e6 / (running.events - events)
        first = sorted(running.first_chunk_s)
    return {
        "cpu_us_event": cpu_us,
        "events_s": (running.events - events) / seconds,
        "first_p50_ms": statistics.median(first) * 1000,
        "first_p99_ms": first[len(first) * 99 // 100] * 1000,
    }


def chosen(runners: Sequence[str]) -> tuple[list[targets.Target], dict[str, str]]:
    """The targets of one run, and why one is missing."""
    nginx = targets.nginx()
    skipped = {} if nginx else {"nginx": "not installed"}
    found = [nginx] if nginx else []
    for runner in runners:
        found += [targets.bare(runner), targets.bare(runner, decode=True), targets.sentinel(runner)]
        found += [targets.sentinel(runner, stages=targets.STAGES)]
        found += [targets.sentinel(runner, stages=targets.STAGES, kind="layer")]
    return found, skipped


async def run(servers: Mapping[str, Server], load: Load, rounds: int, seconds: float) -> Samples:
    """All rounds at one load; a short ramp on each server first, which is not counted."""
    for server in servers.values():
        async with stream_load(server, min(load.streams, 32), 0.5) as running:
            await running.run(0.2)
    return await interleave(list(servers), rounds, lambda name: measure(servers[name], load, seconds))


def compare(out: report.Report, samples: Mapping[str, Samples], runner: str, *, check: bool) -> None:
    """Sentinel against the bare proxy that decodes its events, and, for information, the one that does not."""
    for count, rows in samples.items():
        found = {f"{name} x{count}": row for name, row in rows.items()}
        for kind in ("0 noop", "8 noop", "8 layer"):
            for metric in ("cpu_us_event", "first_p50_ms"):
                of = f"sentinel {runner} {kind} x{count}"
                row = ratio(found, of, f"bare {runner} decoded x{count}", metric)
                out.ratios += [row, ratio(found, of, f"bare {runner} x{count}", metric)]
                if check and kind == "8 noop":
                    limit = EVENT_LIMIT if metric == "cpu_us_event" else FIRST_CHUNK_LIMIT
                    name = f"{metric} of {count} streams, 8 no-op stages, against the decoding bare proxy on {runner}"
                    out.checks.append(report.at_most(name, row.median, limit))


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--runner", choices=targets.RUNNERS, action="append", help="default: both")
    parser.add_argument("--streams", type=int, choices=sorted(LOADS), action="append", help="default: both")
    args = report.parse(parser)
    runners = args.runner or targets.RUNNERS
    found, skipped = chosen(runners)
    out = report.Report("streaming", vars(args), skipped=skipped)
    samples: dict[str, Samples] = {}
    for count in args.streams or LOADS:
        load = LOADS[count]
        with lab(found, targets.mock(load.chunks, load.interval_ms)) as servers:
            samples[str(count)] = uvloop.run(run(servers, load, args.rounds, args.seconds))
        out.add({f"{name} x{count}": rows for name, rows in samples[str(count)].items()})
    for runner in runners:
        compare(out, samples, runner, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
