"""A worker's reload in steps, without a runner: what each step says, and when it is taken."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, ClassVar, NamedTuple, Self

import pytest

from sentinel_core import Gateway, Registry, Stage
from sentinel_core.config import ServerSettings, settings_from
from sentinel_core.config.files import Files
from sentinel_core.services import Services
from sentinel_core.testing import settle
from sentinel_server.edge import Edge
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.worker import GIVEN_UP, Worker, reloads
from tests.pace import AT_ONCE_S, in_time
from tests.plugins.auth.callers import STATIC, secret


class Gate(Stage):
    """Opens when the test lets it, or fails."""

    name = "gate"
    shut: ClassVar[asyncio.Event]
    way: ClassVar[asyncio.Event]
    fault: ClassVar[type[BaseException] | None]
    late: ClassVar[bool]

    @classmethod
    @asynccontextmanager
    async def open(cls, config: Any, services: Services) -> AsyncIterator[Self]:  # Any: the base's signature
        """Wait for the test."""
        if cls.fault is not None:
            raise cls.fault("canary")
        cls.shut.set()
        await cls.way.wait()
        if cls.late:
            raise TimeoutError
        yield cls(config)


def gateway() -> Gateway:
    registry = Registry()
    registry.register(Gate)
    return Gateway(settings_from({"stages": {"gate": {}}}), registry=registry)


class Fixed(Launch, frozen=True):
    """Reads the same configuration at every reload."""

    def successor(self, server: ServerSettings, files: Files | None = None) -> Gateway:
        """A gateway as the worker's own."""
        return gateway()


class Knowing(Launch, frozen=True):
    """Reads a configuration with a key for callers."""

    def successor(self, server: ServerSettings, files: Files | None = None) -> Gateway:
        """A gateway that knows somebody."""
        return Gateway(settings_from({"stages": {"auth": {"api_key": secret(STATIC)}}}))


class Broken(Launch, frozen=True):
    """Reads nothing."""

    def successor(self, server: ServerSettings, files: Files | None = None) -> Gateway:
        """As where the disk is gone."""
        raise OSError


class Started(NamedTuple):
    """A worker, the task that runs it, whether it came to serve, and what."""

    worker: Worker
    running: asyncio.Task[None]
    served: asyncio.Event
    apps: list[Edge]

    async def over(self) -> None:
        """It has ended, without a failure."""
        await self.running


@pytest.fixture
async def started(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Started]:
    """A worker that is opening, with nobody who serves and no other thread."""
    Gate.shut, Gate.way, Gate.fault, Gate.late = asyncio.Event(), asyncio.Event(), None, False

    apps: list[Edge] = []

    async def serve(app: Edge, sockets: object, limits: object, shutdown: Any) -> None:  # Any: of `runners`
        apps.append(app)
        await shutdown.begin.wait()

    async def at_once(call: Callable[..., object], *arguments: object) -> object:
        return call(*arguments)

    monkeypatch.setattr("sentinel_server.supervisor.worker.load", lambda name: serve)
    monkeypatch.setattr("sentinel_server.supervisor.collector.settle", lambda: None)
    monkeypatch.setattr(asyncio, "to_thread", at_once)
    with socket.socket() as listener:
        made, served = Worker(Fixed(), gateway(), listener), asyncio.Event()
        running = asyncio.create_task(made.run(served.set))
        await Gate.shut.wait()
        yield Started(made, running, served, apps)
        Gate.way.set()
        made.hurry()
        await asyncio.wait([running])


@pytest.fixture
def worker(started: Started) -> Worker:
    """The same worker, for tests that only talk to it."""
    return started.worker


async def reload(worker: Worker) -> str:
    return await worker.prepare() or await worker.commit()


async def joined(step: asyncio.Task[str]) -> str:
    return await step


async def test_a_reload_waits_until_the_gateway_is_open(worker: Worker) -> None:
    reloading = asyncio.create_task(reload(worker))
    await settle()
    Gate.way.set()
    assert await reloading == ""


@pytest.mark.parametrize("fault", [ConnectionError, asyncio.CancelledError])
async def test_what_a_stage_raises_is_a_problem_of_the_reload_and_the_next_one_may_succeed(
    worker: Worker, fault: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    Gate.way.set()
    Gate.fault = fault
    problems = await reload(worker)
    assert problems.startswith(f"{fault.__name__} ({__file__}:")
    assert "Traceback" in caplog.text
    assert await worker.rollback() == ""  # nothing was committed
    Gate.fault = None
    assert await reload(worker) == ""
    assert await worker.rollback() == ""


async def opening(worker: Worker) -> asyncio.Task[str]:
    """A commit whose stage does not open yet."""
    Gate.way.set()
    assert await worker.prepare() == ""
    Gate.shut.clear()
    Gate.way.clear()
    committing = asyncio.create_task(worker.commit())
    await Gate.shut.wait()
    return committing


async def test_a_drain_ends_a_commit_that_is_still_opening(worker: Worker) -> None:
    committing = await opening(worker)
    worker.begin()
    assert (await committing).startswith("draining: ")


async def test_s06_a_commit_that_is_still_opening_can_be_given_up_and_the_next_one_succeeds(worker: Worker) -> None:
    committing = await opening(worker)
    worker.give_up()
    assert await in_time(joined(committing), AT_ONCE_S) == GIVEN_UP
    assert await worker.rollback() == ""  # nothing was committed
    Gate.way.set()
    assert await reload(worker) == ""


async def test_s06_a_reload_that_waits_for_the_opening_can_be_given_up(worker: Worker) -> None:
    preparing = asyncio.create_task(worker.prepare())
    await settle()
    worker.give_up()
    assert await in_time(joined(preparing), AT_ONCE_S) == GIVEN_UP
    assert worker.prepared is None


async def test_s06_where_no_step_is_taken_nothing_is_given_up(worker: Worker) -> None:
    Gate.way.set()
    worker.give_up()
    assert await reload(worker) == ""


async def test_s06_what_was_prepared_is_told_to_others(worker: Worker) -> None:
    Gate.way.set()
    told = Fixed("sentinel.toml", contents={"sentinel.toml": b""})
    assert await worker.prepare(told) == ""
    assert worker.prepared == told.settled(gateway().settings)


@pytest.mark.parametrize(("launch", "count"), [(None, 1), (Fixed(), 0)], ids=["read here", "told"])
async def test_s06_a_warning_of_what_is_reloaded_is_logged_by_the_worker_that_read_it(
    worker: Worker, caplog: pytest.LogCaptureFixture, launch: Launch | None, count: int
) -> None:
    Gate.way.set()
    assert await worker.prepare(launch) == ""
    assert caplog.text == ""
    assert await worker.commit() == ""
    assert caplog.text.count("the configuration in force has a warning: only the echo provider answers") == count


async def test_a_reload_that_brings_keys_takes_the_hosts_of_the_settings(started: Started) -> None:
    Gate.way.set()
    await in_time(started.served.wait(), AT_ONCE_S)
    (app,) = started.apps
    assert "localhost" in app.allowed_hosts
    assert await started.worker.prepare(Knowing()) == ""
    assert await started.worker.commit() == ""
    assert app.allowed_hosts == ()
    assert await started.worker.rollback() == ""
    assert "localhost" in app.allowed_hosts


@pytest.mark.parametrize("end", [Worker.begin, Worker.hurry])
async def test_s01_a_worker_that_is_still_opening_ends_when_it_is_told_to(
    started: Started, end: Callable[[Worker], None]
) -> None:
    end(started.worker)
    await in_time(started.over(), AT_ONCE_S)
    assert not started.served.is_set()
    assert started.running.cancelling() == 0


async def test_s01_an_end_in_the_turn_in_which_the_gateway_opens_closes_it(started: Started) -> None:
    Gate.way.set()
    started.worker.begin()
    await in_time(started.over(), AT_ONCE_S)


async def test_who_cancels_a_worker_that_opens_hears_of_it(started: Started) -> None:
    started.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await started.running
    started.worker.begin()  # too late to end anything


async def test_a_time_out_of_a_stage_that_opens_is_a_failure(started: Started) -> None:
    Gate.late = True
    Gate.way.set()
    with pytest.raises(TimeoutError):
        await started.running


async def test_reloads_are_counted_by_what_became_of_them(worker: Worker) -> None:
    Gate.way.set()
    assert (await worker.prepare(), await worker.commit(), await worker.rollback()) == ("", "", "")
    Gate.fault = ValueError
    assert (await worker.prepare() == "", bool(await worker.commit())) == (True, True)
    assert await worker.prepare(Broken())
    Gate.fault = None
    committing = await opening(worker)
    worker.give_up()
    assert await committing == GIVEN_UP
    counted = dict(reloads(worker._gateway.services.counts).read())
    assert counted == {("applied",): 1, ("rolled_back",): 1, ("refused",): 2}, "what is given up is nothing"


async def test_without_a_prepared_configuration_nothing_is_committed(worker: Worker) -> None:
    assert await worker.commit() == "nothing was prepared"
