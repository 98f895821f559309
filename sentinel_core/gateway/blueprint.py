"""Everything a configuration decides before anything is opened: classes, converted tables, the order of the chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Generic, Literal, NamedTuple, TypeAlias, TypeVar

import msgspec

from sentinel_core.chain import ChainPlan, StagePlan
from sentinel_core.config import PluginTable, Settings
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.gateway.unshared import unshared
from sentinel_core.model_facts import ModelCatalogue
from sentinel_core.order import arrange, list_problems
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry
from sentinel_core.registry.hooks import broken
from sentinel_core.services import Services
from sentinel_core.stage import Stage
from sentinel_core.state import StateStore, StoreConfig

T = TypeVar("T")
S = TypeVar("S", bound=msgspec.Struct)
K = TypeVar("K", StateStore, RecordStore)

ALWAYS_LOADED = ("http", "tokens", "local_state", "catalogue")
"""Services that every gateway has, whatever its configuration names."""


class ProviderPlan(NamedTuple):
    """One provider that will be opened, by the name of its table."""

    name: str
    kind: type[Provider]
    config: ProviderConfig


class StorePlan(NamedTuple, Generic[K]):
    """One store that will be opened."""

    kind: type[K]
    config: StoreConfig


@dataclass(frozen=True, slots=True)
class Blueprint:
    """A configuration that can be opened."""

    settings: Settings
    registry: Registry
    chain: ChainPlan
    providers: tuple[ProviderPlan, ...]
    state: StorePlan[StateStore]
    records: StorePlan[RecordStore]
    catalogue: ModelCatalogue


class Sketch(NamedTuple):
    """What could be drawn of a configuration that may be broken. `stages` are those that are enabled: the class, None
    where it could not be loaded, and the plan, None where its table could not be converted."""

    settings: Settings
    stages: tuple[tuple[type[Stage] | None, StagePlan | None], ...]


Judge: TypeAlias = Callable[[Sketch], Iterable[ConfigProblem]]
"""What is wrong with a configuration for whoever serves it. Asked with what could be drawn: all is told at once."""


def draw(
    settings: Settings, registry: Registry, judge: Judge | None = None, *, given: Services | None = None
) -> Blueprint:
    """Load what the settings name and convert every table. Raises `ConfigError` with every problem, those of a judge
    included. The stores of `given` services stand for those of the settings, and whoever gives them knows them."""
    drawing = _Drawing(settings, registry)
    stages = [plan for name, table in settings.stages.items() if table.enabled for plan in drawing.stage(name, table)]
    providers = [
        plan for name, table in settings.providers.items() if table.enabled for plan in drawing.provider(name, table)
    ]
    for plan in stages:
        drawing.ask(plan, "misfits", plan.config, settings)
    drawing.check_targets()
    drawing.check_keys(providers)
    state = drawing.state(settings.state)
    records = drawing.records(settings.records)
    for service in ALWAYS_LOADED:
        drawing.attempt(partial(registry.load, service, "service"))
    catalogue = drawing.attempt(drawing.catalogue)
    drawing.attempt(registry.check_pending)
    chain = drawing.chain(stages)
    drawing.problems += unshared(settings, state, records) if given is None else ()
    if judge is not None:
        drawing.judged(judge, stages)
    if drawing.problems or chain is None or state is None or records is None or catalogue is None:
        raise ConfigError([drawing.placed(problem) for problem in drawing.problems])
    return Blueprint(settings, registry, chain, tuple(providers), state, records, catalogue)


def problems(settings: Settings, judge: Judge | None = None) -> tuple[ConfigProblem, ...]:
    """What would keep these settings from being drawn. For those that cannot be used anyway: all is told at once."""
    try:
        draw(settings, Registry(), judge)
    except ConfigError as error:
        return error.problems
    return ()


def check_fixed(old: Blueprint, new: Blueprint) -> None:
    """Raise `ConfigError` where a reload would change what lives as long as the process."""
    found = [
        ConfigProblem(f"[{section}] cannot change while the gateway runs; restart it", table=section)
        for section, before, after in (("state", old.state, new.state), ("records", old.records, new.records))
        if before != after
    ]
    if found:
        raise ConfigError(found)


def warnings_about(blueprint: Blueprint) -> tuple[str, ...]:
    """What can be opened, but is hardly what anybody wants."""
    warnings = []
    if not blueprint.providers:
        warnings.append("no provider is configured: every model is unknown")
    if {plan.kind.name for plan in blueprint.providers} == {"echo"}:
        warnings.append("only the echo provider answers: set OPENAI_API_KEY or add a [providers.*] table")
    stages = blueprint.chain.stages
    kinds = [plan.kind for plan in stages]
    warnings += [warning for plan in stages for warning in _warned(plan, kinds)]
    return (*warnings, *_retired(blueprint, datetime.now(UTC).date()))


class _Drawing:
    """Collects every problem on the way."""

    def __init__(self, settings: Settings, registry: Registry) -> None:
        self.settings = settings
        self.registry = registry
        self.problems: list[ConfigProblem] = []

    def attempt(self, step: Callable[[], T]) -> T | None:
        """What a step returns, or None with its problems noted."""
        try:
            return step()
        except ConfigError as exc:
            self.problems += [problem for problem in exc.problems if problem not in self.problems]
            return None

    def placed(self, problem: ConfigProblem) -> ConfigProblem:
        """The problem with whoever set its table, else with the file's name, where it has none yet."""
        if problem.where:
            return problem
        origin = self.settings.document.origin((*problem.table.split("."), problem.key))
        if origin is not None and origin.kind in ("environment", "option"):
            return replace(problem, where=str(origin))
        return problem if self.settings.path is None else replace(problem, where=str(self.settings.path))

    def stage(self, name: str, table: PluginTable) -> Iterator[StagePlan]:
        """The stage of one table, if it can be loaded and its table converts. What it lacks is a problem."""
        before = len(self.problems)
        self.attempt(lambda: self.registry.load(name, "stage"))
        kind = self.registry.stages.get(name)
        if kind is None or len(self.problems) > before:
            return
        config = self._converted(table, kind.Config)
        if config is not None:
            plan = StagePlan(name, kind, config)
            self.ask(plan, "missing", config)
            yield plan

    def judged(self, judge: Judge, stages: list[StagePlan]) -> None:
        """Note what is wrong for whoever serves it."""
        self.problems += self.attempt(lambda: list(judge(Sketch(self.settings, self.sketched(stages))))) or ()

    def ask(self, plan: StagePlan, question: Literal["missing", "misfits"], *arguments: object) -> None:
        """Note what the class of a stage says is wrong."""
        said = self.attempt(lambda: _said(plan, question, arguments))
        self.problems += said or ()

    def sketched(self, stages: list[StagePlan]) -> tuple[tuple[type[Stage] | None, StagePlan | None], ...]:
        """Every enabled stage, as far as it could be drawn."""
        plans, kinds = {plan.name: plan for plan in stages}, self.registry.stages
        enabled = [name for name, table in self.settings.stages.items() if table.enabled]
        return tuple((kinds.get(name), plans.get(name)) for name in enabled)

    def provider(self, name: str, table: PluginTable) -> Iterator[ProviderPlan]:
        """The provider of one table, if it can be loaded and its table converts."""
        before = len(self.problems)
        self.attempt(lambda: self.registry.load(table.kind, "provider", table=table.name))
        kind = self.registry.providers.get(table.kind)
        if kind is None or len(self.problems) > before:
            return
        config = self._converted(table, kind.Config)
        if config is not None:
            yield ProviderPlan(name, kind, config)

    def state(self, table: PluginTable) -> StorePlan[StateStore] | None:
        """The store that `[state]` names."""
        self.attempt(lambda: self.registry.load(table.kind, "state", table=table.name))
        return self._store(self.registry.state_stores.get(table.kind), table)

    def records(self, table: PluginTable) -> StorePlan[RecordStore] | None:
        """The store that `[records]` names."""
        self.attempt(lambda: self.registry.load(table.kind, "records", table=table.name))
        return self._store(self.registry.record_stores.get(table.kind), table)

    def _store(self, kind: type[K] | None, table: PluginTable) -> StorePlan[K] | None:
        config = self._converted(table, kind.Config) if kind is not None else None
        return StorePlan(kind, config) if kind is not None and config is not None else None

    def catalogue(self) -> ModelCatalogue:
        """The installed catalogue with the rows of `[catalogue]`'s file over it. Raises `ConfigError`."""
        self.registry.load("catalogue", "service")
        catalogue: ModelCatalogue = self.registry.services["catalogue"]()
        own, settings = self.settings.catalogue.file, self.settings
        if own is None:
            return catalogue
        folder = settings.path.parent if settings.path is not None else Path()
        return catalogue.overlaid(settings.files.at(folder / own))

    def check_targets(self) -> None:
        """Every target's provider must be one that will be open."""
        disabled = {name for name, table in self.settings.providers.items() if not table.enabled}
        for model in self.settings.models:
            for target in model.targets:
                if target.provider in disabled:
                    message = f"{model.name!r} is served by {target.provider!r}, which is disabled"
                    expected = f"enabled = true in [providers.{target.provider}], or another provider"
                    self.problems.append(ConfigProblem(message, table="models", key="targets", expected=expected))

    def check_keys(self, plans: list[ProviderPlan]) -> None:
        """A table that is another key of a provider needs that provider's own beside it, and names no models."""
        for plan in plans:
            name, config = plan.config.same_as, plan.config
            if name is None:
                continue
            others = [one.name for one in plans if one.kind is plan.kind and one.config.same_as is None]
            broken = name in self.settings.providers and all(one.name != name for one in plans)
            if name not in others and not (broken and self.settings.providers[name].enabled):
                expected = ", ".join(others) or "nothing"
                self._key_problem(plan, "same_as", "must name an enabled provider of this kind", name, expected)
            for key in ("models", "default_model"):
                if getattr(config, key):
                    self._key_problem(plan, key, f"belongs into [providers.{name}]", "", "nothing")

    def _key_problem(self, plan: ProviderPlan, key: str, message: str, found: str, expected: str) -> None:
        place = {"table": f"providers.{plan.name}", "key": key}
        self.problems.append(ConfigProblem(message, found=found, expected=expected, **place))

    def chain(self, stages: list[StagePlan]) -> ChainPlan | None:
        """The stages in order. Beyond its names a list is checked only where every stage could be loaded: else it
        explains nothing."""
        plans = {plan.name: plan for plan in stages}
        enabled = [name for name, table in self.settings.stages.items() if table.enabled]
        listed = self.settings.chain.stages
        if set(enabled) != set(plans):
            self.problems += list_problems(enabled, listed, self.settings.stages) if listed is not None else ()
            self.attempt(lambda: ChainPlan(stages))
            return None
        kinds = {name: plan.kind for name, plan in plans.items()}
        order = self.attempt(lambda: arrange(kinds, listed, known=self.registry.stages, tables=self.settings.stages))
        planned = self.attempt(lambda: ChainPlan([plans[name] for name in order or plans]))
        return planned if order is not None else None

    def _converted(self, table: PluginTable, struct: type[S]) -> S | None:
        value, problems = self.attempt(lambda: table.convert(struct)) or (None, [])
        self.problems += problems
        return value


def answered(plan: StagePlan, question: str, *arguments: object) -> list[object]:
    """What the class of a stage says when it is asked, one answer or several. Raises `ConfigError` where it fails."""
    try:
        answer = getattr(plan.kind, question)(*arguments)
        return list(answer) if isinstance(answer, Iterable) and not isinstance(answer, str) else [answer]
    except ConfigError:
        raise
    except Exception as error:  # whatever a plugin raises is a problem among the others
        failed = f"{plan.kind.__name__}.{question}() failed"
        raise ConfigError((broken(failed, error, f"stages.{plan.name}"),)) from error


def _said(plan: StagePlan, question: str, arguments: tuple[object, ...]) -> list[ConfigProblem]:
    """What a class finds wrong. Raises `ConfigError` where it fails, or answers with something else."""
    said = answered(plan, question, *arguments)
    problems = [one for one in said if isinstance(one, ConfigProblem)]
    if len(problems) < len(said):
        other = next(type(one).__name__ for one in said if not isinstance(one, ConfigProblem))
        message = f"{plan.kind.__name__}.{question}() returned something else than problems"
        expected = "a list of ConfigProblem"
        raise ConfigError((ConfigProblem(message, table=f"stages.{plan.name}", found=other, expected=expected),))
    return problems


def _warned(plan: StagePlan, kinds: list[type[Stage]]) -> Iterator[str]:
    """What a class says that nobody wants: that it cannot say so keeps nothing from running."""
    try:
        yield from (str(warning) for warning in answered(plan, "warnings", plan.config, kinds) if warning)
    except ConfigError as error:
        yield from map(str, error.problems)


def _retired(blueprint: Blueprint, today: date) -> Iterator[str]:
    """Models that the configuration names and that answer no longer."""
    named = [target.model or model.name for model in blueprint.settings.models for target in model.targets]
    named += [model for plan in blueprint.providers for model in (*plan.config.models, plan.config.default_model or "")]
    for name in dict.fromkeys(named):
        facts = blueprint.catalogue.find(name)
        if facts is not None and facts.retired(today):
            since = f" on {facts.shutdown_date}" if facts.shutdown_date else ""
            instead = f"; its successor is {facts.successor!r}" if facts.successor else ""
            yield f"the model {name!r} was shut down{since}{instead}"
