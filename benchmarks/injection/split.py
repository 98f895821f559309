"""Which texts are left for each part, once what stands in a later one is taken out of the earlier ones."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks.injection import corpora
from benchmarks.injection.corpora import Text
from benchmarks.injection.wheels import Wheels
from sentinel_plugins.injection.views import folded
from sentinel_plugins.injection.words import words_of

RUN = 8
"""Words in a row that two texts hardly share by chance."""


class Split(NamedTuple):
    """Every text once. `reserved` is what acceptance is for."""

    train: Sequence[Text]
    tune: Sequence[Text]
    test: Sequence[Text]
    reserved: Sequence[Text]


def split(wheels: Wheels) -> Split:
    """The texts by part. None of `train` and `tune` is in a later part or shares two runs with a reserved text."""
    reserved = list(corpora.reserved(wheels))
    runs = {run for text in reserved for run in _runs(text.text)}
    texts = [*corpora.labelled(wheels), *corpora.attacks(wheels), *corpora.benign(wheels)]
    seen = {_key(text.text) for text in reserved}
    test = list(_new((text for text in texts if text.part == "test"), seen))
    tune = list(_new((text for text in texts if text.part == "tune" and not _copied(text, runs)), seen))
    train = list(_new((text for text in texts if text.part == "train" and not _copied(text, runs)), seen))
    return Split(train, tune, test, reserved)


def _new(texts: Iterable[Text], seen: set[str]) -> Iterator[Text]:
    for text in texts:
        key = _key(text.text)
        if key and key not in seen:
            seen.add(key)
            yield text


def _key(text: str) -> str:
    return " ".join(words_of(folded(text)))


def _copied(text: Text, runs: set[str]) -> bool:
    return text.attack and len(runs.intersection(_runs(text.text))) >= 2


def _runs(text: str) -> Iterator[str]:
    words = words_of(folded(text))
    for start in range(len(words) - RUN + 1):
        yield " ".join(words[start : start + RUN])
