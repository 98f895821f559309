"""Sub-commands that plugins contribute (`sentinel_commands`): those that the configuration enables, and `TOOLS`."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Sequence
from functools import wraps

import typer

from sentinel_core.commands import Command
from sentinel_core.registry import Registry
from sentinel_server.supervisor.launch import Launch

TOOLS = ("guard_tools",)
"""Plugins whose commands work with every configuration, so that no table names them."""


def enabled(given: Sequence[str]) -> Sequence[Command]:
    """What the plugins of the configuration bring: that which the arguments name, or else the usual one."""
    return _with_tools(_launch(given).gateway().blueprint.registry)


def tools() -> Sequence[Command]:
    """What is there whatever the configuration says."""
    return _with_tools(Registry())


def _with_tools(registry: Registry) -> Sequence[Command]:
    for name in TOOLS:
        registry.load_commands(name)
    return registry.commands()


def _launch(given: Sequence[str]) -> Launch:
    """The options that every command has, as far as they are whole; the command itself complains of them."""
    parser = ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("-c", "--config", nargs="?")
    parser.add_argument("--env-file", nargs="?")
    found, _ = parser.parse_known_args(given)
    return Launch(found.config, found.env_file)


def add_commands(app: typer.Typer, commands: Iterable[Command]) -> None:
    """Add these, in groups where their names have two words."""
    groups: dict[str, list[str]] = {}
    apps = {"": app}
    for command in commands:
        group, _, name = command.name.rpartition(" ")
        if group not in apps:
            apps[group] = typer.Typer(no_args_is_help=True)
        groups.setdefault(group, []).append(name)
        apps[group].command(name, help=command.help or None)(_exiting(command))
    groups.pop("", None)
    for group, names in groups.items():
        app.add_typer(apps[group], name=group, help=f"With {', '.join(names)}.")


def _exiting(command: Command) -> Callable[..., None]:
    @wraps(command.run)
    def run(*args: object, **kwargs: object) -> None:
        raise typer.Exit(command.run(*args, **kwargs))

    return run
