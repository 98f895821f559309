"""The classifier: logistic regression on words, their pieces, and pairs of words, over windows of a text.

Its weights are whole numbers in `model.json`, readable as they are. Whatever a word adds to the sum does not depend on
the other words of its window, so running sums give every window of every size in one pass over the text.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Container, Mapping, Sequence
from functools import cache
from importlib import resources
from itertools import accumulate
from operator import sub
from typing import Final, TypeAlias

import msgspec

from sentinel_plugins.injection.words import BEGIN, END, GRAM_SIZES

FILE: Final = "model.json"
_NOTHING: Final[Mapping[int, int]] = {}
REMEMBERED: Final = 32_768
"""Unknown words whose pieces are not looked up anew: what they add, 4 MiB of them."""


class Window(msgspec.Struct, frozen=True):
    """How many words are looked at together, how many further on the next look begins, and what is taken off.

    The likeliest of many windows is likelier than any one, the more so the smaller they are; and a window of a document
    has more reasons to sound like an order than a whole prompt.
    """

    words: int
    stride: int
    off: float = 0.0


class Weights(msgspec.Struct, frozen=True):
    """The file. Weights are in units of 1 / `scale`; a word's number is its place in `words`, counted from 1.

    A text of up to `whole` words is looked at as a whole, with its ends; a longer one through `windows`.

    A word's weight holds those of its pieces: only words that are not in the file are taken to pieces. `pairs` are
    words side by side, `skips` such with one word between them, as three numbers each: first, second, weight.
    """

    scale: int
    bias: float
    whole: int
    windows: tuple[Window, ...]
    words: tuple[str, ...]
    word_weights: tuple[int, ...]
    grams: dict[str, int]
    pairs: tuple[tuple[int, int, int], ...]
    skips: tuple[tuple[int, int, int], ...]


Word: TypeAlias = tuple[int, int, Mapping[int, int], Mapping[int, int]]
"""What is known of a word: its number, what it adds, and what those add that stand behind it and one word later, by
their numbers. A plain tuple: it is taken apart for every word of every text."""


class Reading(msgspec.Struct, frozen=True):
    """What the model makes of a text: its highest score from 0 to 1, and the share of words that it knows."""

    score: float
    known: float


class Model:
    """The weights, laid out for reading. It keeps no text."""

    def __init__(self, weights: Weights) -> None:
        self._scale = weights.scale
        self._bias = weights.bias
        self._whole = weights.whole
        self._windows = weights.windows
        numbered = enumerate(zip(weights.words, weights.word_weights, strict=True), start=1)
        pairs, skips = _by_first(weights.pairs), _by_first(weights.skips)
        self._words = {
            word: (number, weight, pairs.get(number, _NOTHING), skips.get(number, _NOTHING))
            for number, (word, weight) in numbered
        }
        self._stems = dict.fromkeys((gram[:3] for gram in weights.grams), 0)
        self._grams = {
            size: {gram: weight for gram, weight in weights.grams.items() if len(gram) == size} for size in GRAM_SIZES
        }
        self._stems |= self._grams[3]
        self._sums: dict[int, int] = {}

    @property
    def words(self) -> Collection[str]:
        """Those that it knows."""
        return self._words.keys()

    def known(self, words: Sequence[str]) -> float:
        """The share of words that it knows; a tenth of the work of reading them."""
        return share(words, self._words)

    def read(self, words: Sequence[str]) -> Reading:
        """The score of the likeliest window. Linear in the number of words."""
        if not words:
            return Reading(0.0, 1.0)
        is_whole = len(words) <= self._whole
        each, unknown = self._weights_of((BEGIN, *words, END) if is_whole else words)
        if is_whole:
            logit = sum(each) / (self._scale * math.sqrt(len(each)))
        else:
            sums = list(accumulate(each, initial=0))
            logit = max(self._highest(sums, window) - window.off for window in self._windows)
        return Reading(_sigmoid(logit + self._bias), 1 - unknown / len(words))

    def _weights_of(self, words: Sequence[str]) -> tuple[list[int], int]:
        """What each word adds, alone and with the two before it, and how many words are not known."""
        sums = self._sums
        each: list[int] = []
        beside = over = next_over = _NOTHING
        unknown = 0
        for word, row in zip(words, map(self._words.get, words), strict=True):
            if row is None:
                unknown += 1
                adds = sums.get(hash(word))
                each.append(adds if adds is not None else self._pieces(word))
                beside, over, next_over = _NOTHING, next_over, _NOTHING
                continue
            number, weight, after, later = row
            if number in beside:
                weight += beside[number]
            if number in over:
                weight += over[number]
            each.append(weight)
            beside, over, next_over = after, next_over, later
        return each, unknown

    def _pieces(self, word: str) -> int:
        """What an unknown word's pieces add. Those that are longer than three begin with one that is in `_stems`.

        Languages say the same words all the time, so it is remembered, under Python's own hash of the word: it is of 64
        bits and keyed (PEP 456), and the word itself is not kept.
        """
        stem, four, five = self._stems.get, self._grams[4].get, self._grams[5].get
        marked = f"<{word}>"
        total = 0
        for start in range(len(marked) - 2):
            weight = stem(marked[start : start + 3])
            if weight is not None:
                total += weight + four(marked[start : start + 4], 0) + five(marked[start : start + 5], 0)
        if len(self._sums) >= REMEMBERED:
            self._sums.clear()
        self._sums[hash(word)] = total
        return total

    def _highest(self, sums: Sequence[int], window: Window) -> float:
        """The logit of the likeliest window of one size, without the bias. The last one ends with the text."""
        count = len(sums) - 1
        size = min(window.words, count)
        starts, ends = sums[: count - size : window.stride], sums[size :: window.stride]
        best = max(map(sub, ends, starts), default=-math.inf)
        return max(best, sums[count] - sums[count - size]) / (self._scale * math.sqrt(size))


def share(words: Sequence[str], known: Container[str]) -> float:
    """How many of the words are known, from 0 to 1."""
    return sum(map(known.__contains__, words)) / len(words) if words else 0.0


def _by_first(rows: Sequence[tuple[int, int, int]]) -> Mapping[int, Mapping[int, int]]:
    after: dict[int, dict[int, int]] = {}
    for first, second, weight in rows:
        after.setdefault(first, {})[second] = weight
    return after


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-max(-60.0, min(60.0, logit))))


def weights_file() -> bytes:
    """The shipped weights, as they are in the package."""
    return resources.files(__package__).joinpath(FILE).read_bytes()


@cache
def shipped_model() -> Model:
    """The model of the package, read once per process."""
    return Model(msgspec.json.decode(weights_file(), type=Weights))
