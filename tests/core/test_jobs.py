"""Background work of plugins: started with the gateway, ended with it, renewed by a reload."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, cast

import pytest

from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.hookspecs import hookimpl
from sentinel_core.jobs import Job, Jobs
from sentinel_core.registry import Registry
from sentinel_core.testing import fake_services, settle


class Works:
    """A plugin whose job runs until it is cancelled, and says what happened."""

    def __init__(self, error: Exception | None = None) -> None:
        self.said: list[str] = []
        self.error = error

    @hookimpl
    def sentinel_jobs(self, gateway: Gateway) -> Iterable[Job]:
        return (Job("works", self.run),)

    async def run(self) -> None:
        """Until it is cancelled."""
        self.said.append("started")
        if self.error is not None:
            raise self.error
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # an ending that needs the loop
            self.said.append("ended")


def gateway_with(plugin: object, services: object) -> Gateway:
    registry = Registry()
    registry.register(plugin)
    settings = settings_from({"providers": {"echo": {}}})
    return Gateway(settings, registry=registry, services=services)  # type: ignore[arg-type]


async def test_a_job_runs_while_the_gateway_is_open_and_is_awaited_at_its_end() -> None:
    plugin = Works()
    async with fake_services() as services, gateway_with(plugin, services):
        await settle()
        assert plugin.said == ["started"]
    assert plugin.said == ["started", "ended"]


async def test_a_reload_ends_the_old_job_before_the_new_one_starts() -> None:
    plugin = Works()
    async with fake_services() as services, gateway_with(plugin, services) as gateway:
        await settle()
        await gateway.reload()
        await settle()
        assert plugin.said == ["started", "ended", "started"]


class Lapses(Works):
    """Brings functions once its job has begun."""

    @hookimpl
    def sentinel_jobs(self, gateway: Gateway) -> Iterable[Job]:
        job = cast("Any", self.run)  # no Job
        return [job] if self.said else super().sentinel_jobs(gateway)


async def test_a_reload_that_brings_something_else_than_jobs_changes_nothing() -> None:
    plugin = Lapses()
    async with fake_services() as services, gateway_with(plugin, services) as gateway:
        await settle()
        before = gateway.blueprint
        with pytest.raises(ConfigError, match=r"sentinel_jobs\(\) must return a list of Job; found <class 'method'>"):
            await gateway.reload()
        assert gateway.blueprint is before
        assert plugin.said == ["started"]


async def test_a_job_that_raises_is_logged_and_the_gateway_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    plugin = Works(ValueError("a bug"))
    async with fake_services() as services, gateway_with(plugin, services) as gateway:
        await settle()
        assert "the job 'works' failed" in caplog.text
        assert gateway.started


def test_jobs_run_in_one_loop_after_the_other() -> None:
    works = Works()
    jobs = Jobs()
    for _ in range(2):
        with asyncio.Runner() as runner:
            runner.run(replaced_at_once(jobs, works))
    assert works.said[:2] == ["started", "ended"]
    assert works.said.count("started") == works.said.count("ended")


async def replaced_at_once(jobs: Jobs, works: Works) -> None:
    """Two changes at a time, and none left in the end."""
    jobs.begin()
    job = Job("works", works.run)
    await asyncio.gather(jobs.replace((job,)), jobs.replace((job,)))
    await settle()
    await jobs.replace(())
