"""Which stage comes before which, and who says so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.stage import Stage

DEFAULT_ORDER: tuple[str, ...] = (
    "telemetry",
    "metrics",
    "audit",
    "usage",
    "health",
    "auth",
    "template",
    "memory",
    "rate_limit",
    "input_limits",
    "pii",
    "injection",
    "secrets",
    "cache",
    "routing",
    "hedge",
    "retry",
    "breaker",
)
"""The order without `[chain].stages`: the enabled stages among these names.

`telemetry`, `template`, `memory` and `cache` are places held for stages that no plugin here brings; whoever brings one
under such a name gets its place.
"""

FIRST_AFTER_OBSERVERS = "auth"
FIRST_AFTER_GUARDS = "cache"


class Rule(NamedTuple):
    """`first` must stand before `then`, because of `reason`."""

    first: str
    then: str
    reason: str


def declared_rules(stages: Mapping[str, type[Stage]]) -> list[Rule]:
    """What `before`, `after` and `observer` of the enabled stages ask for, as far as the other stage is enabled too."""
    rules = []
    for name, stage in stages.items():
        rules += [Rule(name, other, f"{name!r} declares before {other!r}") for other in stage.before if other in stages]
        rules += [Rule(other, name, f"{name!r} declares after {other!r}") for other in stage.after if other in stages]
        if stage.observer:
            reason = f"{name!r} is an observer, and observers stand first"
            rules += [Rule(name, other, reason) for other, kind in stages.items() if not kind.observer]
    return rules


def default_rules(stages: Iterable[str]) -> list[Rule]:
    """The default order of those stages that have a place in it."""
    present = [name for name in DEFAULT_ORDER if name in set(stages)]
    return [Rule(first, then, "so is the default order") for first, then in pairwise(present)]


def broken_rules(names: Sequence[str], rules: Iterable[Rule]) -> Iterator[ConfigProblem]:
    """The rules that a list contradicts, each reason once."""
    place = {name: index for index, name in enumerate(names)}
    said: set[str] = set()
    for rule in rules:
        if rule.first in place and rule.then in place and place[rule.first] > place[rule.then]:
            if rule.reason not in said:
                yield ConfigProblem(
                    f"{rule.first!r} stands after {rule.then!r}, but {rule.reason}",
                    table="chain",
                    key="stages",
                    suggestion=f"move {rule.first!r} before {rule.then!r}",
                )
            said.add(rule.reason)


def sort(stages: Mapping[str, type[Stage]], rules: Iterable[Rule]) -> tuple[str, ...]:
    """An order that keeps every rule; where rules are silent, the default order and then the order of the tables.

    A stage without a place in the default order goes behind the guards, directly before `cache` (an observer behind the
    observers): what it sees is what the guards let through. Raises `ConfigError` with the cycle if there is none.
    """
    rules = list(rules)
    rest = sorted(stages, key=lambda name: _rank(name, stages[name]))  # stable: the order of the tables
    order: list[str] = []
    while rest:
        waiting = {rule.then for rule in rules if rule.first in rest}
        ready = next((name for name in rest if name not in waiting), None)
        if ready is None:
            raise ConfigError((_cycle(rest, rules),))
        order.append(ready)
        rest.remove(ready)
    return tuple(order)


def _rank(name: str, stage: type[Stage]) -> float:
    if name in DEFAULT_ORDER:
        return DEFAULT_ORDER.index(name)
    return DEFAULT_ORDER.index(FIRST_AFTER_OBSERVERS if stage.observer else FIRST_AFTER_GUARDS) - 0.5


def _cycle(rest: Sequence[str], rules: Sequence[Rule]) -> ConfigProblem:
    """Every remaining stage waits for another one: follow who waits for whom until a stage comes back."""
    path: list[Rule] = []
    name = rest[0]
    while name not in [rule.then for rule in path]:
        path.append(next(rule for rule in rules if rule.then == name and rule.first in rest))
        name = path[-1].first
    start = [rule.then for rule in path].index(name)
    steps = [f"{rule.first!r} before {rule.then!r} ({rule.reason})" for rule in reversed(path[start:])]
    return ConfigProblem(f"no order is possible: {', '.join(steps)}", table="chain", expected="one of these dropped")
