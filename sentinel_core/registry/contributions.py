"""What plugins hand over at start, checked: classes of the right kind, with a name and a Config."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import msgspec

from sentinel_core.config.names import NAME, NAME_RULE
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.records import RecordStore
from sentinel_core.registry.complaint import complaint
from sentinel_core.registry.declared import config_problems, stage_problems
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.state import StateStore, StoreConfig

Kind: TypeAlias = Literal["stage", "provider", "state", "records", "service", "command"]

CONTRIBUTING_HOOKS = ("sentinel_stages", "sentinel_providers", "sentinel_stores", "sentinel_services")

_STORES: Mapping[Literal["state", "records"], type] = {"state": StateStore, "records": RecordStore}


@dataclass(frozen=True, slots=True)
class Contribution:
    """One class or factory that a configuration can name. `plugin` says who brought it, for messages."""

    kind: Kind
    name: str
    value: Any  # a class of the kind, or a service's factory
    plugin: str


def contributions(hook: str, result: object, plugin: str) -> Iterator[Contribution]:
    """What one hook of one plugin returned. Raises `ConfigError` for the first thing that cannot be used."""
    if hook == "sentinel_services":
        if not isinstance(result, Mapping):
            raise _error(plugin, f"{hook}() must return a mapping of names to factories", result)
        yield from (Contribution("service", _named(name, plugin), value, plugin) for name, value in result.items())
        return
    for item in _listed(hook, result, "a list of classes", plugin):
        found = contribution(item, plugin)
        kinds = ("state", "records") if hook == "sentinel_stores" else (hook[len("sentinel_") : -1],)
        if found.kind not in kinds:
            raise _error(plugin, f"{hook}() must return classes of its own kind", item)
        yield found


def declarations(hook: str, result: object, kinds: tuple[type, ...], plugin: str) -> Iterator[Any]:  # of these kinds
    """What a hook of one plugin returned that contributes no classes. Raises `ConfigError` as `contributions` does."""
    wanted = " or ".join(kind.__name__ for kind in kinds)
    for item in _listed(hook, result if result is not None else (), f"a list of {wanted}", plugin):
        if not isinstance(item, kinds):
            raise _error(plugin, f"{hook}() must return a list of {wanted}", item)
        yield item


def _listed(hook: str, result: object, promised: str, plugin: str) -> Iterable[object]:
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise _error(plugin, f"{hook}() must return {promised}", result)
    return result


def contribution(item: object, plugin: str) -> Contribution:
    """One class as what it is: a stage, a provider or a store. Raises `ConfigError`."""
    if isinstance(item, type):
        if issubclass(item, Stage):
            return _checked("stage", item, "name", StageConfig, plugin, stage_problems(item, plugin))
        if issubclass(item, Provider):
            return _checked("provider", item, "name", ProviderConfig, plugin)
        lacking = {kind: _missing(item, protocol) for kind, protocol in _STORES.items()}
        for kind, missing in lacking.items():
            if not missing:
                return _checked(kind, item, "kind", StoreConfig, plugin)
        if hasattr(item, "kind"):
            halves = [f"as a {_STORES[kind].__name__} it lacks {', '.join(lacking[kind])}" for kind in lacking]
            raise ConfigError(
                (ConfigProblem(f"{item.__name__} is no store: {'; '.join(halves)}", where=f"plugin {plugin}"),)
            )
    raise _error(plugin, "a contribution is a class: a Stage, a Provider, a StateStore or a RecordStore", item)


def _checked(
    kind: Kind,
    item: type,
    attribute: str,
    base: type[msgspec.Struct],
    plugin: str,
    problems: Iterable[ConfigProblem] = (),
) -> Contribution:
    config = getattr(item, "Config", None)
    if not (isinstance(config, type) and issubclass(config, base)):
        raise _error(plugin, f"{item.__name__}.Config must be a {base.__name__}", config)
    found = [*problems, *config_problems(item.__name__, config, base, plugin)]
    if found:
        raise ConfigError(found)
    return Contribution(kind, _named(getattr(item, attribute, None), f"{plugin}: {item.__name__}"), item, plugin)


def _named(name: object, plugin: str) -> str:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise _error(plugin, f"a name is {NAME_RULE}", name)
    return name


def _missing(item: type, protocol: type) -> list[str]:
    """Methods of a Protocol that a class has not. (`issubclass` cannot tell: these Protocols have data as well.)"""
    return [name for name in vars(protocol) if not name.startswith("_") and not hasattr(item, name)]


def _error(plugin: str, message: str, found: object) -> ConfigError:
    return ConfigError((complaint(plugin, message, found),))
