"""What is installed and what is loaded: pluggy around the entry points of group `sentinel`.

Installed is not enabled: a plugin's module is imported only when the configuration names it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib.metadata import EntryPoint, EntryPoints
from types import ModuleType
from typing import TYPE_CHECKING, Any

from sentinel_core.commands import Command, is_own_command
from sentinel_core.endpoints import Endpoint, Socket
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.jobs import Job
from sentinel_core.provider import Provider
from sentinel_core.records import RecordStore
from sentinel_core.registry.complaint import complaint, taken
from sentinel_core.registry.contributions import (
    CONTRIBUTING_HOOKS,
    Contribution,
    Kind,
    contribution,
    contributions,
    declarations,
)
from sentinel_core.registry.hooks import Hooks, broken
from sentinel_core.registry.installed import entry_name, find_entry, installed_entries, label
from sentinel_core.registry.routes import routes
from sentinel_core.services import ServiceFactory
from sentinel_core.stage import Stage
from sentinel_core.state import StateStore

if TYPE_CHECKING:
    from sentinel_core.gateway import Gateway

_TABLES: Mapping[Kind, str] = {"stage": "stages.", "provider": "providers.", "service": "services."}


class Registry:
    """Plugins by name. Starts empty: `load` what the configuration names, `register` what lives in this process."""

    def __init__(self) -> None:
        self._hooks = Hooks()
        self._found: dict[tuple[Kind, str], Contribution] = {}
        self._blocked: set[str] = set()

    def copy(self) -> Registry:
        """Another one that begins with what is here: what it loads stays its own."""
        other = Registry()
        other._hooks, other._found, other._blocked = self._hooks.copy(), dict(self._found), set(self._blocked)
        return other

    def load(self, name: str, kind: Kind, *, table: str = "") -> None:
        """Import the installed plugin that brings `name`, unless it is here already.

        `table` is the place in the configuration that asks, for messages. Raises `ConfigError`: nothing of this name
        is installed, two distributions claim it, it is blocked, or its module is broken.
        """
        if (kind, name) in self._found:
            return
        table = table or _TABLES.get(kind, kind) + (name if kind in _TABLES else "")
        entry = self._import(name, kind, table)
        if (kind, name) not in self._found:
            brought = ", ".join(found for of, found in self._found if of == kind) or "none"
            message = f"{entry.module} ({label(entry)}) brings no {kind} of the name {name!r}"
            raise ConfigError(
                (ConfigProblem(message, table=table, expected=f"one of the {kind} plugins here: {brought}"),)
            )

    def load_commands(self, name: str) -> None:
        """Import an installed plugin that no table names, for the commands that it brings. Raises `ConfigError`."""
        self._import(name, "command", "")

    def _import(self, name: str, kind: Kind, table: str) -> EntryPoint:
        if entry_name(name, kind) in self._blocked:
            raise ConfigError((ConfigProblem(f"the {kind} {name!r} is blocked", table=table),))
        entry = find_entry(self._installed, name, kind, table)
        try:
            plugin = entry.load()
        except Exception as error:  # an import may fail with anything
            raise ConfigError((broken(f"{entry.module} ({label(entry)}) cannot be imported", error, table),)) from error
        self._register(plugin, entry.value, label(entry))
        return entry

    @cached_property
    def _installed(self) -> EntryPoints:
        return installed_entries()

    def register(self, plugin: object) -> None:
        """Add a plugin that lives in this process: a module or object with hooks, or one class on its own.

        Raises `ConfigError` for names that are taken, misspelt hooks, unknown arguments, and values that are no plugin.
        A plugin that is refused leaves nothing behind.
        """
        if isinstance(plugin, type):
            self._add([contribution(plugin, f"{plugin.__module__}.{plugin.__qualname__}")])
            return
        name = plugin.__name__ if isinstance(plugin, ModuleType) else f"{type(plugin).__qualname__} at {id(plugin):#x}"
        if not self._hooks.any_of(plugin):
            message = "brings no hook: mark its functions with @hookimpl, or register a class"
            raise ConfigError((ConfigProblem(message, where=f"plugin {name}", found=type(plugin).__name__),))
        self._register(plugin, name, name)

    def block(self, name: str) -> None:
        """Never load what brings this entry-point name, whatever the configuration says."""
        self._blocked.add(name)

    def check_pending(self) -> None:
        """Raise `ConfigError` for every hook implementation that implements no hook of Sentinel."""
        self._hooks.check_pending()

    @property
    def stages(self) -> Mapping[str, type[Stage]]:
        """Loaded stages by name."""
        return self._of("stage")

    @property
    def providers(self) -> Mapping[str, type[Provider]]:
        """Loaded providers by kind."""
        return self._of("provider")

    @property
    def state_stores(self) -> Mapping[str, type[StateStore]]:
        """Loaded state stores by kind."""
        return self._of("state")

    @property
    def record_stores(self) -> Mapping[str, type[RecordStore]]:
        """Loaded record stores by kind."""
        return self._of("records")

    @property
    def services(self) -> Mapping[str, ServiceFactory]:
        """Loaded services by name."""
        return self._of("service")

    def endpoints(self, gateway: Gateway) -> tuple[Endpoint | Socket, ...]:
        """The routes of every loaded plugin. Raises `ConfigError` for every one that two plugins claim, is the server's
        own, or could not be served."""
        return routes(self._each("sentinel_endpoints", (Endpoint, Socket), gateway=gateway))

    def jobs(self, gateway: Gateway) -> tuple[Job, ...]:
        """The background work of every loaded plugin. Raises `ConfigError` for what is no job."""
        return tuple(job for job, _ in self._each("sentinel_jobs", (Job,), gateway=gateway))

    def commands(self) -> tuple[Command, ...]:
        """The sub-commands of every loaded plugin. Raises `ConfigError` if two plugins claim one, or it is Sentinel's
        own."""
        commands: dict[str, tuple[Command, str]] = {}
        for command, plugin in self._each("sentinel_commands", (Command,)):
            if not (isinstance(command.name, str) and command.name.strip() and callable(command.run)):
                raise ConfigError((complaint(plugin, "a command has a name and a function to run", command.name),))
            if is_own_command(command):
                message = f"the command {command.name!r} is Sentinel's own: it would never be run"
                raise ConfigError((ConfigProblem(message, where=f"plugin {plugin}", expected="another name"),))
            if command.name in commands:
                raise ConfigError((taken(f"command {command.name!r}", commands[command.name][1], plugin),))
            commands[command.name] = (command, plugin)
        return tuple(command for command, _ in commands.values())

    def _of(self, kind: Kind) -> dict[str, Any]:  # classes or factories of the kind
        return {name: found.value for (of, name), found in self._found.items() if of == kind}

    def _each(
        self, hook: str, kinds: tuple[type, ...], **arguments: object
    ) -> Iterator[tuple[Any, str]]:  # of these kinds
        for result, shown in self._hooks.results(hook, **arguments):
            yield from ((item, shown) for item in declarations(hook, result, kinds, shown))

    def _register(self, plugin: object, name: str, shown: str) -> None:
        if self._hooks.has(plugin):
            return  # two names of one module
        self._hooks.add(plugin, name, shown)
        try:
            self._hooks.check_pending(of=plugin)
            self._add([item for hook in CONTRIBUTING_HOOKS for item in self._contributed(plugin, hook)])
        except ConfigError:
            self._hooks.remove(plugin)
            raise

    def _contributed(self, plugin: object, hook: str) -> Iterator[Contribution]:
        for result, shown in self._hooks.results(hook, of=plugin):
            yield from contributions(hook, result, shown)

    def _add(self, found: list[Contribution]) -> None:
        """All of them or none."""
        new: dict[tuple[Kind, str], Contribution] = {}
        for item in found:
            place = (item.kind, item.name)
            other = self._found.get(place) or new.get(place)
            if other is not None:
                raise ConfigError((taken(f"{item.kind} {item.name!r}", other.plugin, item.plugin),))
            new[place] = item
        self._found |= new
