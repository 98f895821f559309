"""What the classifier learns from: windows of words, each with a label and a weight."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.injection.corpora import Text
from sentinel_plugins.injection.views import folded
from sentinel_plugins.injection.words import BEGIN, END, words_of

WINDOWS = ((64, 32), (24, 12))
"""Words and stride of the windows that a text is read through."""
MOST = 10
"""Windows of one size that one benign text gives at most."""
PLAIN = 0.3
"""The weight of a window of a longer benign text: most are nothing like an attack."""
WORST = 4
"""So many windows of one size of a benign text are learned once more, if a first model finds them ..."""
DOUBTFUL = 0.05
"""... at least so likely."""


class Sample(NamedTuple):
    """One window. `text` is the number of the text that it is of."""

    words: Sequence[str]
    attack: bool
    weight: float
    text: int


def samples(texts: Sequence[Text], dice: random.Random) -> Iterator[Sample]:
    """The windows of all texts, and attacks laid between the words of benign texts.

    Of a long attack nobody knows which windows are one: each is taken to be, with its share of the weight.
    """
    shortest = min(size for size, _ in WINDOWS)
    words = [_whole(words_of(folded(text.text)), shortest) for text in texts]
    for number, text in enumerate(texts):
        if text.attack:
            whole = _windows(words[number], *WINDOWS[0])
            for window in whole:
                yield Sample(window, True, 1 / len(whole), number)
        else:
            for size, stride in WINDOWS if len(words[number]) > shortest + 2 else WINDOWS[:1]:
                windows = _windows(words[number], size, stride)
                for window in windows if len(windows) <= MOST else dice.sample(windows, MOST):
                    yield Sample(window, False, 1.0 if len(words[number]) <= size else PLAIN, number)
    yield from _hidden(texts, words, dice)


def misread(texts: Sequence[Text], score: Callable[[Sequence[str]], float]) -> Iterator[Sample]:
    """Of every long benign text the windows that a first model takes for attacks, the worst ones."""
    for number, text in enumerate(texts):
        words = words_of(folded(text.text)) if not text.attack else []
        for size, stride in WINDOWS:
            if len(words) > size:
                found = sorted(((score(window), window) for window in _windows(words, size, stride)), reverse=True)
                yield from (Sample(window, False, 1.0, number) for bad, window in found[:WORST] if bad > DOUBTFUL)


def _whole(words: list[str], shortest: int) -> list[str]:
    """The words as the model sees them: those of a short text have its ends about them."""
    return [BEGIN, *words, END] if words and len(words) <= shortest else words


def _windows(words: Sequence[str], size: int, stride: int) -> list[Sequence[str]]:
    return [words[start : start + size] for start in range(0, max(1, len(words) - size + stride), stride) if words]


def _hidden(texts: Sequence[Text], words: Sequence[Sequence[str]], dice: random.Random) -> Iterator[Sample]:
    """Each attack of some words once, somewhere in a window of a long benign text."""
    size = WINDOWS[0][0]
    hosts = [words[number] for number, text in enumerate(texts) if not text.attack and len(words[number]) > 2 * size]
    for number, text in enumerate(texts):
        attack = [word for word in words[number] if word not in (BEGIN, END)]
        if not (text.attack and 6 <= len(attack) <= size - 8):
            continue
        host = dice.choice(hosts)
        rest = size - len(attack)
        start = dice.randrange(len(host) - rest)
        at = start + dice.randrange(rest)
        yield Sample([*host[start:at], *attack, *host[at : start + rest]], True, 0.5, number)
