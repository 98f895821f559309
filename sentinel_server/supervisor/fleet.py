"""Several workers: started, watched, respawned, reloaded together, drained.

Each is a process with one single-worker server on its own SO_REUSEPORT socket, so that one worker's death is nobody
else's (0.1, 0.2) and no process holds a socket that it does not serve (0.4).
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Iterable, Sequence
from socket import socket

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor.channel import Order, Step
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.process import WorkerProcess

log = logging.getLogger("sentinel.supervisor")

STEADY_S = 10.0
MAX_FAILURES = 5
FIRST_WAIT_S = 0.1
MAX_WAIT_S = 10.0
KILL_AFTER_S = 5.0


class Fleet:
    """The supervisor of `server.workers` processes on one bound, not listening `reservation` of the port."""

    def __init__(self, launch: Launch, server: ServerSettings, reservation: socket) -> None:
        self._launch = launch
        self._server = server
        self._reservation = reservation
        self._processes: list[WorkerProcess | None] = [None] * server.workers
        self._stop = asyncio.Event()
        self._failed = False
        self._awaited = set(range(server.workers))
        self._reloading: asyncio.Task[str] | None = None

    async def run(self, ready: Callable[[], None]) -> int:
        """Keep every worker alive until stopped; `ready` is called once all of them serve. The exit code."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)
        await asyncio.gather(*(self._keep(slot, ready) for slot in range(self._server.workers)))
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
        workers = self._alive()
        problems = await _ask(workers, "prepare") or await _commit(workers)
        if problems:
            log.error("reload refused, the configuration in force stays:\n%s", problems)
        else:
            log.info("reloaded in %d workers", len(workers))
        return problems

    async def _keep(self, slot: int, ready: Callable[[], None]) -> None:
        """One place in the fleet: a process, and another one when it dies."""
        failures = 0
        while process := await self._start(slot):
            await self._watch(slot, process, ready)
            if self._stop.is_set():
                self._failed = self._failed or process.code != 0
                return
            failures = 1 if process.lived_s > STEADY_S else failures + 1
            log.error("worker %d died (%s)", process.pid, process.epitaph)
            if self._hopeless(process, failures):
                self._give_up(process.epitaph)
                return
            await self._wait(_pause_s(failures))

    async def _start(self, slot: int) -> WorkerProcess | None:
        """A process for this place; None once all is to stop. What the system refuses now, it is asked again."""
        failures = 0
        while not self._stop.is_set():
            try:
                process = await WorkerProcess.start(self._launch, self._server, self._reservation)
            except OSError as error:
                failures += 1
                log.error("a worker cannot be started (%s)", error)
                if failures >= MAX_FAILURES and not self._serves():
                    self._give_up(str(error))
                await self._wait(_pause_s(failures))
                continue
            self._processes[slot] = process
            if self._stop.is_set():
                process.tell("drain")
            return process
        return None

    def _hopeless(self, process: WorkerProcess, failures: int) -> bool:
        """A worker that refused a file which was broken since is tried again for as long as others serve."""
        return not self._serves() if process.problems else failures >= MAX_FAILURES

    async def _watch(self, slot: int, process: WorkerProcess, ready: Callable[[], None]) -> None:
        """Until the process has ended, one way or another."""
        coming = asyncio.create_task(process.ready())
        ending = asyncio.create_task(process.ended())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait([coming, stopping], return_when=asyncio.FIRST_COMPLETED)
        if coming.done() and coming.result():
            self._came_to_serve(slot, process, ready)
        await asyncio.wait([ending, stopping], return_when=asyncio.FIRST_COMPLETED)
        coming.cancel()
        stopping.cancel()
        if not ending.done():
            await asyncio.wait([ending], timeout=self._server.drain_timeout_s + KILL_AFTER_S)
        if not ending.done():
            process.kill()
        await ending

    def _came_to_serve(self, slot: int, process: WorkerProcess, ready: Callable[[], None]) -> None:
        log.info("worker %d serves", process.pid)
        if slot in self._awaited:
            self._awaited.remove(slot)
            if not self._awaited:
                ready()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stop.wait(), seconds)
        except TimeoutError:
            return

    def _give_up(self, reason: str) -> None:
        self._failed = True
        if not self._stop.is_set():
            log.critical("giving up: a worker cannot be kept alive (%s)", reason)
            self.stop()

    def _alive(self) -> Sequence[WorkerProcess]:
        return [process for process in self._processes if process is not None and process.code is None]

    def _serves(self) -> bool:
        return any(process.serves for process in self._alive())

    def _hang_up(self) -> None:
        if self._reloading is None or self._reloading.done():
            self._reloading = asyncio.get_running_loop().create_task(self.reload())


async def _ask(workers: Iterable[WorkerProcess], step: Step) -> str:
    """Take a step of a reload in all of them at once; "" or their problems, each once."""
    answers = await asyncio.gather(*(worker.ask(step) for worker in workers))
    return "\n".join(dict.fromkeys(answer for answer in answers if answer))


async def _commit(workers: Sequence[WorkerProcess]) -> str:
    """Swap in what all have prepared, or let those that did so return; "" or why."""
    problems = await _ask(workers, "commit")
    if problems and (stuck := await _ask(workers, "rollback")):
        log.critical("not every worker returned to the configuration before:\n%s", stuck)
    return problems


def _pause_s(failures: int) -> float:
    return 0.0 if failures == 1 else min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 2, 10))
