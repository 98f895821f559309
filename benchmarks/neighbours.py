"""How long quiet tenants wait for answers while a noisy one sends fifty times what it may (L05).

    python -m benchmarks.neighbours [--runner uvicorn] [--quick] [--check] > neighbours.json

20 tenants send 4 requests a second each, at fixed times whether or not earlier ones were answered; each tenant may
have 5 a second. `alone` is that; in `beside` another one, with the same limit, sends 250 a second as well. A wait
counts from the time at which a request was due. Target: the slowest hundredth beside it waits at most 1.2 times what it
waits alone, in the same round, and none of the quiet is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import perf_counter

import aiohttp
import uvloop

from benchmarks.harness import payloads, report, targets
from benchmarks.harness.lab import lab
from benchmarks.harness.processes import Server
from benchmarks.harness.rounds import Metrics, Samples, interleave, ratio
from benchmarks.harness.unary import LoadError

QUIET, QUIET_PER_S = 20, 4
NOISY_PER_S = 50 * targets.NEIGHBOUR_PER_S
LIMIT = 1.2
TIMEOUT = aiohttp.ClientTimeout(total=10)


async def measure(server: Server, seconds: float, *, noise: bool) -> Metrics:
    """One round: every tenant's requests, evenly spread over its time."""
    started = perf_counter() + 0.1
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=TIMEOUT) as session:

        async def tenant(name: str, per_s: float, first: float) -> list[tuple[float, int]]:
            sent = []
            for number in range(int(seconds * per_s)):
                due = started + first + number / per_s
                await asyncio.sleep(max(0.0, due - perf_counter()))
                sent.append(asyncio.ensure_future(ask(session, server, name, due)))
            return await asyncio.gather(*sent)

        quiet = [tenant(f"quiet{number}", QUIET_PER_S, number / QUIET / QUIET_PER_S) for number in range(QUIET)]
        noisy = [tenant("noisy", NOISY_PER_S, 0.0)] if noise else []
        answers = await asyncio.gather(*quiet, *noisy)
    waits = sorted(wait for one in answers[:QUIET] for wait, _ in one)
    refused = sum(status == 429 for one in answers[:QUIET] for _, status in one)
    found = {"p50_ms": waits[len(waits) // 2] * 1e3, "p99_ms": waits[len(waits) * 99 // 100] * 1e3, "refused": refused}
    return {**found, "refused_noisy": sum(status == 429 for one in answers[QUIET:] for _, status in one)}


async def ask(session: aiohttp.ClientSession, server: Server, tenant: str, due: float) -> tuple[float, int]:
    """How long after it was due one request was answered, and with which status. Raises `LoadError`."""
    url = f"http://127.0.0.1:{server.port}{payloads.PATH}"
    headers = {**payloads.HEADERS, "authorization": f"Bearer {targets.neighbour_key(tenant)}"}
    async with session.post(url, data=payloads.request_body(), headers=headers) as response:
        body = await response.read()
    if response.status not in (200, 429):
        raise LoadError(f"answer is {response.status}: {body[:500]!r}")
    return perf_counter() - due, response.status


async def run(servers: Mapping[str, Server], rounds: int, seconds: float) -> Samples:
    """All rounds, on one gateway; a second before the first one is not counted."""
    server = servers["neighbours"]
    await measure(server, 1.0, noise=True)
    return await interleave(["alone", "beside"], rounds, lambda name: measure(server, seconds, noise=name == "beside"))


def main() -> None:
    parser = report.arguments(__doc__, rounds=6, seconds=10.0)
    parser.add_argument("--runner", choices=targets.RUNNERS, default="uvicorn")
    args = report.parse(parser)
    out = report.Report("neighbours", vars(args))
    names = [*(f"quiet{number}" for number in range(QUIET)), "noisy"]
    with lab([targets.neighbours(args.runner, names)]) as servers:
        samples = uvloop.run(run(servers, args.rounds, args.seconds))
    out.add(samples)
    out.ratios.append(ratio(samples, "beside", "alone", "p99_ms"))
    if args.check:
        name = "wait of the slowest hundredth beside a noisy tenant, against alone"
        out.checks.append(report.at_most(name, out.ratios[0].median, LIMIT))
        refused = sum(row["refused"] for rows in samples.values() for row in rows)
        out.checks.append(report.at_most("requests of quiet tenants that were refused", refused, 0))
    out.emit()


if __name__ == "__main__":
    main()
