"""What pip installed: the entry points of group `sentinel`, read without importing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import Distribution, EntryPoint, EntryPoints, entry_points
from typing import NamedTuple

from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.hookspecs import PROJECT
from sentinel_core.registry.contributions import Kind

_PREFIXES: dict[Kind, str] = {"state": "state_", "records": "records_"}


class PluginInfo(NamedTuple):
    """One installed name: the module that brings it, and the distribution that brings the module."""

    name: str
    module: str
    distribution: str
    version: str


def installed() -> tuple[PluginInfo, ...]:
    """Every installed plugin name in alphabetical order. Imports none of them."""
    return tuple(sorted(_info(entry) for entry in installed_entries()))


def entry_name(name: str, kind: Kind) -> str:
    """The entry point behind a name of the configuration: stores carry their kind, `state_memory`."""
    return _PREFIXES.get(kind, "") + name


def installed_entries() -> EntryPoints:
    """What every installed distribution brings. Looking through them all takes milliseconds, and is done again only
    after something was installed or removed."""
    return _entries(tuple((place, _changed_at(place)) for place in sys.path))


@lru_cache(maxsize=1)
def _entries(places: tuple[tuple[str, int], ...]) -> EntryPoints:
    return entry_points(group=PROJECT)


def _changed_at(place: str) -> int:
    """When a file or folder came into it or left it; 0 if it is none."""
    try:
        return os.stat(place or os.curdir).st_mtime_ns
    except OSError:
        return 0


def find_entry(entries: EntryPoints, name: str, kind: Kind, table: str) -> EntryPoint:
    """The one entry point for a name. Raises `ConfigError` if there is none, or more than one."""
    wanted = entry_name(name, kind)
    found = [entry for entry in entries if entry.name == wanted]
    if len({entry.value for entry in found}) > 1:
        message = f"{' and '.join(label(entry) for entry in found)} both bring {wanted!r}"
        raise ConfigError((ConfigProblem(message, table=table, expected="one of them installed"),))
    if not found:
        raise ConfigError((_unknown(name, kind, table, entries),))
    return found[0]


def label(entry: EntryPoint) -> str:
    """The distribution behind an entry point, for messages: `acme-guard 1.0`."""
    info = _info(entry)
    return f"{info.distribution} {info.version}".strip() or info.module


def _unknown(name: str, kind: Kind, table: str, entries: EntryPoints) -> ConfigProblem:
    prefix = entry_name("", kind)
    hint = did_you_mean(name, [*_of_kind(kind, entries)])
    if prefix and name in entries.names:
        hint = f"there is an entry point {name!r}: one that brings such a store is called {prefix + name!r}"
    return ConfigProblem(
        f"no installed plugin brings the {kind} {name!r}",
        table=table,
        expected="an installed name (`sentinel plugins` lists them); `pip install` the package that brings it",
        suggestion=hint,
    )


def _of_kind(kind: Kind, entries: EntryPoints) -> Iterator[str]:
    """The installed names that may bring this kind, as nearly as they tell without being imported: stores by their
    prefixes, providers by the folder in which a package keeps all of them."""
    prefix, others = entry_name("", kind), tuple(_PREFIXES.values())
    housed = {_package(entry) for entry in entries if _is_provider(entry)}
    for entry in entries:
        if prefix or entry.name.startswith(others):
            fits = bool(prefix) and entry.name.startswith(prefix)
        elif kind == "provider":
            fits = _is_provider(entry) or _package(entry) not in housed
        else:
            fits = not _is_provider(entry)
        if fits:
            yield entry.name.removeprefix(prefix)


def _is_provider(entry: EntryPoint) -> bool:
    return ".providers." in entry.module


def _package(entry: EntryPoint) -> str:
    return entry.module.partition(".")[0]


def _info(entry: EntryPoint) -> PluginInfo:
    return PluginInfo(entry.name, entry.module, *(_named(entry.dist) if entry.dist else ("", "")))


@lru_cache(maxsize=64)
def _named(distribution: Distribution) -> tuple[str, str]:
    """Its name and version: read from a file at each look, and asked for once per plugin that it brings."""
    return distribution.name, distribution.version
