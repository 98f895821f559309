"""`sentinel serve`: start the gateway."""

from __future__ import annotations

import os
import sys
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
    from sentinel_server.supervisor import RESTART, Launch

    given = {"host": host, "port": port, "workers": workers, "runner": runner}
    if reload and (workers or 1) > 1:
        raise typer.BadParameter("--reload is for one worker")
    server = {key: str(value) for key, value in given.items() if value is not None}
    code = _serve(Launch(text(config), text(env_file), server), reload=reload)
    if code == RESTART:
        os.execv(sys.executable, [sys.executable, "-m", "sentinel_server", *sys.argv[1:]])  # noqa: S606 - ourselves
    raise typer.Exit(code)


def _serve(launch: Launch, *, reload: bool) -> int:
    from sentinel_server import banner, logs, supervisor
    from sentinel_server.exposure import check
    from sentinel_server.supervisor.binding import bind, url

    gateway = launch.gateway()
    server = gateway.settings.server
    logs.configure(server.log_level)
    check(gateway)
    listener = bind(server, shared=server.workers > 1)
    text = banner.render(gateway, url(listener), color=colour.shown(sys.stderr))
    return supervisor.run(launch, gateway, listener, lambda: print(text, file=sys.stderr, flush=True), watch=reload)
