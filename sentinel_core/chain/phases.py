"""Stages as pluggy plugins: which phases each implements, verified before anything is opened."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

import pluggy

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.hookspecs import PHASES, PROJECT, Manager, PhaseHooks
from sentinel_core.stage import Stage

Phase = Callable[..., Any]  # a bound phase method; what it returns differs per phase

_ORDERING = ("tryfirst", "trylast", "wrapper", "hookwrapper", "specname", "optionalhook")
_ARGUMENTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {phase: tuple(inspect.signature(getattr(PhaseHooks, phase)).parameters)[1:] for phase in PHASES}
)


class PhaseForm(NamedTuple):
    """How a stage implements one phase: whether it is a coroutine function, and which of the phase's arguments it
    takes, by position; None where it takes them all in order."""

    waits: bool
    positions: tuple[int, ...] | None

    def bind(self, method: Phase) -> Phase:
        """The method as the chain calls it: with every argument of the phase."""
        positions = self.positions
        if positions is None:
            return method
        if not positions:
            return lambda *_: method()
        if len(positions) == 1:
            only = positions[0]
            return lambda *arguments: method(arguments[only])
        return lambda *arguments: method(*(arguments[position] for position in positions))


Forms: TypeAlias = Mapping[str, PhaseForm]
"""The phases of a stage, by name."""


def read_phases(stages: Sequence[tuple[str, type[Stage]]]) -> dict[str, Forms]:
    """For each stage name, its phases.

    Raises `ConfigError` with every problem: a misspelt phase, an unknown argument, a phase without its marker, a
    pluggy ordering option.
    """
    read = {stage[0]: _read(stage) for stage in stages}
    problems = [problem for _, found in read.values() for problem in found]
    if problems:
        raise ConfigError(problems)
    return {name: forms for name, (forms, _) in read.items()}


@lru_cache(maxsize=256)  # a class says the same at every reload
def _read(stage: tuple[str, type[Stage]]) -> tuple[Forms, tuple[ConfigProblem, ...]]:
    """The phases of one stage, or what is wrong with them."""
    name, kind = stage
    manager = Manager(PhaseHooks)
    problems = [*_unmarked(name, kind), *_ordered(name, kind)]
    try:
        manager.register(kind, name)
    except pluggy.PluginValidationError as exc:
        problems.append(ConfigProblem(" ".join(str(exc).split()), table=f"stages.{name}"))
    problems += _unknown_phases(name, kind, manager)
    if problems:
        return {}, tuple(problems)
    implemented = {phase: impl for phase in PHASES for impl in getattr(manager.hook, phase).get_hookimpls()}
    forms = {phase: _form(impl, _ARGUMENTS[phase]) for phase, impl in implemented.items()}
    ungiven = [problem for phase, impl in implemented.items() for problem in _ungiven(impl, _ARGUMENTS[phase])]
    return forms, tuple(ungiven)


def _form(impl: pluggy.HookImpl, specification: Sequence[str]) -> PhaseForm:
    wanted = tuple(impl.argnames)
    positions = None if wanted == specification else tuple(specification.index(name) for name in wanted)
    return PhaseForm(inspect.iscoroutinefunction(impl.function), positions)


def _ungiven(impl: pluggy.HookImpl, specification: Sequence[str]) -> list[ConfigProblem]:
    """Arguments of the phase that the method has by keyword only, or with a default: pluggy does not see those."""
    parameters = inspect.signature(impl.function).parameters
    return [
        ConfigProblem(
            f"{impl.function.__qualname__} would never be given {name}",
            table=f"stages.{impl.plugin_name}",
            expected=f"{name} as a plain argument, without a default",
        )
        for name in specification
        if name in parameters and name not in impl.argnames
    ]


def _unmarked(name: str, kind: type[Stage]) -> list[ConfigProblem]:
    return [
        ConfigProblem(
            f"{kind.__qualname__}.{phase} is named like a phase but is not marked with @hookimpl",
            table=f"stages.{name}",
            expected="the marker `@hookimpl` above the method, or another name",
        )
        for phase in PHASES
        if hasattr(kind, phase) and not hasattr(getattr(kind, phase), f"{PROJECT}_impl")
    ]


def _ordered(name: str, kind: type[Stage]) -> list[ConfigProblem]:
    problems = []
    for attribute, method in inspect.getmembers(kind, callable):
        options = getattr(method, f"{PROJECT}_impl", None) or {}
        used = [option for option in _ORDERING if options.get(option)]
        if used:
            problems.append(
                ConfigProblem(
                    f"{kind.__qualname__}.{attribute} uses pluggy's {', '.join(used)}",
                    table=f"stages.{name}",
                    expected="a plain `@hookimpl`; the order is the list in [chain]",
                )
            )
    return problems


def _unknown_phases(name: str, kind: type[Stage], manager: Manager) -> list[ConfigProblem]:
    return [
        ConfigProblem(
            f"{name}: {caller.name} is marked with @hookimpl but is no phase",
            table=f"stages.{name}",
            expected="one of " + ", ".join(PHASES),
        )
        for caller in manager.get_hookcallers(kind) or ()
        if not caller.has_spec()
    ]
