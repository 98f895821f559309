"""What authentication, limits, a budget and the ledger add to an exchange in the chain, without a server around it.

`limits` has limits of requests, tokens and places, and a budget; `four` is all of it together, with prompts reserved
by their bytes, `counted` the same by the tokenizer, which knows the texts from the exchange before, `default` what a
gateway without a configuration file does; `four sqlite` keeps its ledger in SQLite, `four redis` its state in one
Redis and its ledger in another. The provider answers from memory and reports its usage.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping

from benchmarks.harness import metering, payloads
from benchmarks.harness.in_process import gateways, median_us, request
from benchmarks.harness.rounds import Metrics, Samples, interleave
from sentinel_core.context import Client
from sentinel_core.gateway import Gateway

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
        '[records]\nkind = "redis"\nurl = { env = "RECORDS_URL" }\nspool = "{folder}/spool"\n'
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


async def in_the_chain(rounds: int, seconds: float, urls: Mapping[str, str]) -> Samples:
    """All variants, interleaved: `exchange_us`, the time of one exchange after the other, a median of batches that are
    long enough for the writing of rows to be in them; `cpu_us`, the processor time of all threads with `AT_ONCE`
    exchanges at a time."""
    files = {"prices.toml": PRICES.format(model=payloads.MODEL)}
    async with gateways(variants(urls), {metering.KEY_VARIABLE: metering.KEY, **urls}, files) as opened:
        return await interleave(list(opened), rounds, lambda name: measure(opened[name], seconds))


def added(samples: Samples) -> dict[str, dict[str, float]]:
    """What each adds to a chain without stages, round by round: machines may be twice as fast in the next."""
    found = {}
    for name, rows in samples.items():
        pairs = [*zip(rows, samples["nothing"], strict=True)]
        found[name] = {
            f"added_{metric}": statistics.median([own[metric] - base[metric] for own, base in pairs])
            for metric in ("exchange_us", "cpu_us")
        }
    return found
