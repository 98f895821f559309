"""The command line: `sentinel`. One file per command; each imports what it needs when it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import typer

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


def application() -> typer.Typer:
    """The command line with Sentinel's own commands."""
    app = typer.Typer(
        name="sentinel",
        help="An LLM gateway that you can read.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": [*HELP]},
    )
    app.callback()(_before_any_command)
    for module in COMMANDS:
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
        app = application()
        if not given or given[0] in HELP:
            _list_contributed(app)
        elif not given[0].startswith("-") and given[0] not in {module.NAME for module in COMMANDS}:
            _contribute(app, given, tools_only=any(word in HELP for word in given))
            if given[0] not in _names(app):
                print(f"sentinel: {given[0]!r} is no command of this configuration. {ELSEWHERE}", file=sys.stderr)
        app(args=given, color=False if colour.unwanted() else None)
    except ConfigError as error:
        complain(error.problems)
        sys.exit(CONFIG_ERROR)
    except SentinelError as error:  # a store that does not answer at start
        print(f"sentinel: {error.message}", file=sys.stderr)
        sys.exit(FAILURE)


def _contribute(app: typer.Typer, given: Sequence[str] = (), *, tools_only: bool = False) -> None:
    """Add the commands of the plugins that the configuration enables: loading them takes most of a second.

    With `tools_only`, where the configuration cannot be used, those that every configuration has.
    """
    from sentinel_server.cli.contributed import add_commands, enabled, tools

    try:
        commands = enabled(given)
    except ConfigError:
        commands = tools()
        if not tools_only or given[0] not in {command.name.partition(" ")[0] for command in commands}:
            raise
    add_commands(app, commands)


def _names(app: typer.Typer) -> set[str | None]:
    return {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}


def _list_contributed(app: typer.Typer) -> None:
    """For the list of commands. A broken configuration is no reason to show none."""
    try:
        _contribute(app)
    except SentinelError:
        app.info.epilog = "Commands of plugins are missing here: the configuration has errors, see `sentinel check`."
