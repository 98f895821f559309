"""From enabled stages to the chain's order, or to every reason why there is none."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence

from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.order.facts import fact_rules, unwritten_reads
from sentinel_core.order.rules import broken_rules, declared_rules, default_rules, sort
from sentinel_core.stage import Stage


def arrange(
    stages: Mapping[str, type[Stage]],
    listed: Sequence[str] | None = None,
    *,
    known: Mapping[str, type[Stage]] | None = None,
    tables: Iterable[str] = (),
) -> tuple[str, ...]:
    """The order of the enabled `stages` (in the order of their tables).

    `listed` is `[chain].stages`: it is taken as it is, or refused. Without it, the default order decides, and stages
    that have no place there are put by what they declare (see `rules.sort`). `known` may hold further stages, which
    messages propose; `tables` names those that have a table, enabled or not. Raises
    `ConfigError` with every problem.
    """
    known = known or {}
    if listed is None:
        order = sort(stages, [*declared_rules(stages), *default_rules(stages)])
        problems = []
    else:
        order = tuple(listed)
        problems = [*list_problems(stages, listed, {*known, *tables}), *_contradictions(stages, listed)]
    problems += unwritten_reads([name for name in dict.fromkeys(order) if name in stages], stages, known)
    if problems:
        raise ConfigError(problems)
    return order


def suggest(stages: Mapping[str, type[Stage]]) -> tuple[str, ...]:
    """An order that satisfies everything the stages declare, reads and writes included.

    Raises `ConfigError` if none does. What nobody writes stays unwritten: `arrange` says so.
    """
    return sort(stages, [*declared_rules(stages), *fact_rules(stages), *default_rules(stages)])


def _contradictions(stages: Mapping[str, type[Stage]], listed: Sequence[str]) -> Iterator[ConfigProblem]:
    rules = declared_rules(stages)
    try:
        sort(stages, rules)
    except ConfigError as error:  # a cycle: no list can be right, so the pairs that this one breaks explain nothing
        yield from error.problems
    else:
        yield from broken_rules(listed, rules)


def list_problems(enabled: Collection[str], listed: Sequence[str], known: Container[str]) -> Iterator[ConfigProblem]:
    """What is wrong with the names in `[chain].stages`: repeated, unknown, not enabled, or left out."""
    for name in dict.fromkeys(listed):
        if listed.count(name) > 1:
            yield _problem(f"{name!r} is listed more than once")
        if name not in enabled and name in known:
            yield _problem(f"{name!r} is listed but not enabled", expected=f"enabled = true in [stages.{name}]")
        elif name not in enabled:
            hint = did_you_mean(name, enabled)
            yield _problem(f"{name!r} is listed but has no table [stages.{name}]", suggestion=hint)
    for name in enabled:
        if name not in listed:
            yield _problem(
                f"the enabled stage {name!r} is not listed", suggestion="`sentinel check --suggest` has a place"
            )


def _problem(message: str, **words: str) -> ConfigProblem:
    return ConfigProblem(message, table="chain", key="stages", **words)
