"""pluggy's manager for the start-up hooks, with messages that say whose plugin is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pluggy

from sentinel_core.config.suggestion import did_you_mean
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.hookspecs import PHASES, Manager, StartUpHooks
from sentinel_core.place import place, place_outside


class Hooks:
    """Registered plugins and what their hooks return. `shown` is how messages call a plugin."""

    def __init__(self) -> None:
        self._manager = Manager(StartUpHooks)
        self._shown: dict[str, str] = {}

    def copy(self) -> Hooks:
        """Another one with the same plugins."""
        other = Hooks()
        for name, plugin in self._manager.list_name_plugin():
            if plugin is not None:
                other.add(plugin, name, self._shown[name])
        return other

    def has(self, plugin: object) -> bool:
        """True if it is registered."""
        return self._manager.is_registered(plugin)

    def any_of(self, plugin: object) -> bool:
        """True if it implements a hook, whichever."""
        return any(self._manager.parse_hookimpl_opts(plugin, name) is not None for name in dir(plugin))

    def add(self, plugin: object, name: str, shown: str) -> None:
        """Register a plugin. Raises `ConfigError` for arguments that its hooks do not have."""
        self._shown[name] = shown
        try:
            self._manager.register(plugin, name)
        except pluggy.PluginValidationError as error:
            raise ConfigError((ConfigProblem(" ".join(str(error).split()), where=f"plugin {shown}"),)) from None

    def remove(self, plugin: object) -> None:
        """Forget a plugin."""
        self._manager.unregister(plugin)

    def check_pending(self, of: object = None) -> None:
        """Raise `ConfigError` for every implementation (or those of the one plugin) that implements no hook of
        Sentinel."""
        problems = [
            _unknown(caller.name, self._shown[name])
            for name, plugin in self._manager.list_name_plugin()
            if of is None or plugin is of
            for caller in self._manager.get_hookcallers(plugin) or ()
            if not caller.has_spec()
        ]
        if problems:
            raise ConfigError(problems)

    def results(self, hook: str, *, of: object = None, **arguments: object) -> Iterator[tuple[Any, str]]:  # see below
        """What every plugin (or the one) returns for a hook, and how the plugin is shown.

        Typed by the hook's specification. Raises `ConfigError` if a hook raises or asks for an order.
        """
        for impl in getattr(self._manager.hook, hook).get_hookimpls():
            if of is None or impl.plugin is of:
                shown = self._shown[impl.plugin_name]
                yield _called(impl, hook, shown, arguments), shown


def broken(message: str, error: Exception, table: str = "") -> ConfigProblem:
    """A plugin's own failure, by type and place. Of most exceptions no text: it may quote what the plugin was given."""
    reason, where = type(error).__name__, place_outside(error)
    if isinstance(error, ImportError):
        reason += f": {error}"
    else:
        where = where or place(error)
    return ConfigProblem(f"{message}: {reason} ({where})" if where else f"{message}: {reason}", table=table)


def _called(impl: pluggy.HookImpl, hook: str, shown: str, arguments: dict[str, object]) -> Any:  # as specified
    # One by one and not through pluggy's caller: a message must say whose contribution it is about.
    if impl.tryfirst or impl.trylast or impl.wrapper or impl.hookwrapper:
        message = f"{hook}: plugins have no order among each other; use @hookimpl without options"
        raise ConfigError((ConfigProblem(message, where=f"plugin {shown}"),))
    try:
        result: Any = impl.function(**{name: arguments[name] for name in impl.argnames})  # Any: as each hook says
        return list(result) if isinstance(result, Iterator) else result  # a generator runs here, or fails here
    except Exception as error:  # a plugin's hook may fail with anything
        raise ConfigError((broken(f"{hook}() of plugin {shown} failed", error),)) from error


def _unknown(hook: str, shown: str) -> ConfigProblem:
    hint = did_you_mean(hook, [name for name in vars(StartUpHooks) if not name.startswith("_")])
    if hook in PHASES:
        hint = "phases belong into a Stage class"
    return ConfigProblem(f"unknown hook {hook!r}", where=f"plugin {shown}", suggestion=hint)
