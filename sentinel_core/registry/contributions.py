"""What plugins hand over at start, checked: classes of the right kind, with a name and a Config."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.keys import Key
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.records import RecordStore
from sentinel_core.stage import OnFault, Stage, StageConfig
from sentinel_core.state import StateStore, StoreConfig

Kind: TypeAlias = Literal["stage", "provider", "state", "records", "service", "command"]

CONTRIBUTING_HOOKS = ("sentinel_stages", "sentinel_providers", "sentinel_stores", "sentinel_services")

_DECLARED = {
    **dict.fromkeys(("before", "after"), "a tuple of names"),
    **dict.fromkeys(("reads", "writes"), "a tuple of keys, or one for each phase"),
}
_NAME = re.compile(r"[a-z][a-z0-9_]*")


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
    if not isinstance(result, Iterable) or isinstance(result, str):
        raise _error(plugin, f"{hook}() must return a list of classes", result)
    for item in result:
        found = contribution(item, plugin)
        kinds = ("state", "records") if hook == "sentinel_stores" else (hook[len("sentinel_") : -1],)
        if found.kind not in kinds:
            raise _error(plugin, f"{hook}() must return classes of its own kind", item)
        yield found


def contribution(item: object, plugin: str) -> Contribution:
    """One class as what it is: a stage, a provider or a store. Raises `ConfigError`."""
    if isinstance(item, type):
        if issubclass(item, Stage):
            _check_declared(item, plugin)
            return _checked("stage", item, "name", StageConfig, plugin)
        if issubclass(item, Provider):
            return _checked("provider", item, "name", ProviderConfig, plugin)
        if not _missing(item, StateStore):
            return _checked("state", item, "kind", StoreConfig, plugin)
        if not _missing(item, RecordStore):
            return _checked("records", item, "kind", StoreConfig, plugin)
    raise _error(plugin, "a contribution is a class: a Stage, a Provider, a StateStore or a RecordStore", item)


def _checked(kind: Kind, item: type, attribute: str, config: type[msgspec.Struct], plugin: str) -> Contribution:
    found = getattr(item, "Config", None)
    if not (isinstance(found, type) and issubclass(found, config)):
        raise _error(plugin, f"{item.__name__}.Config must be a {config.__name__}", found)
    return Contribution(kind, _named(getattr(item, attribute, None), f"{plugin}: {item.__name__}"), item, plugin)


def _check_declared(stage: type[Stage], plugin: str) -> None:
    """Raise `ConfigError` where a class says something of itself in a form that would mean something else."""
    found: Any  # whatever an author wrote
    for attribute, promised in _DECLARED.items():
        found = getattr(stage, attribute)
        if isinstance(found, str | Key):
            raise _error(plugin, f"{stage.__name__}.{attribute} must be {promised}", found)
    if stage.on_fault not in get_args(OnFault):
        raise _error(plugin, f"{stage.__name__}.on_fault must be 'closed' or 'open'", stage.on_fault)


def _named(name: object, plugin: str) -> str:
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise _error(plugin, "a name is a lower-case letter, then lower-case letters, digits and _", name)
    return name


def _missing(item: type, protocol: type) -> list[str]:
    """Methods of a Protocol that a class has not. (`issubclass` cannot tell: these Protocols have data as well.)"""
    return [name for name in vars(protocol) if not name.startswith("_") and not hasattr(item, name)]


def _error(plugin: str, message: str, found: object) -> ConfigError:
    shown = found.__name__ if isinstance(found, type) else repr(found) if isinstance(found, str | None) else type(found)
    return ConfigError((ConfigProblem(message, where=f"plugin {plugin}", found=str(shown)),))
