"""Microseconds that authentication, limits, a budget and the ledger add to an exchange, in process and in memory.

    python -m benchmarks.admission [--quick] [--check] > admission.json

`limits` has limits of requests, tokens and places, and a budget; `four` is all of it together, with prompts reserved
by their bytes, `counted` the same by the tokenizer, `default` what a gateway without a configuration file does. The
provider answers from memory and reports its usage; rows go to records in memory. Variants are interleaved; each sample
is the median of batches that are long enough for the writing of rows to be in them.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.chain import median_us, request
from benchmarks.harness import machine, metering, payloads, report, targets
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.context import Client
from sentinel_core.gateway import Gateway

LIMIT_US = 60.0
"""What authentication, limits, budget and usage may add together."""

BATCH = 500
"""Long enough for rows to be written in each: they wait for others up to 10 ms."""

STAGES: Mapping[str, str] = {
    "nothing": "",
    "default": f"[stages.rate_limit]\nmax_requests = {metering.PLENTY}\n",
    "auth": metering.AUTH,
    "limits": metering.limits("upper_bound"),
    "usage": metering.USAGE,
    "four": metering.AUTH + metering.limits("upper_bound") + metering.USAGE,
    "counted": metering.AUTH + metering.limits("estimate") + metering.USAGE,
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
            opened[name] = await stack.enter_async_context(
                Gateway.load(path, environ={metering.KEY_VARIABLE: metering.KEY})
            )
        yield opened


async def measure(gateway: Gateway, seconds: float) -> Metrics:
    """One variant: a unary exchange."""
    wanted = request(stream=False)
    client = Client("127.0.0.1", metering.HEADERS, "/v1/chat/completions")

    async def exchange() -> None:
        async with gateway.open(gateway.context(wanted, client=client)):
            pass
        await asyncio.sleep(0)  # whoever writes behind the request gets its turn, and is counted

    await exchange()  # the first count reads an encoding
    return {"exchange_us": await median_us(exchange, BATCH, seconds)}


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
        added = out.results["four"]["added_us"]
        out.checks.append(report.at_most("us that the four together add to an exchange", added, LIMIT_US))


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
