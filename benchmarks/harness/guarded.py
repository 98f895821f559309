"""What guards cost a gateway: requests per second with them over without, and per event of a stream, over HTTP and in
the chain alone."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Mapping
from typing import Final

import uvloop

from benchmarks.harness import machine, report, targets
from benchmarks.harness.in_process import exchange, gateways, listed, median_us, request
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.streams import stream_load
from benchmarks.harness.unary import unary_load
from sentinel_core.gateway import Gateway

RUNNER: Final = "uvicorn"
GUARDS: Final[Mapping[str, Mapping[str, str]]] = {
    "no guards": {},
    "pii and secrets": {"pii": "", "secrets": ""},
    "all guards": {"pii": "", "injection": "", "secrets": ""},
    "all guards, new texts": {"pii": "", "injection": "cache_entries = 1\n", "secrets": ""},
}
"""Each with the lines of its table. The same request comes again and again, and its score is remembered; where there is
room for one score only, its texts are as good as new each time."""
THROUGHPUT_FLOOR, EVENT_LIMIT_US = 0.7, 15.0
STREAMS, BUSY_STREAMS, CONNECTIONS, RAMP_S = 32, 128, 32, 1.0
"""With so many streams a core rests four fifths of the time, and each event finds its caches cold; with so many more it
has no rest."""
SETTLE_S = 0.3
METRICS: Final = ("req_s", "cpu_us", "event_cpu_us", "busy_event_cpu_us")
IN_CHAIN: Final = ("no guards", "pii and secrets")


def measure(out: report.Report, rounds: int, seconds: float, *, check: bool) -> None:
    """Requests of 592 bytes with answers of 744, and streams of words; all targets in each round."""
    found = [targets.guarded(RUNNER, name, stages) for name, stages in GUARDS.items()]
    with lab(found) as servers:
        names = [target.name for target in found]
        samples = uvloop.run(interleave(names, rounds, lambda name: _metrics(servers[name], seconds)))
    out.add(samples)
    none, *guarded = names
    for name in guarded:
        out.ratios += [ratio(samples, name, none, metric) for metric in METRICS]
    if check:
        for row in out.ratios:
            if row.metric == "req_s":
                out.checks.append(report.at_least(f"requests per second, {row.of}", row.median, THROUGHPUT_FLOOR))
        dearer = statistics.median(
            own["busy_event_cpu_us"] - base["busy_event_cpu_us"]
            for own, base in zip(samples[guarded[0]], samples[none], strict=True)
        )
        out.checks.append(report.at_most("us more per event of a busy core, pii and secrets", dearer, EVENT_LIMIT_US))


async def _metrics(server: Server, seconds: float) -> Metrics:
    await asyncio.sleep(SETTLE_S)
    await unary_load(server, CONNECTIONS, min(0.5, seconds))
    before = server.cpu_s()
    seen = await unary_load(server, CONNECTIONS, seconds)
    cpu_us = (server.cpu_s() - before) * 1e6 / seen.requests
    found = {"req_s": seen.per_second, "cpu_us": cpu_us}
    for metric, streams in (("event_cpu_us", STREAMS), ("busy_event_cpu_us", BUSY_STREAMS)):
        async with stream_load(server, streams, RAMP_S) as running:
            cpu, events = server.cpu_s(), running.events
            await running.run(seconds)
            found[metric] = (server.cpu_s() - cpu) * 1e6 / (running.events - events)
    return found


def measure_chain(out: report.Report, rounds: int, seconds: float, *, check: bool) -> None:
    """The same words through the chain alone, in this process: one event after the other, and nothing between."""
    with machine.pinned(machine.cores().gateway):
        samples = asyncio.run(_chain(rounds, seconds))
    out.add(samples)
    none, guarded = (out.results[f"{name}, in the chain"] for name in IN_CHAIN)
    guarded["added_us"] = guarded["event_us"] - none["event_us"]
    if check:
        name = "us more per event in the chain, pii and secrets"
        out.checks.append(report.at_most(name, guarded["added_us"], EVENT_LIMIT_US))


async def _chain(rounds: int, seconds: float) -> Samples:
    async with gateways({f"{name}, in the chain": listed(GUARDS[name]) for name in IN_CHAIN}) as opened:
        return await interleave(list(opened), rounds, lambda name: _event(opened[name], seconds))


async def _event(gateway: Gateway, seconds: float) -> Metrics:
    wanted = request(stream=True)
    events = await exchange(gateway, wanted)
    return {"event_us": await median_us(lambda: exchange(gateway, wanted), 1, seconds) / events}
