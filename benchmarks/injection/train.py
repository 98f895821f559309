"""Makes the weights: `python -m benchmarks.injection.train --wheels DIR` writes `model.json` of the stage.

The same wheels and the same seed give the same file; it takes some minutes on one core and opens no connection.
"""

from __future__ import annotations

import argparse
import math
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter

import msgspec
import numpy as np

from benchmarks.injection import requests
from benchmarks.injection.features import Vocabulary, design, vocabulary
from benchmarks.injection.fit import fit
from benchmarks.injection.requests import Asked
from benchmarks.injection.samples import WHOLE, WINDOWS, Sample, misread, samples, wholes
from benchmarks.injection.split import Split, split
from benchmarks.injection.wheels import Wheels
from sentinel_plugins.injection import model as shipped
from sentinel_plugins.injection.model import Model, Weights, Window
from sentinel_plugins.injection.rules import shipped_rules
from sentinel_plugins.injection.views import folded
from sentinel_plugins.injection.words import words_of

STARTED = perf_counter()
SEED = 20_261_128
SCALE = 1_000
PENALTY = 2.0
STEPS = 50
SMALLEST = 0.02
"""Weights below this are left out of the file."""
FLAGGED = 16 / 2_481
"""The share of benign requests of the tune split above the threshold. Where 16 of 2,481 are flagged, the true share is
below 1 % with a confidence of 95 % (Clopper and Pearson)."""
FLAGGED_LONG = 5 / 2_481
"""The part of it that long texts may use up."""


def main() -> None:
    """Train, set the threshold, write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--to", type=Path, default=Path(shipped.__file__).with_name(shipped.FILE))
    arguments = parser.parse_args()
    texts = split(Wheels(arguments.wheels))
    _say(f"{len(texts.train)} texts to train on, {len(texts.tune)} to tune, {len(texts.test)} to test")
    weights = _with_threshold(_trained(texts), texts)
    arguments.to.write_bytes(msgspec.json.format(msgspec.json.encode(weights), indent=0) + b"\n")
    _say(f"{arguments.to}: {arguments.to.stat().st_size} bytes")


def _trained(texts: Split) -> Weights:
    """Twice: the second time with what the first model misread, and of long attacks only what it found likeliest."""
    rows = list(samples(texts.train, random.Random(SEED)))
    known = vocabulary(wholes(texts.train))
    found = _fitted(rows, known)
    first = Model(_written(known, found))
    more = list(misread(texts.train, lambda words: first.read(words).score))
    _say(f"{len(more)} windows were misread")
    rows = [*_likeliest(rows, lambda words: first.read(words).score), *more]
    return _written(known, _fitted(rows, known, found))


def _fitted(rows: Sequence[Sample], known: Vocabulary, start: np.ndarray | None = None) -> np.ndarray:
    matrix = design([row.words for row in rows], known)
    _say(f"{len(rows)} windows, {known.size} features")
    attack = np.array([row.attack for row in rows], dtype=float)
    weight = np.array([row.weight for row in rows])
    found = fit(matrix, attack, weight, penalty=PENALTY, steps=STEPS, start=start)
    _say("fitted")
    return found


def _likeliest(rows: Sequence[Sample], score: Callable[[Sequence[str]], float]) -> Iterator[Sample]:
    """Of an attack in several windows the likeliest one, with all its weight; every other sample as it is."""
    for _, group in groupby(rows, key=lambda row: (row.text, row.attack)):
        windows = list(group)
        if not windows[0].attack or len(windows) == 1:
            yield from windows
        else:
            likeliest = max(windows, key=lambda row: score(row.words))
            yield likeliest._replace(weight=sum(row.weight for row in windows))


def _written(known: Vocabulary, found: np.ndarray) -> Weights:
    """The weights as whole numbers; those of a known word's pieces are added to its own."""
    unit = np.rint(np.where(np.abs(found) < SMALLEST, 0, found) * SCALE).astype(int).tolist()
    words = sorted(known.words)
    number = {word: place for place, word in enumerate(words, start=1)}
    whole = [sum(unit[column] for column in known.of_word(word)) for word in words]
    return Weights(
        scale=SCALE,
        bias=round(float(found[-1]), 4),
        whole=WHOLE,
        windows=tuple(Window(size, stride) for size, stride in WINDOWS),
        words=tuple(words),
        word_weights=tuple(whole),
        grams={gram: unit[column] for gram, column in known.grams.items() if unit[column]},
        pairs=tuple((number[a], number[b], unit[at]) for (a, b), at in known.pairs.items() if unit[at]),
        skips=tuple((number[a], number[b], unit[at]) for (a, b), at in known.skips.items() if unit[at]),
    )


def _with_threshold(weights: Weights, texts: Split) -> Weights:
    """The same weights with the bias, and what windows take off, such that the threshold of the tune split is at 0.5.

    The benign requests that may be flagged are first those whose text is long, `FLAGGED_LONG` of all, then short ones.
    """
    asked = requests.benign(texts.tune, random.Random(SEED))
    model = Model(weights)
    read = [_logits(model, request) for request in asked]
    long = sorted((logit for _, logit in read), reverse=True)[int(FLAGGED_LONG * len(read))]
    flagged = sum(logit > long for _, logit in read)
    short = sorted((logit for logit, _ in read), reverse=True)[int(FLAGGED * len(read)) - flagged]
    by_rule = sum(shipped_rules().first(*_folded(text)) is not None for request in asked for text in request.texts)
    _say(f"tune: {len(asked)} benign requests, thresholds {short:.2f} and {long:.2f}, {by_rule} texts by a rule")
    return msgspec.structs.replace(
        weights,
        bias=round(weights.bias - short - 1e-4, 4),
        windows=tuple(Window(size, stride, round(max(0.0, long - short), 4)) for size, stride in WINDOWS),
    )


def _logits(model: Model, request: Asked) -> tuple[float, float]:
    """The highest of a request's short texts, and of its long ones."""
    found = [-math.inf, -math.inf]
    for text in request.texts:
        words = words_of(folded(text))
        score = min(max(model.read(words).score, 1e-12), 1 - 1e-12)
        is_long = len(words) > WHOLE
        found[is_long] = max(found[is_long], math.log(score / (1 - score)))
    return found[0], found[1]


def _folded(text: str) -> tuple[str, list[str]]:
    return folded(text), words_of(folded(text))


def _say(text: str) -> None:
    print(f"{perf_counter() - STARTED:6.1f} s  {text}", file=sys.stderr)


if __name__ == "__main__":
    main()
