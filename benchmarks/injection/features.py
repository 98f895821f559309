"""From windows to numbers: which words, pieces and pairs there are, and a sparse matrix of them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple, TypeAlias

import numpy as np

from sentinel_plugins.injection.words import grams_of

Pair: TypeAlias = tuple[str, str]
AT_LEAST = {"words": 5, "grams": 15, "pairs": 6, "skips": 8}
"""In how many texts a feature must stand to be learned: what stands in few says who wrote them, and could be read out
of the file."""
LONGEST_WORD = 20
"""Characters of a word that is learned. What is longer is a clause of a language without spaces, or nobody's word."""


class Vocabulary(NamedTuple):
    """The column of every feature."""

    words: Mapping[str, int]
    grams: Mapping[str, int]
    pairs: Mapping[Pair, int]
    skips: Mapping[Pair, int]

    @property
    def size(self) -> int:
        """How many columns there are."""
        return len(self.words) + len(self.grams) + len(self.pairs) + len(self.skips)

    def of_word(self, word: str) -> list[int]:
        """The columns of a word: its own, if it is learned, and those of its pieces."""
        own = [self.words[word]] if word in self.words else []
        return own + [self.grams[gram] for gram in grams_of(word) if gram in self.grams]


class Matrix(NamedTuple):
    """Rows of a sparse matrix one after the other: `starts[i]` is where row i begins in `columns` and `values`."""

    columns: np.ndarray
    values: np.ndarray
    starts: np.ndarray
    width: int

    def times(self, weights: np.ndarray) -> np.ndarray:
        """The product with a vector."""
        sums = np.concatenate(([0.0], np.cumsum(self.values * weights[self.columns])))
        product: np.ndarray = sums[self.starts[1:]] - sums[self.starts[:-1]]
        return product

    def transposed_times(self, rows: np.ndarray) -> np.ndarray:
        """The product of its transpose with a vector."""
        spread = np.repeat(rows, np.diff(self.starts))
        return np.bincount(self.columns, weights=self.values * spread, minlength=self.width)


class Design(NamedTuple):
    """The matrix of all windows as a product: `windows` holds words and pairs, `words` what each word consists of.

    Words come often and their pieces are always the same, so the product is a third of the work of the whole matrix.
    """

    windows: Matrix
    words: Matrix

    @property
    def width(self) -> int:
        """Columns of the whole matrix."""
        return self.words.width + self.windows.width - self._types

    @property
    def _types(self) -> int:
        return len(self.words.starts) - 1

    def times(self, weights: np.ndarray) -> np.ndarray:
        """The product with a vector."""
        alone, paired = weights[: self.words.width], weights[self.words.width :]
        return self.windows.times(np.concatenate((self.words.times(alone), paired)))

    def transposed_times(self, rows: np.ndarray) -> np.ndarray:
        """The product of its transpose with a vector."""
        found = self.windows.transposed_times(rows)
        return np.concatenate((self.words.transposed_times(found[: self._types]), found[self._types :]))


def vocabulary(texts: Iterable[Sequence[str]]) -> Vocabulary:
    """What occurs in enough texts to be learned. Pairs are of words that are learned themselves."""
    counts: dict[str, Counter[str]] = {"words": Counter(), "grams": Counter()}
    pairs: dict[str, Counter[Pair]] = {"pairs": Counter(), "skips": Counter()}
    for text in texts:
        counts["words"].update({word for word in text if len(word) <= LONGEST_WORD})
        counts["grams"].update({gram for word in set(text) for gram in grams_of(word)})
        pairs["pairs"].update(set(pairwise(text)))
        pairs["skips"].update(set(zip(text, text[2:], strict=False)))
    words = sorted(word for word, count in counts["words"].items() if count >= AT_LEAST["words"])
    grams = sorted(gram for gram, count in counts["grams"].items() if count >= AT_LEAST["grams"])
    known = set(words)
    both = [
        sorted(pair for pair, count in pairs[kind].items() if count >= AT_LEAST[kind] and known.issuperset(pair))
        for kind in ("pairs", "skips")
    ]
    at = [0, len(words), len(words) + len(grams), len(words) + len(grams) + len(both[0])]
    return Vocabulary(
        {word: at[0] + number for number, word in enumerate(words)},
        {gram: at[1] + number for number, gram in enumerate(grams)},
        {pair: at[2] + number for number, pair in enumerate(both[0])},
        {pair: at[3] + number for number, pair in enumerate(both[1])},
    )


def design(windows: Sequence[Sequence[str]], known: Vocabulary) -> Design:
    """One row a window: how often each feature is there, over the root of the number of words."""
    types = {word: number for number, word in enumerate(sorted({word for window in windows for word in window}))}
    apart = len(types) - len(known.words) - len(known.grams)  # how far the columns of pairs move
    rows: list[Counter[int]] = []
    for window in windows:
        row = Counter(types[word] for word in window)
        row.update(known.pairs[pair] + apart for pair in pairwise(window) if pair in known.pairs)
        row.update(known.skips[pair] + apart for pair in zip(window, window[2:], strict=False) if pair in known.skips)
        rows.append(row)
    scales = [1 / math.sqrt(len(window)) for window in windows]
    words = [Counter(known.of_word(word)) for word in types]
    return Design(
        _matrix(rows, scales, known.size + apart),
        _matrix(words, [1.0] * len(words), len(known.words) + len(known.grams)),
    )


def _matrix(rows: Sequence[Counter[int]], scales: Sequence[float], width: int) -> Matrix:
    columns = np.fromiter((column for row in rows for column in row), dtype=np.int32)
    counts = np.fromiter((count for row in rows for count in row.values()), dtype=float)
    starts = np.concatenate(([0], np.cumsum([len(row) for row in rows])))
    return Matrix(columns, counts * np.repeat(scales, np.diff(starts)), starts, width)
