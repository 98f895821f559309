"""Microseconds that authentication, limits, a budget and the ledger add to an exchange, in process.

    python -m benchmarks.admission [--quick] [--check] > admission.json

`limits` has limits of requests, tokens and places, and a budget; `four` is all of it together, with prompts reserved
by their bytes, `counted` the same by the tokenizer, `default` what a gateway without a configuration file does; `four
sqlite` keeps its ledger in SQLite, `four redis` its state in one Redis and its ledger in another. The provider answers
from memory and reports its usage. Variants are interleaved. `exchange_us` is the time of one exchange after the other,
a median of batches that are long enough for the writing of rows to be in them; `cpu_us` is the processor time of all
threads with 32 exchanges at a time.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

import uvloop

from benchmarks.harness import machine, metering, payloads, report
from benchmarks.harness.in_process import gateways, median_us, request
from benchmarks.harness.rounds import Metrics, Samples, interleave
from benchmarks.state import redis
from sentinel_core.context import Client
from sentinel_core.gateway import Gateway
from tests.redis.binaries import BINARIES, MISSING  # the tests know where servers are, and start them

LIMIT_US, REDIS_LIMIT_US = 60.0, 200.0
"""What authentication, limits, budget and usage may add together: time in memory, processor time on Redis."""

AT_ONCE = 32

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
STORES: Mapping[str, str] = {
    "four sqlite": '[records]\nkind = "sqlite"\npath = "{folder}/records.db"\n',
    "four redis": (
        '[state]\nkind = "redis"\nurl = { env = "STATE_URL" }\n'
        '[records]\nkind = "redis"\nurl = { env = "RECORDS_URL" }\n'
    ),
}
"""Where `four` keeps what it knows; else that is in memory."""
CATALOGUE = '\n[catalogue]\nfile = "prices.toml"\n'
PRICES = '[[models]]\nid = "bench_null/{model}"\nprovider = "bench_null"\ninput_usd = 2.5\noutput_usd = 10.0\n'


def variants(urls: Mapping[str, str]) -> Mapping[str, str]:
    """The tables of each; without URLs, none on Redis."""
    stores = {name: tables + STAGES["four"] for name, tables in STORES.items() if urls or name != "four redis"}
    return {name: tables + CATALOGUE for name, tables in {**STAGES, **stores}.items()}


async def measure(gateway: Gateway, seconds: float) -> Metrics:
    """One variant: a unary exchange."""
    wanted = request(stream=False)
    client = Client("127.0.0.1", metering.HEADERS, "/v1/chat/completions")

    async def exchange() -> None:
        async with gateway.open(gateway.context(wanted, client=client)):
            pass
        await asyncio.sleep(0)  # whoever writes behind the request gets its turn, and is counted

    await exchange()  # the first count reads an encoding
    return {"exchange_us": await median_us(exchange, BATCH, seconds / 2), "cpu_us": await cpu_us(exchange, seconds / 2)}


async def cpu_us(exchange: Callable[[], Awaitable[None]], seconds: float) -> float:
    """Processor time of an exchange, with `AT_ONCE` of them at a time."""

    async def work() -> int:
        done = 0
        while time.perf_counter() < until:
            await exchange()
            done += 1
        return done

    began, until = time.process_time(), time.perf_counter() + seconds
    done = sum(await asyncio.gather(*(work() for _ in range(AT_ONCE))))
    return (time.process_time() - began) / done * 1e6


async def run(rounds: int, seconds: float, urls: Mapping[str, str]) -> Samples:
    """All variants, interleaved."""
    files = {"prices.toml": PRICES.format(model=payloads.MODEL)}
    async with gateways(variants(urls), {metering.KEY_VARIABLE: metering.KEY, **urls}, files) as opened:
        return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def summarise(out: report.Report, *, check: bool) -> None:
    """What each variant adds to a chain without stages, round by round: machines may be twice as fast in the next."""
    for name, row in out.results.items():
        pairs = [*zip(out.rounds[name], out.rounds["nothing"], strict=True)]
        row["added_us"] = statistics.median([own["exchange_us"] - base["exchange_us"] for own, base in pairs])
        row["added_cpu_us"] = statistics.median([own["cpu_us"] - base["cpu_us"] for own, base in pairs])
    if check:
        added = out.results["four"]["added_us"]
        out.checks.append(report.at_most("us that the four together add to an exchange", added, LIMIT_US))
    if check and "four redis" in out.results:
        added = out.results["four redis"]["added_cpu_us"]
        out.checks.append(report.at_most("us of processor time that they add on Redis", added, REDIS_LIMIT_US))


def main() -> None:
    args = report.parse(report.arguments(__doc__, rounds=40, seconds=0.15))
    binary = next((path for path in BINARIES.values() if path), None)
    out = report.Report("admission", vars(args), skipped={} if binary is not None else {"four redis": MISSING})
    with redis(binary) as state, redis(binary) as records, machine.pinned(machine.cores().gateway):
        urls = {"STATE_URL": state.url, "RECORDS_URL": records.url} if state is not None and records is not None else {}
        out.add(uvloop.run(run(args.rounds, args.seconds, urls)))
    summarise(out, check=args.check)
    out.emit()


if __name__ == "__main__":
    main()
