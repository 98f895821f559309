"""The chain before anything is opened: which stages, in which order, with which phases, and whether that can work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeVar

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.phases import PhaseForm, read_phases
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.hookspecs import PHASES
from sentinel_core.keys import PRINCIPAL
from sentinel_core.stage import OnFault, Stage, StageConfig

C = TypeVar("C", bound=StageConfig)


class StagePlan(NamedTuple):
    """One stage that will be in the chain: its class and its converted table."""

    name: str
    kind: type[Stage]
    config: StageConfig


class StageRow(NamedTuple):
    """One line of `sentinel chain`: what was decided about a stage."""

    name: str
    phases: tuple[str, ...]
    on_fault: str
    timeout_s: float | None
    mode: str
    buffers: bool
    guard: bool
    observer: bool


class ChainPlan:
    """Verified stages in chain order. Raises `ConfigError` with every problem."""

    __slots__ = ("entries", "phases", "stages")

    def __init__(self, stages: Sequence[StagePlan]) -> None:
        problems = _duplicates(stages)
        if problems:
            raise ConfigError(problems)
        self.stages = tuple(stages)
        read = read_phases([(plan.name, plan.kind) for plan in stages])
        self.phases = {plan.name: _used(plan, read[plan.name]) for plan in stages}
        problems = [problem for plan in stages for problem in _policy_problems(plan, self.phases[plan.name])]
        if problems:
            raise ConfigError(problems)
        self.entries = tuple(_entry(place, plan, self.phases[plan.name]) for place, plan in enumerate(stages))

    def table(self, name: str, kind: type[C]) -> C | None:
        """The table of this stage; None where the chain has none of the name, or one of somebody else's."""
        config = next((plan.config for plan in self.stages if plan.name == name), None)
        return config if isinstance(config, kind) else None

    def rows(self) -> tuple[StageRow, ...]:
        """The chain as a table."""
        return tuple(_row(entry, self.phases[entry.name]) for entry in self.entries)


def _used(plan: StagePlan, phases: Mapping[str, PhaseForm]) -> Mapping[str, PhaseForm]:
    unused = plan.kind.unused(plan.config)
    return {name: form for name, form in phases.items() if name not in unused}


def _entry(position: int, plan: StagePlan, phases: Mapping[str, PhaseForm]) -> Entry:
    kind, config = plan.kind, plan.config
    return Entry(
        name=plan.name,
        position=position,
        guard=_guards(plan, phases),
        observer=kind.observer,
        on_fault=_on_fault(plan),
        timeout_s=config.timeout_s,
        mode=config.mode,
        unscannable=config.unscannable,
        reads_all=kind.reads_all,
        plain=config.mode == "enforce" and _on_fault(plan) == "closed",
    )


def _guards(plan: StagePlan, phases: Mapping[str, PhaseForm]) -> bool:
    return plan.kind.guard or "on_response" in phases or "on_stream" in phases


def _on_fault(plan: StagePlan) -> OnFault:
    return plan.config.on_fault or ("open" if plan.kind.observer else plan.kind.on_fault)


def _row(entry: Entry, phases: Mapping[str, PhaseForm]) -> StageRow:
    return StageRow(
        name=entry.name,
        phases=tuple(phase for phase in PHASES if phase in phases),
        on_fault=entry.on_fault,
        timeout_s=entry.timeout_s,
        mode=entry.mode,
        buffers="on_response" in phases and "on_stream" not in phases and entry.mode == "enforce",
        guard=entry.guard,
        observer=entry.observer,
    )


def _duplicates(stages: Sequence[StagePlan]) -> list[ConfigProblem]:
    names = [plan.name for plan in stages]
    return [
        ConfigProblem(f"the stage {name!r} is in the chain twice", table="chain", key="stages")
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _policy_problems(plan: StagePlan, phases: Mapping[str, PhaseForm]) -> list[ConfigProblem]:
    """Settings that would make a stage's promise untrue."""
    table, problems = f"stages.{plan.name}", []
    writes = plan.kind.writes
    written = [key for keys in writes.values() for key in keys] if isinstance(writes, Mapping) else list(writes)
    authenticates, reserves = PRINCIPAL in written, plan.kind.reserves
    if _on_fault(plan) == "open" and (authenticates or reserves):
        what = "writes the principal" if authenticates else "reserves"
        message = f"a stage that {what} cannot fail open"
        problems.append(ConfigProblem(message, table=table, key="on_fault", found='"open"', expected='"closed"'))
    only_guards = _guards(plan, phases) and "dispatch" not in phases and not authenticates and not reserves
    if plan.config.mode == "monitor" and not only_guards:
        message = "only a guard can run in monitor mode"
        problems.append(ConfigProblem(message, table=table, key="mode", found='"monitor"', expected='"enforce"'))
    timeout_s = plan.config.timeout_s
    if timeout_s is not None and timeout_s <= 0:
        expected = "a number of seconds above 0"
        problems.append(
            ConfigProblem("not a timeout", table=table, key="timeout_s", found=str(timeout_s), expected=expected)
        )
    return problems
