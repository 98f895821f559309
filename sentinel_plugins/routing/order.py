"""In which order a request tries its targets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby

from sentinel_core.keys import Target
from sentinel_plugins.routing.config import RoutingConfig


def ordered(config: RoutingConfig, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets as configured, the keys of one provider in turn; or drawn by weight, those of weight 0 last."""
    if len(targets) < 2:
        return tuple(targets)
    if config.strategy == "ordered":
        plan = tuple(_in_turn(targets))
        return diverse(plan) if config.diverse else plan
    drawn, last = _drawn(config, targets)
    return (*diverse(drawn), *diverse(last)) if config.diverse else (*drawn, *last)


def diverse(plan: Sequence[Target]) -> tuple[Target, ...]:
    """The plan so that each next target is of the provider that was tried least, if possible not the one before.

    The first target stays, and so does the order of each provider's own (S2-33).
    """
    left, found = list(plan), list[Target]()
    tries = Counter[str]()
    while left:
        before = found[-1].upstream if found else None
        chosen = min(left, key=lambda target: (tries[target.upstream], target.upstream == before))
        left.remove(chosen)
        found.append(chosen)
        tries[chosen.upstream] += 1
    return tuple(found)


def weight_of(config: RoutingConfig, target: Target) -> int:
    """What the configuration says about the target, else about its provider, else 1."""
    return config.weights.get(str(target), config.weights.get(target.provider, 1))


def _in_turn(targets: Sequence[Target]) -> Iterator[Target]:
    """The targets in their order; neighbours that are keys of one provider in any, so that each gets its share."""
    for _, keys in groupby(targets, key=lambda target: (target.upstream, target.model)):
        alike = list(keys)
        yield from random.sample(alike, len(alike)) if len(alike) > 1 else alike


def _drawn(config: RoutingConfig, targets: Sequence[Target]) -> tuple[list[Target], list[Target]]:
    """Those with a weight, drawn without putting back, and those without one in their order."""
    weights = {target: weight_of(config, target) for target in targets}
    # The largest of u^(1/w) is each target with probability w / sum(w): Efraimidis and Spirakis, 2006.
    keys = {target: random.random() ** (1 / weight) for target, weight in weights.items() if weight}  # noqa: S311
    return sorted(keys, key=keys.__getitem__, reverse=True), [target for target in targets if not weights[target]]
