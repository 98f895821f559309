"""`sentinel check`: is this configuration usable, and what is in force?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sentinel_core.printing import table
from sentinel_server.cli.options import ConfigOption, EnvFileOption, text

if TYPE_CHECKING:
    from sentinel_core.config import Settings
    from sentinel_server.supervisor.launch import Launch

NAME = "check"


def command(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    suggest: Annotated[bool, typer.Option("--suggest", help="Print an order of the chain that works.")] = False,
    show: Annotated[bool, typer.Option("--show", help="Print every setting in force and its source.")] = False,
) -> None:
    """Check the configuration without starting anything. Lists every problem at once and exits 2 if there is one.

    Nothing is opened: what only a store, a provider or a model can say of a setting, `serve` says.
    """
    from sentinel_server.supervisor.launch import Launch

    launch = Launch(text(config), text(env_file))
    if suggest:
        print(_order(launch))
        return
    gateway = launch.served()
    if show:
        values = gateway.settings.effective()
        print(table(("TABLE", "KEY", "VALUE", "SOURCE"), values))
    for warning in gateway.warnings:
        print(f"warning: {warning}")
    if off := _turned_off(gateway.settings):
        print(f"note: on without a file, and off with this one, which does not name them: {', '.join(off)}")
    print("The configuration is usable.")


def _turned_off(settings: Settings) -> list[str]:
    """The stages that a file turns off by not naming them."""
    from sentinel_core.config.sources import STAGES_WITHOUT_FILE

    return [name for name in STAGES_WITHOUT_FILE if name not in settings.stages] if settings.path is not None else []


def _order(launch: Launch) -> str:
    """An order of the enabled stages that satisfies what they declare, as the line to put into the file."""
    from sentinel_core.errors import ConfigError
    from sentinel_core.order import suggest
    from sentinel_core.registry import Registry

    registry = Registry()
    enabled = [name for name, table in launch.settings().stages.items() if table.enabled]
    try:
        for name in enabled:
            registry.load(name, "stage")
    except ConfigError:
        launch.gateway()  # says every problem, each with its place
        raise
    names = ", ".join(f'"{name}"' for name in suggest({name: registry.stages[name] for name in enabled}))
    return f"[chain]\nstages = [{names}]"
