"""`sentinel scan` and `sentinel guard eval`: the guards of a configuration on texts of your own, without a provider."""

from __future__ import annotations

from collections.abc import Iterable

from sentinel_core.commands import Command
from sentinel_core.hookspecs import hookimpl
from sentinel_plugins.guard_tools.commands import COMMANDS


@hookimpl
def sentinel_commands() -> Iterable[Command]:
    """Commands for every configuration with a guard."""
    return COMMANDS
