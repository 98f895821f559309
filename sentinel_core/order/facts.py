"""Which stage needs a fact that another one writes, phase by phase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sentinel_core.errors import ConfigProblem
from sentinel_core.keys import CANDIDATES, PLAN, PRINCIPAL, Key, Keys
from sentinel_core.order.rules import Rule
from sentinel_core.stage import Phase, Stage

# All of one step precede all of the next. A reply runs through one of its two phases, so they are one step.
STEPS: Mapping[Phase, int] = {"on_request": 0, "dispatch": 1, "on_response": 2, "on_stream": 2, "on_finish": 3}
FIRST_REVERSED_STEP = 2

_GATEWAY_WRITES = (CANDIDATES,)
_USUAL_WRITERS: Mapping[Key[Any], str] = {PRINCIPAL: "auth", PLAN: "routing"}  # keys of any type


class Use(NamedTuple):
    """One stage that reads or writes a key in one phase."""

    stage: str
    phase: Phase
    key: Key[Any]  # of any type

    @property
    def step(self) -> int:
        """When this is, counted in steps."""
        return STEPS[self.phase]


def reads(stages: Mapping[str, type[Stage]]) -> list[Use]:
    """What the stages need, in chain order. What the gateway writes is always there."""
    return [use for name, stage in stages.items() for use in _uses(name, stage.reads) if use.key not in _GATEWAY_WRITES]


def writes(stages: Mapping[str, type[Stage]]) -> list[Use]:
    """What the stages write, in chain order."""
    return [use for name, stage in stages.items() for use in _uses(name, stage.writes)]


def unwritten_reads(
    order: Sequence[str], stages: Mapping[str, type[Stage]], known: Mapping[str, type[Stage]]
) -> Iterator[ConfigProblem]:
    """A problem for every key that nobody will have written when it is read. `known` may hold stages not enabled."""
    place = {name: index for index, name in enumerate(order)}
    enabled = {name: stages[name] for name in order}
    written = writes(enabled)
    for read in reads(enabled):
        writers = [write for write in written if write.key is read.key]
        if not any(_precedes(write, read, place) for write in writers):
            phase = f" in {read.phase}" if read.step else ""
            yield ConfigProblem(
                f"{read.stage!r} reads {read.key}{phase}, which no earlier stage writes",
                table="chain",
                suggestion=_remedy(read, writers, {name: known[name] for name in known if name not in enabled}),
            )


def fact_rules(stages: Mapping[str, type[Stage]]) -> list[Rule]:
    """What reads and writes of one step ask of the order."""
    rules = []
    for read in reads(stages):
        for write in writes(stages):
            if write.key is read.key and write.step == read.step and write.stage != read.stage:
                reason = f"{read.stage!r} reads {read.key}, which {write.stage!r} writes"
                pair = (write.stage, read.stage) if read.step < FIRST_REVERSED_STEP else (read.stage, write.stage)
                rules.append(Rule(*pair, reason))
    return rules


def _uses(name: str, declared: Mapping[Phase, Keys] | Keys) -> Iterator[Use]:
    phases: Mapping[Phase, Keys] = declared if isinstance(declared, Mapping) else {"on_request": declared}
    for phase, keys in phases.items():
        yield from (Use(name, phase, key) for key in keys)


def _precedes(write: Use, read: Use, place: Mapping[str, int]) -> bool:
    if write.step != read.step:
        return write.step < read.step
    if write.step < FIRST_REVERSED_STEP:
        return place[write.stage] < place[read.stage]
    return place[write.stage] > place[read.stage]


def _remedy(read: Use, writers: Sequence[Use], disabled: Mapping[str, type[Stage]]) -> str:
    where = "before" if read.step < FIRST_REVERSED_STEP else "after"
    for write in writers:
        if write.step == read.step and write.stage != read.stage:
            return f"{write.stage!r} does: move it {where} {read.stage!r}"
    if writers:
        return f"{writers[0].stage!r} does, but only in {writers[0].phase}"
    for write in writes(disabled):
        if write.key is read.key:
            return f"{write.stage!r} does: enable it {where} {read.stage!r}"
    usual = _USUAL_WRITERS.get(read.key)
    return f"{usual!r} does: enable it {where} {read.stage!r}" if usual else "no stage that is installed and named does"
