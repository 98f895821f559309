"""The command line: `sentinel`. One file per command; each imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from types import ModuleType

import typer

from sentinel_core.commands import Command
from sentinel_core.decoding import is_utf8
from sentinel_core.errors import ConfigError, SentinelError
from sentinel_server.cli import chain, check, colour, explain, models, new_plugin, plugins, serve, version
from sentinel_server.cli.reporting import complain
from sentinel_server.cli.version import VersionOption

COMMANDS = (serve, check, chain, explain, models, plugins, new_plugin, version)
HELP = ("-h", "--help")
FAILURE = 1
CONFIG_ERROR = 2
ELSEWHERE = (
    "Commands of a plugin are there once the configuration turns it on, as [stages.auth] does for `keys` and `tenants`."
)


def application(commands: Sequence[ModuleType] = COMMANDS) -> typer.Typer:
    """The command line with Sentinel's own commands, or these of them."""
    app = typer.Typer(
        name="sentinel",
        help="An LLM gateway that you can read.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": [*HELP]},
    )
    app.callback()(_before_any_command)
    for module in commands:
        app.command(module.NAME)(module.command)
    return app


def _before_any_command(version: VersionOption = False) -> None:
    """The options of `sentinel` itself."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `sentinel` and exit. Configuration errors are listed on standard error; the exit code is then 2."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    for argument in given:
        if not is_utf8(os.fsencode(argument)) and not os.path.exists(argument):  # names of files may be any bytes
            print(f"sentinel: the argument {argument!r} is not UTF-8", file=sys.stderr)
            sys.exit(CONFIG_ERROR)
    try:
        _understanding(given)(args=given, color=False if colour.unwanted() else None)
    except ConfigError as error:
        complain(error.problems)
        sys.exit(CONFIG_ERROR)
    except SentinelError as error:  # a store that does not answer at start
        print(f"sentinel: {error.message}", file=sys.stderr)
        sys.exit(FAILURE)


def _understanding(given: Sequence[str]) -> typer.Typer:
    """The command line that these arguments need: with the one command that they name, for to describe them all to
    typer takes longer than most of them run, or with every command, to list them or to find what was meant."""
    if not given or given[0] in HELP:
        return _listing()
    own = [module for module in COMMANDS if given[0] == module.NAME]
    if own or given[0].startswith("-"):
        return application(own or COMMANDS)
    from sentinel_server.cli.contributed import add_commands

    contributed = _contributed(given)
    named = [command for command in contributed if _begins(command) == given[0]]
    if not named:
        print(f"sentinel: {given[0]!r} is no command of this configuration. {ELSEWHERE}", file=sys.stderr)
    app = application(() if named else COMMANDS)
    add_commands(app, named or contributed)
    return app


def _contributed(given: Sequence[str]) -> Sequence[Command]:
    """The commands of the plugins that the configuration enables: loading them takes most of a second.

    Where the configuration cannot be used help is still given for those that every configuration has.
    """
    from sentinel_server.cli.contributed import enabled, tools

    try:
        return enabled(given)
    except ConfigError:
        everywhere = tools()
        if not {*given} & {*HELP} or given[0] not in map(_begins, everywhere):
            raise
        return everywhere


def _begins(command: Command) -> str:
    return command.name.partition(" ")[0]


def _listing() -> typer.Typer:
    """Every command, for the list of them. A broken configuration is no reason to show none."""
    from sentinel_server.cli.contributed import add_commands, enabled

    app = application()
    try:
        add_commands(app, enabled(()))
    except SentinelError:
        app.info.epilog = "Commands of plugins are missing here: the configuration has errors, see `sentinel check`."
    return app
