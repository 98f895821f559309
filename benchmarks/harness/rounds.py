"""Interleaved rounds: A B C, A B C, ... so that a busy machine is busy for all of them. Ratios are taken per round."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

Metrics = Mapping[str, float]
Samples = dict[str, list[Metrics]]
"""Per target, the metrics of each round, in order."""


@dataclass(frozen=True, slots=True)
class Ratio:
    """How one target's metric compares with another's in the same round: the median over rounds, and the extremes."""

    of: str
    to: str
    metric: str
    median: float
    lowest: float
    highest: float


async def interleave(targets: Sequence[str], rounds: int, measure: Callable[[str], Awaitable[Metrics]]) -> Samples:
    """Measure every target once per round. Each round starts with another target: none always follows the same one."""
    samples: Samples = {name: [] for name in targets}
    for number in range(rounds):
        shift = number % len(targets)
        for name in (*targets[shift:], *targets[:shift]):
            metrics = await measure(name)
            samples[name].append(metrics)
            shown = " ".join(f"{key}={value:.4g}" for key, value in metrics.items())
            print(f"round {number + 1}/{rounds} {name:<28} {shown}", file=sys.stderr, flush=True)
    return samples


def medians(samples: Samples) -> dict[str, dict[str, float]]:
    """Per target and metric, the median over the rounds."""
    return {
        name: {metric: statistics.median(row[metric] for row in rows) for metric in rows[0]}
        for name, rows in samples.items()
        if rows
    }


def ratio(samples: Samples, of: str, to: str, metric: str) -> Ratio:
    """The ratio `of` / `to` of one metric."""
    values = [a[metric] / b[metric] for a, b in zip(samples[of], samples[to], strict=True)]
    return Ratio(of, to, metric, statistics.median(values), min(values), max(values))
