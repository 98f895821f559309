"""What a benchmark prints: JSON on stdout for machines, a small table on stderr for people."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from benchmarks.harness import machine as here
from benchmarks.harness.rounds import Metrics, Ratio, Samples, medians


@dataclass(frozen=True, slots=True)
class Check:
    """One target of the project: a measured value and the limit that it must not pass."""

    name: str
    value: float
    limit: float
    passed: bool
    side: str = "at most"


def at_most(name: str, value: float, limit: float) -> Check:
    return Check(name, round(value, 3), limit, value <= limit)


def at_least(name: str, value: float, limit: float) -> Check:
    return Check(name, round(value, 3), limit, value >= limit, "at least")


@dataclass(slots=True)
class Report:
    """One run of one benchmark: where, what, with which arguments, and what came out."""

    benchmark: str
    arguments: Mapping[str, object]
    results: dict[str, dict[str, float]] = field(default_factory=dict)
    ratios: list[Ratio] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    rounds: Mapping[str, Sequence[Metrics]] = field(default_factory=dict)
    machine: here.Machine = field(default_factory=here.machine)
    commit: str = field(default_factory=here.commit)
    versions: dict[str, str] = field(default_factory=here.versions)

    def add(self, samples: Samples) -> None:
        """Take over the rounds of a run and their medians."""
        self.rounds = {**self.rounds, **samples}
        self.results.update(medians(samples))

    def emit(self) -> None:
        """Print it."""
        print(msgspec.json.format(msgspec.json.encode(self)).decode())
        print(self.table(), file=sys.stderr)

    def table(self) -> str:
        """The medians, then the ratios, then the checks."""
        lines = [f"{name:<32}" + _cells(row) for name, row in self.results.items()]
        lines += [
            f"{row.of} / {row.to}, {row.metric}: {row.median:.2f} ({row.lowest:.2f}-{row.highest:.2f})"
            for row in self.ratios
        ]
        lines += [
            f"{'pass' if row.passed else 'FAIL'}  {row.name}: {row.value:g}, {row.side} {row.limit:g}"
            for row in self.checks
        ]
        return "\n".join(lines + [f"skipped {name}: {why}" for name, why in self.skipped.items()])


def _cells(row: Mapping[str, float]) -> str:
    return "".join(f"  {metric} {value:>9.4g}" for metric, value in row.items())


def arguments(description: str | None, *, rounds: int = 5, seconds: float = 4.0) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks share."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=rounds)
    parser.add_argument("--seconds", type=float, default=seconds, help="per target and round")
    parser.add_argument("--quick", action="store_true", help="one short round: does it run, not how fast is it")
    parser.add_argument("--check", action="store_true", help="compare with the project's targets; result in the JSON")
    return parser


def parse(parser: argparse.ArgumentParser, *, quick_seconds: float = 1.0) -> argparse.Namespace:
    """The arguments, with `--quick` applied."""
    args = parser.parse_args()
    if args.quick:
        args.rounds, args.seconds = 1, min(args.seconds, quick_seconds)
    return args
