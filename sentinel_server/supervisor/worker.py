"""One gateway served by one runner in this process: what a worker is, alone or among others."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from socket import socket
from typing import Literal, NamedTuple, TypeAlias

from sentinel_core.chain.faults import is_fault
from sentinel_core.config import Settings
from sentinel_core.config.files import Files
from sentinel_core.counts import Counts, Family
from sentinel_core.errors import SentinelError
from sentinel_core.gateway import Gateway
from sentinel_core.place import place
from sentinel_server.app import asgi
from sentinel_server.exposure import allowed_hosts
from sentinel_server.runners import load
from sentinel_server.runners.base import Limits, Serve, Shutdown
from sentinel_server.supervisor import collector
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.watchdog import Watchdog

log = logging.getLogger("sentinel.server")

GIVEN_UP = "given up before it was done"
Outcome: TypeAlias = Literal["applied", "refused", "rolled_back"]
"""What became of a reload in this process. What another worker refuses is rolled back here, where it was applied; one
that a newer one takes the place of is nothing."""


class Prepared(NamedTuple):
    """A configuration that was read and compiled. `warnings` are those of the worker that read it: others say none."""

    launch: Launch
    settings: Settings
    warnings: Sequence[str] = ()


class Worker:
    """Serves until told to stop; reloads in two steps, so that several workers can agree.

    `prepare` reads and compiles the configuration and changes nothing, `commit` swaps it in, `rollback` undoes a
    commit. Each returns "" or what is wrong; `give_up` ends the one that is being taken.
    """

    def __init__(self, launch: Launch, gateway: Gateway, listener: socket) -> None:
        self.files: Files = gateway.settings.files
        """Those that were read last, taken into use or not."""
        self._in_force = Prepared(launch, gateway.settings)
        self._gateway = gateway
        self._app = asgi(gateway)
        self._listener = listener
        self._shutdown = Shutdown()
        self._opened = asyncio.Event()
        self._opening: asyncio.Timeout | None = None
        self._step: asyncio.Timeout | None = None
        self._candidate: Prepared | None = None
        self._previous: Prepared | None = None

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
        log.info("draining: %d requests in flight, at most %g seconds", self._gateway.in_flight, self.drain_timeout_s)
        self._gateway.begin_drain()
        self._shutdown.begin.set()
        asyncio.get_running_loop().call_later(self.drain_timeout_s, self._shutdown.now.set)

    def hurry(self) -> None:
        """Cancel what still runs."""
        self.begin()
        self._shutdown.now.set()

    @property
    def drain_timeout_s(self) -> float:
        """How long running requests may take once it is told to stop."""
        return self._gateway.settings.server.drain_timeout_s

    @property
    def prepared(self) -> Launch | None:
        """What was prepared last, for others to prepare the same."""
        return self._candidate.launch if self._candidate is not None else None

    async def prepare(self, launch: Launch | None = None) -> str:
        """Read and compile the configuration, as it is now or as `launch` has it, on a thread: plugins are imported."""
        warns = launch is None
        launch = launch or self._in_force.launch.anew()
        self._candidate = self._previous = None
        self.files = launch.files()
        problems = await self._take(self._read(launch, self.files, warns=warns))
        if problems:
            self._note_refused(problems)
        return problems

    async def commit(self) -> str:
        """Swap in what was prepared. Running requests end on the generation they began with."""
        candidate = self._candidate
        if candidate is None:
            return "nothing was prepared"
        problems = await self._swap(candidate)
        if problems:
            self._note_refused(problems)
        else:
            self._note("applied")
        for warning in candidate.warnings if not problems else ():
            log.warning("the configuration in force has a warning: %s", warning)
        return problems

    async def rollback(self) -> str:
        """Return to the configuration before the last commit, where one was made."""
        if self._previous is None:
            return ""
        problems = await self._swap(self._previous)
        if not problems:
            self._note("rolled_back")
        return problems

    def give_up(self) -> None:
        """End the step that is being taken, if one is: what it reads is out of date, or what it opens does not open."""
        if self._step is not None:
            self._step.reschedule(asyncio.get_running_loop().time())

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
        self._app.allowed_hosts = allowed_hosts(self._gateway)
        serving = asyncio.create_task(serve(self._app, [self._listener], limits, self._shutdown))
        await asyncio.sleep(0)  # its first step listens
        collector.settle()
        if not serving.done():
            ready()
        with Watchdog():
            await serving

    async def _take(self, step: Awaitable[None]) -> str:
        limit = self._step = asyncio.timeout(None)
        try:
            async with limit:
                return await _tried(step)
        except TimeoutError:  # of `limit`: any other is what `_tried` tells
            return GIVEN_UP
        finally:
            self._step = None

    async def _swap(self, successor: Prepared) -> str:
        before = self._gateway.blueprint
        problems = await self._take(self._gateway.reload(successor.settings))
        if self._gateway.blueprint is not before:  # also where it was given up too late
            self._previous, self._in_force = self._in_force, successor
            self._app.allowed_hosts = allowed_hosts(self._gateway)
        return problems

    def _note_refused(self, problems: str) -> None:
        if problems != GIVEN_UP:
            self._note("refused")

    def _note(self, outcome: Outcome) -> None:
        if self._opened.is_set():
            reloads(self._gateway.services.counts).of(outcome).value += 1

    async def _read(self, launch: Launch, files: Files, *, warns: bool) -> None:
        await self._opened.wait()  # until then there is nothing that could be exchanged
        gateway = await asyncio.to_thread(launch.successor, self._gateway.settings.server, files)
        warnings = gateway.warnings if warns else ()
        self._candidate = Prepared(launch.settled(gateway.settings), gateway.settings, warnings)


def reloads(counts: Counts) -> Family:
    """Reloads by their outcome: what an operator is called for."""
    return counts.family("reloads", "Reloads of the configuration", "outcome")


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
