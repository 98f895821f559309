"""Several workers: started, watched, respawned, reloaded together, drained.

Each is a process with one single-worker server on its own SO_REUSEPORT socket, so that one worker's death is nobody
else's (0.1, 0.2) and no process holds a socket that it does not serve (0.4).
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable
from socket import socket

from sentinel_server.supervisor.channel import Order
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.process import WorkerProcess

log = logging.getLogger("sentinel.supervisor")

STEADY_S = 10.0
MAX_FAILURES = 5
FIRST_WAIT_S = 0.1
MAX_WAIT_S = 10.0
KILL_AFTER_S = 5.0


class Fleet:
    """The supervisor of `workers` processes on one bound, not listening `reservation` of the port."""

    def __init__(self, launch: Launch, runner: str, workers: int, drain_s: float, reservation: socket) -> None:
        self._launch = launch
        self._runner = runner
        self._count = workers
        self._drain_s = drain_s
        self._reservation = reservation
        self._processes: list[WorkerProcess | None] = [None] * workers
        self._stop = asyncio.Event()
        self._failed = False
        self._awaited = set(range(workers))
        self._reloading: asyncio.Task[str] | None = None

    async def run(self, ready: Callable[[], None]) -> int:
        """Keep every worker alive until stopped; `ready` is called once all of them serve. The exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await asyncio.gather(*(self._keep(slot, ready) for slot in range(self._count)))
        if self._reloading is not None:
            await self._reloading
        return 1 if self._failed else 0

    def stop(self) -> None:
        """Drain all workers; when called again, at once."""
        order: Order = "hurry" if self._stop.is_set() else "drain"
        self._stop.set()
        for process in self._alive():
            process.tell(order)

    async def reload(self) -> str:
        """Reload in all workers or in none; "" or why the old configuration stays."""
        problems = await self._ask_all("prepare")
        if not problems and (problems := await self._ask_all("commit")):
            await self._ask_all("rollback")
        if problems:
            log.error("reload refused, the configuration in force stays:\n%s", problems)
        else:
            log.info("reloaded in %d workers", self._count)
        return problems

    async def _keep(self, slot: int, ready: Callable[[], None]) -> None:
        """One place in the fleet: a process, and another one when it dies."""
        failures = 0
        while not self._stop.is_set():
            process = await WorkerProcess.start(self._launch, self._runner, self._reservation)
            self._processes[slot] = process
            if self._stop.is_set():
                process.tell("drain")
            await self._watch(slot, process, ready)
            if self._stop.is_set():
                self._failed = self._failed or process.code != 0
                return
            failures = 1 if process.lived_s > STEADY_S else failures + 1
            log.error("worker %d died (%s)", process.pid, process.epitaph)
            if self._hopeless(process, failures):
                self._give_up(process)
                return
            await self._wait(0 if failures == 1 else min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** (failures - 2)))

    def _hopeless(self, process: WorkerProcess, failures: int) -> bool:
        """A worker that refused a file which was broken since is tried again for as long as others serve."""
        if process.problems:
            return not any(other.serves for other in self._alive())
        return failures >= MAX_FAILURES

    async def _watch(self, slot: int, process: WorkerProcess, ready: Callable[[], None]) -> None:
        """Until the process has ended, one way or another."""
        if await process.ready():
            log.info("worker %d serves", process.pid)
            if slot in self._awaited:
                self._awaited.remove(slot)
                if not self._awaited:
                    ready()
        ending = asyncio.create_task(process.ended())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([ending, stopping], return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not ending.done():
            await asyncio.wait([ending], timeout=self._drain_s + KILL_AFTER_S)
        if not ending.done():
            process.kill()
        await ending

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    def _give_up(self, process: WorkerProcess) -> None:
        self._failed = True
        if not self._stop.is_set():
            log.critical("giving up: a worker cannot be kept alive (%s)", process.epitaph)
            self.stop()

    def _alive(self) -> Iterable[WorkerProcess]:
        return [process for process in self._processes if process is not None and process.code is None]

    async def _ask_all(self, order: Order) -> str:
        answers = await asyncio.gather(*(process.ask(order) for process in self._alive()))
        return "\n".join(dict.fromkeys(answer for answer in answers if answer))

    def _hang_up(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self.reload())
