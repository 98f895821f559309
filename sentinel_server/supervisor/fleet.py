"""Several workers: started, watched, respawned, reloaded together, drained.

Each is a process with one single-worker server on its own SO_REUSEPORT socket, so that one worker's death is nobody
else's (0.1, 0.2) and no process holds a socket that it does not serve (0.4).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from socket import socket

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor.channel import Order, Step
from sentinel_server.supervisor.last_resort import KILL_AFTER_S
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.process import WorkerProcess
from sentinel_server.supervisor.reloads import Reloads, heed
from sentinel_server.supervisor.worker import GIVEN_UP

log = logging.getLogger("sentinel.supervisor")

STEADY_S = 10.0
MAX_FAILURES = 5
FIRST_WAIT_S = 0.1
MAX_WAIT_S = 10.0


class Fleet:
    """The supervisor of `server.workers` processes on one bound, not listening `reservation` of the port.

    `launch` is what the configuration in force was read from, and what that said: whatever its files say now, a worker
    that is respawned is told what the others have.
    """

    def __init__(self, launch: Launch, server: ServerSettings, reservation: socket) -> None:
        self._launch = launch
        self._server = server
        self._reservation = reservation
        self._processes: list[WorkerProcess | None] = [None] * server.workers
        self._stop = asyncio.Event()
        self._hurry = asyncio.Event()
        self._failed = False
        self._awaited = set(range(server.workers))
        self._reloads = Reloads(self._reload, self._end_step)
        self._returning = False
        self._launching = asyncio.Lock()

    async def run(self, ready: Callable[[], None], *, hung_up: Callable[[], bool]) -> int:
        """Keep every worker alive until stopped; `ready` is called once all of them serve. The exit code.

        `hung_up` says whether a SIGHUP came before there was anybody to heed it.
        """
        keeping = [asyncio.create_task(self._keep(slot, ready)) for slot in range(self._server.workers)]
        heed(self.stop, self._reloads, hung_up)  # a reload waits its turn: until each of them has started a worker
        await asyncio.gather(*keeping)
        await self._reloads.ended()
        return 1 if self._failed else 0

    def stop(self) -> None:
        """Drain all workers; when called again, at once."""
        if self._stop.is_set():
            self._hurry.set()
        self._stop.set()
        self._tell("hurry" if self._hurry.is_set() else "drain")

    async def _reload(self) -> str:
        """In all workers or in none; "" or why the old configuration stays. None is started meanwhile."""
        async with self._launching:
            workers = self._alive()
            if not workers:
                return "no worker runs that could take it"
            first = await workers[0].ask("prepare")
            problems = first.problems or await _ask(workers[1:], "prepare", first.launch)
            problems = problems or self._reloads.outdated or await self._commit(workers)
            if not problems:
                self._launch = first.launch or self._launch
                log.info("reloaded in %d workers", len(workers))
            return problems

    async def _commit(self, workers: Sequence[WorkerProcess]) -> str:
        """Swap in what all have prepared, or let those that did so return; "" or why."""
        problems = await _ask(workers, "commit")
        if problems:
            self._returning = True
            if stuck := await _ask([worker for worker in workers if worker.hears], "rollback"):
                log.critical("not every worker returned to the configuration before:\n%s", stuck)
            self._returning = False
        return problems

    def _end_step(self) -> None:
        """Let workers give up the step of a reload that they take, unless it is the way back."""
        if not self._returning:
            self._tell("give_up")

    async def _keep(self, slot: int, ready: Callable[[], None]) -> None:
        """One place in the fleet: a process, and another one when it dies."""
        failures = 0
        while process := await self._start(slot):
            await self._watch(slot, process, ready)
            self._end_step()  # of a reload that waits for others: until it is over no successor starts
            if self._stop.is_set():
                self._failed = self._failed or not process.obeyed
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
                async with self._launching:
                    if self._stop.is_set():
                        break
                    process = await WorkerProcess.start(self._launch, self._server, self._reservation)
                    self._processes[slot] = process
            except OSError as error:
                failures += 1
                log.error("a worker cannot be started (%s)", error)
                if failures >= MAX_FAILURES and not self._serves():
                    self._give_up(str(error))
                await self._wait(_pause_s(failures))
                continue
            if self._stop.is_set():
                process.tell("drain")
            return process
        return None

    def _hopeless(self, process: WorkerProcess, failures: int) -> bool:
        """A worker that says why it cannot serve is tried again for as long as others do."""
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
            await self._see_off(process, ending)
        await ending

    async def _see_off(self, process: WorkerProcess, ending: asyncio.Task[None]) -> None:
        """Let a process drain. One that goes on when its requests are cancelled hears nothing, or cannot end."""
        hurrying = asyncio.create_task(self._hurry.wait())
        limit_s = self._server.drain_timeout_s
        await asyncio.wait([ending, hurrying], timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        hurrying.cancel()
        if not ending.done():
            await asyncio.wait([ending], timeout=KILL_AFTER_S)
        if not ending.done():
            log.error("worker %d does not end by itself: killed", process.pid)
            process.kill()

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

    def _tell(self, order: Order) -> None:
        for process in self._alive():
            process.tell(order)


async def _ask(workers: Sequence[WorkerProcess], step: Step, launch: Launch | None = None) -> str:
    """Take a step of a reload in all of them at once; "" or their problems, each once.

    One that cannot is enough to refuse it: the others need not wait any longer for what they open.
    """
    problems: dict[str, None] = {}
    for answer in asyncio.as_completed([worker.ask(step, launch) for worker in workers]):
        problem = (await answer).problems
        if problem and not problems and step != "rollback":
            for worker in workers:
                worker.tell("give_up")
        if problem:
            problems[problem] = None
    if len(problems) > 1:
        problems.pop(GIVEN_UP, None)
    return "\n".join(problems)


def _pause_s(failures: int) -> float:
    return 0.0 if failures == 1 else min(MAX_WAIT_S, FIRST_WAIT_S * 2.0 ** min(failures - 2, 10))
