"""How well the shipped weights and rules do: `python -m benchmarks.injection.evaluate --wheels DIR` prints the table.

One row a set, none averaged with another. What was reserved for acceptance is read here and nowhere learned from.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from time import process_time

import msgspec

from benchmarks.injection import corpora, requests
from benchmarks.injection.corpora import Text
from benchmarks.injection.requests import Asked
from benchmarks.injection.split import Split, split
from benchmarks.injection.wheels import Wheels
from sentinel_plugins.injection.model import Model, Weights, shipped_model
from sentinel_plugins.injection.rules import shipped_rules
from sentinel_plugins.injection.scorer import Scorer

THRESHOLDS = (0.5, 0.7, 0.9)
SEED = 7


def main() -> None:
    """Print the table as Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="another file than the shipped one")
    parser.add_argument("--part", choices=("tune", "test"), default="test")
    arguments = parser.parse_args()
    texts = split(Wheels(arguments.wheels))
    scorer = Scorer(_model(arguments.weights), shipped_rules())
    print("| set | requests | " + " | ".join(f"≥ {threshold}" for threshold in THRESHOLDS) + " |")
    print("| --- | ---: | " + " | ".join("---:" for _ in THRESHOLDS) + " |")
    for name, asked in _sets(texts, arguments.part):
        _row(scorer, name, asked)
    print("\n| µs of CPU per KB | |\n| --- | ---: |")
    for kind, some in groupby(sorted((t for t in texts.test if not t.attack), key=_source), key=_source):
        print(f"| {kind} | {_speed(scorer, [text.text[:4_096] for text in some][:60]):.0f} |")


def _model(path: Path | None) -> Model:
    if path is None:
        return shipped_model()
    return Model(msgspec.json.decode(path.read_bytes(), type=Weights))


def _sets(texts: Split, part: str) -> Iterator[tuple[str, list[Asked]]]:
    mine = texts.test if part == "test" else texts.tune
    dice = random.Random(SEED)
    attacks, benign = requests.attacks(mine), requests.benign(mine, dice)
    yield "**in distribution: attacks**", attacks
    yield from _by_kind("attacks: ", attacks)
    yield "attacks hidden in documents and tool results", requests.hidden(mine, dice)
    yield "**in distribution: benign**", [one for one in benign if one.kind != corpora.TALK]
    yield from _by_kind("benign: ", benign)
    if part == "test":
        yield from _by_kind("reserved, attacks: ", requests.attacks(texts.reserved))
        yield from _by_kind("reserved, benign: ", [Asked([t.text], t.source) for t in texts.reserved if not t.attack])


def _by_kind(title: str, asked: Iterable[Asked]) -> Iterator[tuple[str, list[Asked]]]:
    for kind, group in groupby(sorted(asked, key=lambda one: one.kind), key=lambda one: one.kind):
        yield title + kind, list(group)


def _source(text: Text) -> str:
    return text.source


def _row(scorer: Scorer, name: str, asked: Sequence[Asked]) -> None:
    scores = [max(scorer.score(text).value for text in request.texts) for request in asked]
    shares = [sum(score >= threshold for score in scores) / len(scores) for threshold in THRESHOLDS]
    print(f"| {name} | {len(asked):,} | " + " | ".join(f"{share:.1%}" for share in shares) + " |", flush=True)


def _speed(scorer: Scorer, texts: Sequence[str]) -> float:
    """Microseconds of CPU per 1,024 characters, the fastest of three rounds."""
    rounds = []
    for _ in range(3):
        started = process_time()
        for text in texts:
            scorer.score(text)
        rounds.append(process_time() - started)
    return min(rounds) * 1e6 / (sum(map(len, texts)) / 1_024)


if __name__ == "__main__":
    main()
