"""Microseconds of the chain itself, in process, with a provider that answers from memory.

    python -m benchmarks.chain [--quick] [--check] > chain.json

Per exchange for 0, 3 and 8 no-op stages, with plain and with asynchronous finishers; per stream event and layer for
stages with a transforming reply phase. Variants are interleaved; each sample is the median of short batches.
"""

from __future__ import annotations

import asyncio

from benchmarks.harness import machine, report
from benchmarks.harness.in_process import exchange, gateways, listed, median_us, request
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.gateway import Gateway

PLAIN_LIMIT_US = 15.0
ASYNC_LIMIT_US = 40.0
VARIANTS = (("noop", 0), ("noop", 3), ("noop", 8), ("finisher", 3), ("finisher", 8), ("layer", 3), ("layer", 8))
UNARY_BATCH = 200
STREAM_BATCH = 2


async def measure(gateway: Gateway, seconds: float) -> Metrics:
    """One variant: a unary exchange, and one event of a stream."""
    unary, stream = request(stream=False), request(stream=True)
    events = await exchange(gateway, stream)
    stream_us = await median_us(lambda: exchange(gateway, stream), STREAM_BATCH, seconds / 2)
    return {
        "exchange_us": await median_us(lambda: exchange(gateway, unary), UNARY_BATCH, seconds / 2),
        "event_us": stream_us / events,
    }


async def run(rounds: int, seconds: float) -> Samples:
    """All variants, interleaved."""
    tables = {
        f"{stages} {kind}": listed({f"{kind}_{number}": "" for number in range(1, stages + 1)})
        for kind, stages in VARIANTS
    }
    async with gateways(tables) as opened:
        return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def summarise(out: report.Report, *, check: bool) -> None:
    """What the stages add to an exchange without any, and what one layer adds to one event."""
    base = out.results["0 noop"]
    for name, row in out.results.items():
        row["added_us"] = row["exchange_us"] - base["exchange_us"]
        stages = int(name.split()[0])
        if "layer" in name:
            row["us_event_layer"] = (row["event_us"] - base["event_us"]) / stages
    if check:
        plain, late = out.results["8 noop"]["added_us"], out.results["8 finisher"]["added_us"]
        out.checks.append(report.at_most("us that 8 no-op stages add to an exchange", plain, PLAIN_LIMIT_US))
        out.checks.append(report.at_most("the same with asynchronous finishers", late, ASYNC_LIMIT_US))


def main() -> None:
    args = report.parse(report.arguments(__doc__, seconds=1.0), quick_seconds=0.2)
    out = report.Report("chain", vars(args))
    with machine.pinned(machine.cores().gateway):
        out.add(asyncio.run(run(args.rounds, args.seconds)))
    summarise(out, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
