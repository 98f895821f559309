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
WHOLE = 24
"""Words of a text that is read as a whole, with its ends."""
MOST = 10
"""Windows of one size that one benign text gives at most."""
PLAIN = 0.3
"""The weight of a window of a longer benign text: most are nothing like an attack."""
LAID = 2
"""How often an attack is laid into a benign text, for each size of windows ..."""
HIDDEN = 0.5
"""... and the weight of that."""
FEWEST_HIDDEN = 6
"""Words of the shortest attack that is."""
WORST = 4
"""So many windows of one size of a benign text are learned once more, if a first model finds them ..."""
DOUBTFUL = 0.05
"""... at least so likely."""


class Sample(NamedTuple):
    """One window. `text` is the number of the text that it is of; windows of one attack have one number."""

    words: Sequence[str]
    attack: bool
    weight: float
    text: int


def samples(texts: Sequence[Text], dice: random.Random) -> Iterator[Sample]:
    """The windows of all texts, and attacks laid between the words of benign texts.

    Of a long attack nobody knows which windows are one: each is taken to be, with its share of the weight.
    """
    words = list(wholes(texts))
    for number, text in enumerate(texts):
        if text.attack:
            whole = _windows(words[number], *WINDOWS[0])
            for window in whole:
                yield Sample(window, True, 1 / len(whole), number)
        else:
            for size, stride in WINDOWS if len(words[number]) > WHOLE + 2 else WINDOWS[:1]:
                windows = _windows(words[number], size, stride)
                for window in windows if len(windows) <= MOST else dice.sample(windows, MOST):
                    yield Sample(window, False, 1.0 if len(words[number]) <= size else PLAIN, number)
    yield from _hidden(texts, words, dice)


def wholes(texts: Sequence[Text]) -> Iterator[Sequence[str]]:
    """The words of every text."""
    return (_whole(words_of(folded(text.text))) for text in texts)


def misread(texts: Sequence[Text], score: Callable[[Sequence[str]], float]) -> Iterator[Sample]:
    """Of every long benign text the windows that a first model takes for attacks, the worst ones."""
    for number, text in enumerate(texts):
        words = words_of(folded(text.text)) if not text.attack else []
        for size, stride in WINDOWS:
            if len(words) > max(size, WHOLE):
                found = sorted(((score(window), window) for window in _windows(words, size, stride)), reverse=True)
                yield from (Sample(window, False, 1.0, number) for bad, window in found[:WORST] if bad > DOUBTFUL)


def _whole(words: list[str]) -> list[str]:
    """The words as the model sees them: those of a short text have its ends about them."""
    return [BEGIN, *words, END] if words and len(words) <= WHOLE else words


def _windows(words: Sequence[str], size: int, stride: int) -> list[Sequence[str]]:
    return [words[start : start + size] for start in range(0, max(1, len(words) - size + stride), stride) if words]


def _hidden(texts: Sequence[Text], words: Sequence[Sequence[str]], dice: random.Random) -> Iterator[Sample]:
    """Each attack of some words a few times inside a long benign text, as windows of every size come across it."""
    most = WINDOWS[0][0]
    hosts = [words[number] for number, text in enumerate(texts) if not text.attack and len(words[number]) > 2 * most]
    group = len(texts)
    for number, text in enumerate(texts):
        attack = [word for word in words[number] if word not in (BEGIN, END)]
        if not text.attack or len(attack) < FEWEST_HIDDEN:
            continue
        for size, stride in WINDOWS * LAID:
            host = dice.choice(hosts)
            at = dice.randrange(size, len(host) - size + 1)
            laid = [*host[at - size : at], *attack, *host[at : at + size]]
            found = list(_across(laid, len(attack), size, stride, dice))
            yield from (Sample(window, True, HIDDEN / len(found), group) for window in found)
            group += 1


def _across(laid: Sequence[str], attack: int, size: int, stride: int, dice: random.Random) -> Iterator[Sequence[str]]:
    """The windows that hold most of what they can of an attack, which begins after `size` words."""
    for start in range(dice.randrange(stride), len(laid) - size + 1, stride):
        inside = min(start + size, size + attack) - max(start, size)
        if inside >= 0.7 * min(attack, size):
            yield laid[start : start + size]
