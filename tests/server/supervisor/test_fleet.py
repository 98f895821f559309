"""A fleet whose workers do not do as they are told."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from typing import ClassVar

import pytest

from sentinel_core.config import ServerSettings
from sentinel_server.supervisor import fleet, process
from sentinel_server.supervisor.binding import bind
from sentinel_server.supervisor.fleet import Fleet
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.process import WorkerProcess
from tests.pace import PATIENCE_S

SHORT_S = 0.1
LONG_S = 3600.0
NAMELESS = signal.SIGRTMIN + 1
"""A real-time signal: Python names the first and the last of them only."""


class Deaf(WorkerProcess):
    """Never ready, and kept by the class once it has started."""

    made: ClassVar[asyncio.Queue[WorkerProcess]]

    @classmethod
    async def start(cls, launch: Launch, server: ServerSettings, reservation: socket.socket) -> WorkerProcess:
        """A process of `deaf`."""
        made = await super().start(launch, server, reservation)
        cls.made.put_nowait(made)
        return made


@pytest.fixture
def deaf(monkeypatch: pytest.MonkeyPatch) -> type[Deaf]:
    """What the fleet starts."""
    Deaf.made = asyncio.Queue()
    monkeypatch.setattr(fleet, "WorkerProcess", Deaf)
    monkeypatch.setattr(fleet, "KILL_AFTER_S", SHORT_S)
    monkeypatch.setattr(process, "CHILD", "tests.server.supervisor.deaf")
    return Deaf


@pytest.mark.parametrize(("drain_timeout_s", "signals"), [(SHORT_S, 1), (LONG_S, 2)], ids=["deadline", "second signal"])
async def test_s02_a_worker_that_never_serves_and_hears_nothing_is_killed(
    deaf: type[Deaf], caplog: pytest.LogCaptureFixture, drain_timeout_s: float, signals: int
) -> None:
    server = ServerSettings(port=0, workers=2, drain_timeout_s=drain_timeout_s)
    with bind(server, shared=True) as reservation:
        supervisor = Fleet(Launch(), server, reservation)
        running = asyncio.create_task(supervisor.run(lambda: None, hung_up=lambda: False))
        workers = [await asyncio.wait_for(deaf.made.get(), PATIENCE_S) for _ in range(server.workers)]
        for _ in range(signals):
            supervisor.stop()
        try:
            assert await asyncio.wait_for(running, PATIENCE_S) == 1
        finally:
            for worker in workers:
                worker.kill()
    assert [worker.code for worker in workers] == [-signal.SIGKILL] * server.workers
    assert all(f"worker {worker.pid} does not end by itself: killed" in caplog.text for worker in workers)


@pytest.mark.parametrize(("number", "named"), [(signal.SIGKILL, "SIGKILL"), (NAMELESS, str(int(NAMELESS)))])
async def test_s03_a_worker_that_a_signal_ended_names_it(deaf: type[Deaf], number: int, named: str) -> None:
    server = ServerSettings(port=0)
    with bind(server, shared=True) as reservation:
        worker = await deaf.start(Launch(), server, reservation)
        os.kill(worker.pid, number)
        await asyncio.wait_for(worker.ended(), PATIENCE_S)
    assert worker.epitaph == f"signal {named}"


@pytest.mark.parametrize(("number", "obeyed"), [(signal.SIGTERM, True), (signal.SIGKILL, False)])
async def test_s02_a_worker_that_sigterm_ended_before_it_served_has_done_as_it_was_told(
    monkeypatch: pytest.MonkeyPatch, deaf: type[Deaf], number: int, obeyed: bool
) -> None:
    monkeypatch.setattr(process, "CHILD", "tests.server.supervisor.young")
    server = ServerSettings(port=0)
    with bind(server, shared=True) as reservation:
        worker = await deaf.start(Launch(), server, reservation)
        os.kill(worker.pid, number)
        await asyncio.wait_for(worker.ended(), PATIENCE_S)
    assert worker.obeyed is obeyed
