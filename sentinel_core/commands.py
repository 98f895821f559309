"""Sub-commands that plugins contribute to `sentinel`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

OWN_COMMANDS = ("serve", "check", "chain", "explain", "models", "plugins", "new-plugin", "version")
"""The commands of `sentinel` itself, whatever plugins bring."""


@dataclass(frozen=True, slots=True)
class Command:
    """One sub-command; `keys list` is `list` in the group `keys`.

    `run` gets its arguments from the command line by its own signature and annotations (typer's rules) and returns the
    exit code.
    """

    name: str
    run: Callable[..., int]
    help: str = ""


def is_own_command(command: Command) -> bool:
    """Whether one of Sentinel's own would always run in the place of this one, or of its group."""
    return command.name.partition(" ")[0] in OWN_COMMANDS
