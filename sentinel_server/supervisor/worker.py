"""One gateway served by one runner in this process: what a worker is, alone or among others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from socket import socket

from sentinel_core.chain.faults import is_fault, place
from sentinel_core.config import Settings
from sentinel_core.errors import SentinelError
from sentinel_core.gateway import Gateway
from sentinel_server.app import asgi
from sentinel_server.runners import load
from sentinel_server.runners.base import Limits, Serve, Shutdown
from sentinel_server.supervisor import collector
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.watchdog import Watchdog

log = logging.getLogger("sentinel.server")


class Worker:
    """Serves until told to stop; reloads in two steps, so that several workers can agree.

    `prepare` reads and compiles the configuration and changes nothing, `commit` swaps it in, `rollback` undoes a
    commit. Each returns "" or what is wrong.
    """

    def __init__(self, launch: Launch, gateway: Gateway, listener: socket) -> None:
        self._launch = launch
        self._gateway = gateway
        self._listener = listener
        self._shutdown = Shutdown()
        self._opened = asyncio.Event()
        self._opening: asyncio.Timeout | None = None
        self._candidate: Settings | None = None
        self._previous: Settings | None = None

    async def run(self, ready: Callable[[], None]) -> None:
        """Open the gateway, serve, drain, close. `ready` is called when connections are accepted."""
        serve = load(self._gateway.settings.server.runner)
        async with AsyncExitStack() as life:
            if await self._open(life):
                await self._serve(serve, ready)

    def begin(self) -> None:
        """Refuse new work and let running requests end; after the drain time-out they are cancelled (S01, S02).

        A gateway that is still being opened is given up: nobody would use it any more.
        """
        if self._shutdown.begin.is_set():
            return
        if self._opening is not None:
            self._opening.reschedule(asyncio.get_running_loop().time())
        timeout_s = self._gateway.settings.server.drain_timeout_s
        log.info("draining: %d requests in flight, at most %g seconds", self._gateway.in_flight, timeout_s)
        self._gateway.begin_drain()
        self._shutdown.begin.set()
        asyncio.get_running_loop().call_later(timeout_s, self._shutdown.now.set)

    def hurry(self) -> None:
        """Cancel what still runs."""
        self.begin()
        self._shutdown.now.set()

    async def prepare(self) -> str:
        """Read and compile the configuration as it is now, on a thread: plugins may be imported."""
        self._candidate = self._previous = None
        return await _tried(self._read())

    async def commit(self) -> str:
        """Swap in what was prepared. Running requests end on the generation they began with."""
        if self._candidate is None:
            return "nothing was prepared"
        before = self._gateway.settings
        if not (problems := await _tried(self._gateway.reload(self._candidate))):
            self._previous = before
        return problems

    async def rollback(self) -> str:
        """Return to the configuration before the last commit, where one was made."""
        return await _tried(self._gateway.reload(self._previous)) if self._previous is not None else ""

    async def _open(self, life: AsyncExitStack) -> bool:
        """Whether the gateway is open. Not if it was to end before it was."""
        opening = self._opening = asyncio.timeout(None)
        try:
            async with opening:
                await life.enter_async_context(self._gateway)
        except TimeoutError:
            if opening.expired():
                return False
            raise
        finally:
            self._opening = None
        self._opened.set()
        return True

    async def _serve(self, serve: Serve, ready: Callable[[], None]) -> None:
        limits = Limits.of(self._gateway.settings.server)
        serving = asyncio.create_task(serve(asgi(self._gateway), [self._listener], limits, self._shutdown))
        await asyncio.sleep(0)  # its first step listens
        collector.settle()
        if not serving.done():
            ready()
        with Watchdog():
            await serving

    async def _read(self) -> None:
        await self._opened.wait()  # until then there is nothing that could be exchanged
        gateway = await asyncio.to_thread(self._launch.successor, self._gateway.settings.server)
        self._candidate = gateway.settings


async def _tried(step: Awaitable[None]) -> str:
    """What is wrong with a step of a reload. Nothing that a plugin raises may end the task that asked for it."""
    try:
        await step
    except SentinelError as error:
        return str(error)
    except BaseException as error:  # `is_fault` tells a cancellation that nobody asked for from one that somebody did
        if not is_fault(error):
            raise
        log.exception("the new configuration cannot be used")
        return f"{type(error).__name__} ({place(error)})"
    return ""
