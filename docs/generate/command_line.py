"""Every command of `sentinel` with its options, from the typer application."""

from __future__ import annotations

from collections.abc import Iterator

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from docs.generate.markdown import table
from sentinel_core.registry import Registry
from sentinel_core.registry.installed import installed
from sentinel_server.cli import application
from sentinel_server.cli.contributed import add_commands

HEAD = """# Command line

`sentinel COMMAND --help`, or `-h`, says the same, and `sentinel --version` which version it is. Plugins add commands:
those of a stage are there where the configuration has that stage. Colours are for terminals; `NO_COLOR=1` turns them
off.
"""
BROUGHT = """
---

The commands that follow are brought by plugins.
"""


def command_line_page() -> str:
    """The page `reference/cli.md`."""
    own = [_section(name, command) for name, command in commands().items()]
    return "\n".join([HEAD, *own, BROUGHT, *(_section(name, command) for name, command in brought().items())])


def commands() -> dict[str, TyperCommand]:
    """Sentinel's own sub-commands by name."""
    return _commands_of(application())


def brought() -> dict[str, TyperCommand]:
    """The sub-commands of the plugins that Sentinel comes with, by name."""
    registry = Registry()
    for plugin in installed():
        if plugin.module.startswith("sentinel_plugins."):
            registry.load_commands(plugin.name)
    app = typer.Typer()
    add_commands(app, registry.commands())
    return _commands_of(app)


def _commands_of(app: typer.Typer) -> dict[str, TyperCommand]:
    group = typer.main.get_command(app)
    if not isinstance(group, TyperGroup):
        raise TypeError("there are no sub-commands")
    return dict(sorted(_flat(group)))


def _flat(group: TyperGroup, before: str = "") -> Iterator[tuple[str, TyperCommand]]:
    """Groups become words of the names."""
    for name, command in group.commands.items():
        if isinstance(command, TyperGroup):
            yield from _flat(command, f"{before}{name} ")
        elif isinstance(command, TyperCommand):
            yield f"{before}{name}", command


def _section(name: str, command: TyperCommand) -> str:
    text = f"## `sentinel {name}`\n\n{(command.help or '').strip()}\n"
    rows = [_row(item) for item in command.params if isinstance(item, TyperOption | TyperArgument)]
    return f"{text}\n{table(('option', 'default', 'what it does'), rows)}" if rows else text


def _row(item: TyperOption | TyperArgument) -> tuple[str, str, str]:
    default = "" if item.default in (None, False, "") or callable(item.default) else f"`{item.default}`"
    names = [*item.opts, *item.secondary_opts] if isinstance(item, TyperOption) else [(item.name or "").upper()]
    return ", ".join(f"`{name}`" for name in names), default, item.help or ""
