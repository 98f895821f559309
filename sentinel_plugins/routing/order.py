"""In which order a request tries its targets."""

from __future__ import annotations

import random
from collections.abc import Sequence

from sentinel_core.keys import Target
from sentinel_plugins.routing.config import RoutingConfig


def ordered(config: RoutingConfig, targets: Sequence[Target]) -> tuple[Target, ...]:
    """The targets as configured, or drawn by weight without putting back; those of weight 0 come last, in order."""
    if config.strategy == "ordered" or len(targets) < 2:
        return tuple(targets)
    weights = {target: weight_of(config, target) for target in targets}
    last = tuple(target for target, weight in weights.items() if weight == 0)
    # The largest of u^(1/w) is each target with probability w / sum(w): Efraimidis and Spirakis, 2006.
    keys = {target: random.random() ** (1 / weight) for target, weight in weights.items() if weight}  # noqa: S311
    return (*sorted(keys, key=keys.__getitem__, reverse=True), *last)


def weight_of(config: RoutingConfig, target: Target) -> int:
    """What the configuration says about the target, else about its provider, else 1."""
    return config.weights.get(str(target), config.weights.get(target.provider, 1))
