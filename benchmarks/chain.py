"""Microseconds of the chain itself, in process, with a provider that answers from memory.

    python -m benchmarks.chain [--quick] [--check] > chain.json

Per exchange for 0, 3 and 8 no-op stages, with plain and with asynchronous finishers; per stream event and layer for
stages with a transforming reply phase. Variants are interleaved; each sample is the median of short batches.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from benchmarks.harness import machine, payloads, report, targets
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.gateway import Gateway
from sentinel_core.messages import Answer, Request

PLAIN_LIMIT_US = 15.0
ASYNC_LIMIT_US = 40.0
VARIANTS = (("noop", 0), ("noop", 3), ("noop", 8), ("finisher", 3), ("finisher", 8), ("layer", 3), ("layer", 8))
UNARY_BATCH = 200
STREAM_BATCH = 2

CONFIG = """\
[chain]
stages = [{names}]

{tables}
[providers.bench_null]

[[models]]
name = "{model}"
targets = [{{ provider = "bench_null" }}]
"""


def config(kind: str, stages: int) -> str:
    """A configuration with that many stages of one kind."""
    names = [f"{kind}_{number}" for number in range(1, stages + 1)]
    tables = "".join(f"[stages.{name}]\n\n" for name in names)
    return CONFIG.format(names=", ".join(f'"{name}"' for name in names), tables=tables, model=payloads.MODEL)


@asynccontextmanager
async def gateways(folder: Path) -> AsyncIterator[Mapping[str, Gateway]]:
    """One open gateway per variant."""
    async with AsyncExitStack() as stack:
        opened = {}
        for kind, stages in VARIANTS:
            path = folder / f"{kind}-{stages}.toml"
            path.write_text(config(kind, stages))
            opened[f"{stages} {kind}"] = await stack.enter_async_context(Gateway.load(path, environ={}))
        yield opened


def request(*, stream: bool) -> Request:
    return OPENAI_CHAT.decode_request(msgspec.json.decode(payloads.request_body(stream=stream)))


async def exchange(gateway: Gateway, wanted: Request) -> int:
    """One exchange, read to its end; how many events it had."""
    events = 0
    async with gateway.open(gateway.context(wanted)) as reply:
        if not isinstance(reply, Answer):
            async for _ in reply:
                events += 1
    return events


async def median_us(work: Callable[[], Awaitable[object]], batch: int, seconds: float) -> float:
    """Microseconds of one `work()`: the median over batches, with the collector at rest."""
    samples: list[float] = []
    until = time.perf_counter() + seconds
    gc.collect()
    gc.disable()
    while time.perf_counter() < until:
        started = time.perf_counter()
        for _ in range(batch):
            await work()
        samples.append((time.perf_counter() - started) / batch * 1e6)
    gc.enable()
    return statistics.median(samples)


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
    with TemporaryDirectory() as folder:
        async with gateways(Path(folder)) as opened:
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
    sys.path.insert(0, str(targets.NOOP_PLUGIN))  # with its folder on the path, the plugin counts as installed
    out = report.Report("chain", vars(args))
    with machine.pinned(machine.cores().gateway):
        out.add(asyncio.run(run(args.rounds, args.seconds)))
    summarise(out, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
