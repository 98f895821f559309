"""Sub-commands that plugins contribute (`sentinel_commands`): those that the configuration enables, and `TOOLS`."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

import typer

from sentinel_core.commands import Command
from sentinel_server.supervisor.launch import Launch

TOOLS = ("guard_tools",)
"""Plugins whose commands work with every configuration, so that no table names them."""


def add_commands(app: typer.Typer) -> None:
    """Add what the plugins of the configuration bring: that of `SENTINEL_CONFIG`, or of `./sentinel.toml`."""
    groups: dict[str, typer.Typer] = {}
    registry = Launch().gateway().blueprint.registry
    for name in TOOLS:
        registry.load_commands(name)
    for command in registry.commands():
        group, _, name = command.name.rpartition(" ")
        if group and group not in groups:
            groups[group] = typer.Typer(no_args_is_help=True)
            app.add_typer(groups[group], name=group)
        (groups[group] if group else app).command(name, help=command.help or None)(_exiting(command))


def _exiting(command: Command) -> Callable[..., None]:
    @wraps(command.run)
    def run(*args: object, **kwargs: object) -> None:
        raise typer.Exit(command.run(*args, **kwargs))

    return run
