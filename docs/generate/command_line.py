"""Every command of `sentinel` with its options, from the typer application."""

from __future__ import annotations

import typer.main
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from docs.generate.markdown import table
from sentinel_server.cli import application

HEAD = """# Command line

`sentinel COMMAND --help` says the same. Plugins may add commands; `sentinel plugins` lists them.
"""


def command_line_page() -> str:
    """The page `reference/cli.md`."""
    return "\n".join([HEAD, *(_section(name, command) for name, command in commands().items())])


def commands() -> dict[str, TyperCommand]:
    """Sentinel's own sub-commands by name."""
    group = typer.main.get_command(application())
    if not isinstance(group, TyperGroup):
        raise TypeError("sentinel has no sub-commands")
    found = {name: group.commands[name] for name in sorted(group.commands)}
    return {name: command for name, command in found.items() if isinstance(command, TyperCommand)}


def _section(name: str, command: TyperCommand) -> str:
    text = f"## `sentinel {name}`\n\n{(command.help or '').strip()}\n"
    rows = [_row(item) for item in command.params if isinstance(item, TyperOption | TyperArgument)]
    return f"{text}\n{table(('option', 'default', 'what it does'), rows)}" if rows else text


def _row(item: TyperOption | TyperArgument) -> tuple[str, str, str]:
    default = "" if item.default in (None, False) or callable(item.default) else f"`{item.default}`"
    names = [*item.opts, *item.secondary_opts] if isinstance(item, TyperOption) else [(item.name or "").upper()]
    return ", ".join(f"`{name}`" for name in names), default, item.help or ""
