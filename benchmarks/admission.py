"""Microseconds that admission adds to an exchange, in process, on the memory store.

    python -m benchmarks.admission [--quick] [--check] > admission.json

`requests` is the default without a configuration file; `budget` adds a budget, a limit of tokens and places, with
prompts counted by the tokenizer; `bytes` reserves them by their bytes. The provider answers from memory and reports its
usage. Variants are interleaved; each sample is the median of short batches.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chain import exchange, median_us, request
from benchmarks.harness import machine, payloads, report, targets
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.gateway import Gateway

LIMIT_US = 60.0
"""What authentication, limits, budget and usage may add together."""

BATCH = 20
"""Short, so that what interrupts a busy machine falls into few of them."""

PLENTY = 1_000_000_000
_METERED = f"""
[stages.rate_limit.address]
requests_per_minute = {PLENTY}
tokens_per_minute = {PLENTY}
max_concurrency = 1000
monthly_usd = 1000000.0
"""
STAGES: Mapping[str, str] = {
    "nothing": "",
    "requests": f"[stages.rate_limit]\nmax_requests = {PLENTY}\n",
    "budget": f"[stages.rate_limit]\n{_METERED}",
    "bytes": f'[stages.rate_limit]\nreserve = "upper_bound"\n{_METERED}',
}
CONFIG = """\
{stages}

[catalogue]
file = "prices.toml"

[providers.bench_null]

[[models]]
name = "{model}"
targets = [{{ provider = "bench_null" }}]
"""
PRICES = '[[models]]\nid = "bench_null/{model}"\nprovider = "bench_null"\ninput_usd = 2.5\noutput_usd = 10.0\n'


@asynccontextmanager
async def gateways(folder: Path) -> AsyncIterator[Mapping[str, Gateway]]:
    """One open gateway per variant."""
    (folder / "prices.toml").write_text(PRICES.format(model=payloads.MODEL))
    async with AsyncExitStack() as stack:
        opened = {}
        for name, stages in STAGES.items():
            path = folder / f"{name}.toml"
            path.write_text(CONFIG.format(stages=stages, model=payloads.MODEL))
            opened[name] = await stack.enter_async_context(Gateway.load(path, environ={}))
        yield opened


async def measure(gateway: Gateway, seconds: float) -> Metrics:
    """One variant: a unary exchange."""
    wanted = request(stream=False)
    await exchange(gateway, wanted)  # the first count reads an encoding
    return {"exchange_us": await median_us(lambda: exchange(gateway, wanted), BATCH, seconds)}


async def run(rounds: int, seconds: float) -> Samples:
    """All variants, interleaved."""
    with TemporaryDirectory() as folder:
        async with gateways(Path(folder)) as opened:
            return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def summarise(out: report.Report, *, check: bool) -> None:
    """What each variant adds to a chain without stages."""
    base = out.results["nothing"]["exchange_us"]
    for row in out.results.values():
        row["added_us"] = row["exchange_us"] - base
    if check:
        added = out.results["bytes"]["added_us"]
        out.checks.append(report.at_most("us that admission with a budget adds to an exchange", added, LIMIT_US))


def main() -> None:
    args = report.parse(report.arguments(__doc__, seconds=1.0), quick_seconds=0.2)
    sys.path.insert(0, str(targets.NOOP_PLUGIN))  # with its folder on the path, the plugin counts as installed
    out = report.Report("admission", vars(args))
    with machine.pinned(machine.cores().gateway):
        out.add(asyncio.run(run(args.rounds, args.seconds)))
    summarise(out, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
