"""Whether the time that a wrong key takes tells how nearly it is right: Welch's t over two kinds of guesses (Z18).

python -m benchmarks.key_timing [--quick] [--check] [--samples 100000] > key_timing.json

Both kinds name a key that is there. One shares its whole beginning, all but the last character; the other shares
nothing of the secret. They are presented in random order to the stage with its store in memory, and nobody else runs.
After dudect (Reparaz, Balasch, Verbauwhede, 2017): what takes longest is cut off, |t| below 4.5 shows no difference.
"""

from __future__ import annotations

import asyncio
import gc
import random
import secrets
import statistics
import string
from collections.abc import Sequence
from contextlib import suppress
from time import perf_counter_ns
from typing import Final

from benchmarks.harness import report
from benchmarks.harness.rounds import Metrics
from sentinel_core.config import Secret
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.testing import fake_services
from sentinel_plugins.auth import Auth, AuthConfig
from sentinel_plugins.auth.admin.key_shapes import NewKey

MAX_T: Final = 4.5
KEPT: Final = 0.9
"""The share of each kind that counts: the slowest are interruptions, which have no secret to tell."""
ALPHABET: Final = string.ascii_letters + string.digits
KINDS: Final = ("valid prefix", "random")


def guess(text: str, kind: str) -> str:
    """A wrong key of this kind."""
    head, secret = text[:-43], text[-43:]
    if kind == "random":
        return head + secrets.token_urlsafe(32)
    return head + secret[:-1] + random.choice([char for char in ALPHABET if char != secret[-1]])


async def measured(samples: int) -> dict[str, list[int]]:
    """Nanoseconds of each refusal, by the kind of guess."""
    config = AuthConfig(pepper=Secret("pepper-of-a-benchmark", "BENCHMARK"), max_failures_per_minute=10 * samples)
    async with fake_services() as services, Auth.open(config, services) as auth:
        assert auth.keys is not None
        _, text = await auth.keys.create(lambda *parts: NewKey().key("default", 0.0, *parts))
        found: dict[str, list[int]] = {kind: [] for kind in KINDS}
        kinds = random.choices(KINDS, k=2 * samples)
        clients = [Client("203.0.113.7", {"x-api-key": guess(text, kind)}) for kind in kinds]
        gc.disable()
        for number, (kind, client) in enumerate(zip(kinds, clients, strict=True)):
            began = perf_counter_ns()
            with suppress(Refusal):
                await auth.authenticate(client)
            took = perf_counter_ns() - began
            if number > samples // 10:  # what comes first warms up
                found[kind].append(took)
        gc.enable()
        return found


def cropped(times: Sequence[int]) -> list[int]:
    """Without the slowest."""
    return sorted(times)[: int(len(times) * KEPT)]


def welch(first: Sequence[int], second: Sequence[int]) -> float:
    """Welch's t."""
    spread = statistics.variance(first) / len(first) + statistics.variance(second) / len(second)
    return float((statistics.fmean(first) - statistics.fmean(second)) / spread**0.5)


def main() -> None:
    parser = report.arguments(__doc__)
    parser.add_argument("--samples", type=int, default=100_000, help="of each kind, in each round")
    args = report.parse(parser)
    samples = args.samples // 10 if args.quick else args.samples
    out = report.Report("key_timing", vars(args))
    rounds: list[Metrics] = []
    for _ in range(args.rounds):
        times = {kind: cropped(found) for kind, found in asyncio.run(measured(samples)).items()}
        row = {f"{kind}, median µs": statistics.median(found) / 1e3 for kind, found in times.items()}
        rounds.append({**row, "|t|": abs(welch(times[KINDS[0]], times[KINDS[1]]))})
    out.add({"guesses": rounds})
    if args.check:
        out.checks.append(report.at_most("|t| of a nearly right key", out.results["guesses"]["|t|"], MAX_T))
    out.emit()


if __name__ == "__main__":
    main()
