"""Our own supervisor: one single-worker server per process, drain, respawn, reload in all workers or in none.

Hypercorn's multi-worker master cuts streams at once on SIGTERM, takes every worker down when one dies, and then exits
0 (0.1, 0.2). One worker serves in the process that was started; more are children of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from socket import socket

from sentinel_core.gateway import Gateway
from sentinel_server.runners import loop_factory
from sentinel_server.supervisor.binding import claimed
from sentinel_server.supervisor.fleet import Fleet
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.single import RESTART, Single
from sentinel_server.supervisor.worker import Worker

__all__ = ["RESTART", "Launch", "run"]


def run(
    launch: Launch,
    gateway: Gateway,
    listener: socket,
    ready: Callable[[], None],
    *,
    watch: bool = False,
    hung_up: Callable[[], bool] = lambda: False,
) -> int:
    """Serve until a signal says stop; the exit code.

    0 after a drain, even one that ran into its deadline; 1 if a worker could not be started or kept alive, or did not
    end. A process that has one worker and does not end is killed, so that this function may never return.
    `ready` is called once, when every worker accepts connections. With `watch`, files are looked at (`--reload`), which
    is for one worker; `RESTART` then says that code has changed. `hung_up` says whether a SIGHUP came before: it is
    made up for. A reload reads the files that `gateway` was made from: where one is missing then, it is refused.
    """
    server = gateway.settings.server
    launch = launch.settled(gateway.settings)
    if server.workers > 1:
        with listener, claimed(listener, server):
            return asyncio.run(Fleet(launch, server, listener).run(ready, hung_up=hung_up))
    with asyncio.Runner(loop_factory=loop_factory(server.runner)) as loop:
        return loop.run(Single(Worker(launch, gateway, listener)).run(ready, watch=watch, hung_up=hung_up))
