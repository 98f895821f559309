"""The classifier: logistic regression on words, their pieces, and pairs of words, over windows of a text.

Its weights are whole numbers in `model.json`, readable as they are. Whatever a word adds to the sum does not depend on
the other words of its window, so running sums give every window of every size in one pass over the text.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from sentinel_plugins.injection.words import BEGIN, END, grams_of

FILE: Final = "model.json"
FIRST: Final = 1 << 16
"""A pair of words is one number: `FIRST` times the first one's, plus the second one's."""


class Window(msgspec.Struct, frozen=True):
    """How many words are looked at together, and how many further on the next look begins."""

    words: int
    stride: int


class Weights(msgspec.Struct, frozen=True):
    """The file. Weights are in units of 1 / `scale`; a word's number is its place in `words`, counted from 1.

    `inside` is taken off for texts longer than the smallest window: the likeliest of many windows is likelier than any
    one, and a window of a document has more reasons to sound like an order than a whole prompt.

    A word's weight holds those of its pieces: only words that are not in the file are taken to pieces. `pairs` are
    words side by side, `skips` such with one word between them, as three numbers each: first, second, weight.
    """

    scale: int
    bias: float
    inside: float
    windows: tuple[Window, ...]
    words: tuple[str, ...]
    word_weights: tuple[int, ...]
    grams: dict[str, int]
    pairs: tuple[tuple[int, int, int], ...]
    skips: tuple[tuple[int, int, int], ...]


class Reading(NamedTuple):
    """What the model makes of a text: its highest score from 0 to 1, and the share of words that it knows."""

    score: float
    known: float


class Model:
    """The weights, laid out for reading. It keeps no text."""

    def __init__(self, weights: Weights) -> None:
        self._scale = weights.scale
        self._bias = weights.bias
        self._inside = weights.inside
        self._shortest = min(window.words for window in weights.windows)
        self._windows = weights.windows
        numbered = enumerate(zip(weights.words, weights.word_weights, strict=True), start=1)
        self._words = {word: (number, weight) for number, (word, weight) in numbered}
        self._grams = weights.grams
        self._pairs = _by_pair(weights.pairs)
        self._skips = _by_pair(weights.skips)

    def read(self, words: Sequence[str]) -> Reading:
        """The score of the likeliest window. Linear in the number of words."""
        if not words:
            return Reading(0.0, 1.0)
        is_short = len(words) <= self._shortest
        each, unknown = self._weights_of((BEGIN, *words, END) if is_short else words)
        sums = list(accumulate(each, initial=0))
        highest = max(self._highest(sums, window) for window in self._windows)
        bias = self._bias if is_short else self._bias - self._inside
        return Reading(_sigmoid(highest + bias), 1 - unknown / len(words))

    def _weights_of(self, words: Sequence[str]) -> tuple[list[int], int]:
        """What each word adds, alone and with the two before it, and how many words are not known."""
        known, pair, skip = self._words, self._pairs, self._skips
        made: dict[str, tuple[int, int]] = {}  # this text's unknown words, each taken to pieces once
        each: list[int] = []
        before = last = unknown = 0
        for word in words:
            found = known.get(word) or made.get(word)
            if found is None:
                found = made[word] = (0, self._pieces(word))
            number, weight = found
            if number:
                if last:
                    weight += pair.get(last + number, 0)
                if before:
                    weight += skip.get(before + number, 0)
            else:
                unknown += 1
            each.append(weight)
            before, last = last, number * FIRST
        return each, unknown

    def _pieces(self, word: str) -> int:
        get = self._grams.get
        return sum(get(gram, 0) for gram in grams_of(word))

    def _highest(self, sums: Sequence[int], window: Window) -> float:
        """The logit of the likeliest window of one size, without the bias. The last one ends with the text."""
        count = len(sums) - 1
        size = min(window.words, count)
        starts = range(0, count - size, window.stride)
        ends = sums[size :: window.stride]
        best = max((end - sums[start] for start, end in zip(starts, ends, strict=False)), default=-math.inf)
        return max(best, sums[count] - sums[count - size]) / (self._scale * math.sqrt(size))


def _by_pair(rows: Sequence[tuple[int, int, int]]) -> Mapping[int, int]:
    return {first * FIRST + second: weight for first, second, weight in rows}


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


def weights_file() -> bytes:
    """The shipped weights, as they are in the package."""
    return resources.files(__package__).joinpath(FILE).read_bytes()


@cache
def shipped_model() -> Model:
    """The model of the package, read once per process."""
    return Model(msgspec.json.decode(weights_file(), type=Weights))
