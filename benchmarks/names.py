"""What it costs to look for names and places: KB a second, and how late the event loop is while processes read.

    python -m benchmarks.names [--quick] [--check] [--workers 1] > names.json

`idle`: nothing is asked, for comparison. `busy`: more is asked than can be read, 8 KB at a time, every text a new one;
texts are cut, hashed and sent on the loop, as the stage does it. `known`: a text that was read before, over and over,
without a pause. `sentence`: one sentence at a time, as a stream asks. A tick every 2 ms tells how late the loop is.
Needs the extra `pii`. Target: 99 of 100 ticks are at most 5 ms late while the processes are busy.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from itertools import count
from typing import Final

from benchmarks.harness import report
from benchmarks.harness.rounds import Metrics, interleave
from sentinel_core.counts import Counts
from sentinel_core.messages import TextSlot
from sentinel_plugins.pii.config import PiiConfig
from sentinel_plugins.pii.names.config import NerConfig
from sentinel_plugins.pii.names.reading import Reading
from sentinel_plugins.pii.names.recogniser import Recogniser, SegmentCounts

KB: Final = 1024
TEXT_KB: Final = 8
ASKING: Final = 4
TICK_S: Final = 0.002
LAG_LIMIT_MS: Final = 5.0
SENTENCES: Final = (
    "Please tell Maria Garcia that order {} will not reach Chicago before Friday. ",
    "The report of last week says {} times that nobody has read it yet, which is not quite true. ",
    "In room {} the meeting with John Smith from Berlin begins at nine, and he brings the drafts. ",
    "When the pump of line {} fails again, switch it off, wait for a minute and write down what it shows. ",
)

numbers = count()


def text(kilobytes: int) -> str:
    """So many KB that nobody has read before."""
    parts: list[str] = []
    while sum(map(len, parts)) < kilobytes * KB:
        parts.append(SENTENCES[len(parts) % len(SENTENCES)].format(next(numbers)))
    return "".join(parts)[: kilobytes * KB]


class Ticks:
    """How late a timer of the loop is, over and over."""

    def __init__(self) -> None:
        self.late_ms: list[float] = []

    async def run(self) -> None:
        while True:
            due = time.perf_counter() + TICK_S
            await asyncio.sleep(TICK_S)
            self.late_ms.append((time.perf_counter() - due) * 1e3)

    def share(self, of: float) -> float:
        """The lateness that this share of ticks does not exceed."""
        ordered = sorted(self.late_ms)
        return ordered[min(len(ordered) - 1, int(of * len(ordered)))]


class Bench:
    """One open recogniser, asked in several ways."""

    def __init__(self, recogniser: Recogniser, executor: ThreadPoolExecutor, seconds: float) -> None:
        self._recogniser = recogniser
        self._executor = executor
        self._seconds = seconds
        self._again = [text(TEXT_KB) for _ in range(ASKING)]

    async def measure(self, name: str) -> Metrics:
        """One round of one way."""
        way: Callable[[int], Awaitable[int]] = getattr(self, f"_{name}")
        ticks = Ticks()
        ticking = asyncio.create_task(ticks.run())
        started = time.perf_counter()
        asking = 1 if name in ("sentence", "known") else ASKING
        done = await asyncio.gather(*(self._over_and_over(way, number) for number in range(asking)))
        chars, calls = sum(each for each, _ in done), sum(each for _, each in done)
        took = time.perf_counter() - started
        ticking.cancel()
        metrics = {"lag_p50_ms": ticks.share(0.5), "lag_p99_ms": ticks.share(0.99)}
        if chars:
            metrics |= {"kb_per_s": chars / KB / took, "call_ms": asking * took / calls * 1e3}
        return metrics

    async def _over_and_over(self, way: Callable[[int], Awaitable[int]], number: int) -> tuple[int, int]:
        until = time.perf_counter() + self._seconds
        chars = calls = 0
        while time.perf_counter() < until:
            chars += await way(number)
            calls += 1
        return chars, calls

    async def _read(self, what: str) -> int:
        reading = Reading(self._recogniser, self._executor)
        await reading.read((TextSlot(("messages", 0, "content"), what, "user", "content"),))
        return len(what)

    async def _idle(self, number: int) -> int:
        await asyncio.sleep(0.05)
        return 0

    async def _busy(self, number: int) -> int:
        return await self._read(text(TEXT_KB))

    async def _known(self, number: int) -> int:
        read = await self._read(self._again[number])
        await asyncio.sleep(0)
        return read

    async def _sentence(self, number: int) -> int:
        return await self._read(SENTENCES[0].format(next(numbers)))


def compare(results: Mapping[str, Mapping[str, float]]) -> list[report.Check]:
    """With the target."""
    return [report.at_most("busy: the loop's lag, p99 in ms", results["busy"]["lag_p99_ms"], LAG_LIMIT_MS)]


async def run(rounds: int, seconds: float, workers: int) -> dict[str, list[Metrics]]:
    """Every way, in interleaved rounds."""
    ner = NerConfig(workers=workers, max_waiting_chars=10_000_000, deadline_s=600)
    config = PiiConfig(names=True, places=True, ner=ner)
    async with AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(2))
        recogniser = await stack.enter_async_context(Recogniser.opened(config, SegmentCounts(Counts())))
        bench = Bench(recogniser, executor, seconds)
        return await interleave(("idle", "busy", "known", "sentence"), rounds, bench.measure)


def main() -> None:
    """The command line."""
    parser = report.arguments(__doc__, rounds=5, seconds=4.0)
    parser.add_argument("--workers", type=int, default=1, help="processes that recognise")
    args = report.parse(parser)
    out = report.Report("names", vars(args))
    out.add(asyncio.run(run(args.rounds, args.seconds, args.workers)))
    if args.check:
        out.checks = compare(out.results)
    out.emit()


if __name__ == "__main__":
    main()
