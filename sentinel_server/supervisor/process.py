"""One worker process as its supervisor sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import socket

import msgspec

from sentinel_core.config import ServerSettings
from sentinel_core.exit_code import epitaph
from sentinel_core.interpreter import running
from sentinel_server.supervisor.channel import Channel, Command, Order, Report, Start, Step
from sentinel_server.supervisor.launch import Launch

CHILD = "sentinel_server.supervisor.child"


class WorkerProcess:
    """A started worker: what it reported, how it ended."""

    def __init__(self, process: asyncio.subprocess.Process, channel: Channel) -> None:
        self._process = process
        self._channel = channel
        self._loop = asyncio.get_running_loop()
        self._started = self._loop.time()
        self._is_ready: asyncio.Future[bool] = self._loop.create_future()
        self._answer: asyncio.Future[Report] = self._loop.create_future()
        self._reading = self._loop.create_task(self._read())
        self.problems = ""  # why it said that it cannot serve
        self.lived_s = 0.0

    @classmethod
    async def start(cls, launch: Launch, server: ServerSettings, reservation: socket.socket) -> WorkerProcess:
        """A new process on the reserved port, in a process group of its own: Ctrl-C is for the supervisor.

        Raises `OSError` where the system has none to give.
        """
        host, port = reservation.getsockname()[:2]
        ours, theirs = socket.socketpair()
        with theirs:
            command = running(CHILD, str(theirs.fileno()), server.runner)
            try:
                process = await asyncio.create_subprocess_exec(*command, pass_fds=[theirs.fileno()], process_group=0)
            except BaseException:  # a start that is cancelled leaves no socket open
                ours.close()
                raise
        channel = await Channel.over(ours)
        channel.send(Start(launch, server, host, port))
        return cls(process, channel)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def code(self) -> int | None:
        """The exit code, negative for a signal; None while it runs."""
        return self._process.returncode

    @property
    def hears(self) -> bool:
        """Whether there is anybody to be asked."""
        return not self._reading.done()

    @property
    def obeyed(self) -> bool:
        """Whether it ended as it was told to: SIGTERM itself ends one that does not hear it yet, and serves nobody."""
        return self.code in (0, -signal.SIGTERM)

    @property
    def serves(self) -> bool:
        """Whether it accepts connections, as far as is known."""
        return self.code is None and self._is_ready.done() and self._is_ready.result()

    @property
    def epitaph(self) -> str:
        """How it ended, for the log."""
        if self.problems:
            return self.problems
        return epitaph(self.code or 0)

    @property
    def _gone(self) -> str:
        return f"worker {self.pid} has ended; the next one starts with the configuration in force"

    async def ready(self) -> bool:
        """Whether it came to serve."""
        return await asyncio.shield(self._is_ready)

    async def ended(self) -> None:
        """It has exited and everything it said is read."""
        await self._process.wait()
        await self._reading
        self.lived_s = self._loop.time() - self._started
        self._channel.close()

    def tell(self, order: Order) -> None:
        """Give an order that needs no answer."""
        self._channel.send(Command(order))

    async def ask(self, step: Step, launch: Launch | None = None) -> Report:
        """Give an order and wait for what it leads to. One at a time."""
        if not self.hears:
            return Report("failed", self._gone)
        self._answer = self._loop.create_future()
        self._channel.send(Command(step, launch))
        return await self._answer

    def kill(self) -> None:
        """End it at once."""
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)

    async def _read(self) -> None:
        while message := await self._channel.message():
            report = msgspec.json.decode(message, type=Report)
            if report.about == "ready":
                self._is_ready.set_result(True)
            elif report.about == "failed":
                self.problems = report.problems
            else:
                self._answer.set_result(report)
        if not self._is_ready.done():
            self._is_ready.set_result(False)
        if not self._answer.done():
            self._answer.set_result(Report("failed", self._gone))
