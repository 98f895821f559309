"""`sentinel serve`: start the gateway."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from sentinel_server.cli import colour
from sentinel_server.cli.options import ConfigOption, EnvFileOption, text

if TYPE_CHECKING:
    from sentinel_server.supervisor import Launch

NAME = "serve"


def command(
    config: ConfigOption = None,
    env_file: EnvFileOption = None,
    host: Annotated[str | None, typer.Option(help="Address to bind.")] = None,
    port: Annotated[int | None, typer.Option(help="TCP port; 0 takes a free one.")] = None,
    workers: Annotated[int | None, typer.Option(help="Processes that serve on that port.")] = None,
    runner: Annotated[str | None, typer.Option(help="hypercorn, or uvicorn from the extra 'fast'.")] = None,
    reload: Annotated[
        bool, typer.Option("--reload", help="Reload when the configuration changes, restart when code does.")
    ] = False,
) -> None:
    """Start the gateway and serve until SIGTERM or Ctrl-C, which drain; a second one stops at once."""
    hung_up = _remember_hang_ups()
    from sentinel_core.interpreter import running
    from sentinel_server.supervisor import RESTART, Launch

    given = {"host": host, "port": port, "workers": workers, "runner": runner}
    server = {key: value for key, value in given.items() if value is not None}
    code = _serve(Launch(text(config), text(env_file), server), reload=reload, hung_up=hung_up)
    if code == RESTART:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # which the next program inherits: it reads everything anew
        os.execv(sys.executable, running("sentinel_server", *sys.argv[1:]))  # noqa: S606 - ourselves
    raise typer.Exit(code)


def _remember_hang_ups() -> Callable[[], bool]:
    """Whether a SIGHUP has come since: it would end this process for as long as nobody heeds it."""
    came: list[int] = []
    signal.signal(signal.SIGHUP, lambda number, _: came.append(number))
    return lambda: bool(came)


def _serve(launch: Launch, *, reload: bool, hung_up: Callable[[], bool]) -> int:
    from sentinel_server import banner, logs, supervisor
    from sentinel_server.supervisor.binding import bind, url

    gateway = launch.served()
    server = gateway.settings.server
    if reload and server.workers > 1:
        raise typer.BadParameter("--reload is for one worker")
    logs.configure(server.log_level)
    listener = bind(server, shared=server.workers > 1)
    text = banner.render(gateway, url(listener), color=colour.shown(sys.stderr))

    def ready() -> None:
        print(text, file=sys.stderr, flush=True)

    return supervisor.run(launch, gateway, listener, ready, watch=reload, hung_up=hung_up)
