"""The only worker of a gateway, where something in its process does not end."""

from __future__ import annotations

import logging
import os
import threading

import pytest

from sentinel_core import Gateway
from sentinel_core.config import settings_from
from sentinel_server.supervisor import single
from sentinel_server.supervisor.binding import bind
from sentinel_server.supervisor.last_resort import LastResort
from sentinel_server.supervisor.launch import Launch
from sentinel_server.supervisor.single import Single
from sentinel_server.supervisor.worker import Worker
from tests.pace import until

LONG_S = 3600.0


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The exit codes with which this process would have ended."""
    codes: list[int] = []
    monkeypatch.setattr(os, "_exit", codes.append)
    return codes


@pytest.mark.parametrize("limits", [(0.0, LONG_S), (LONG_S, 0.0)])
async def test_s02_a_process_ends_at_the_soonest_limit_that_was_set(ends: list[int], limits: tuple[float, ...]) -> None:
    last_resort = LastResort()
    for seconds in limits:
        last_resort.within(seconds)
    await until(lambda: ends == [1])


async def test_s02_a_process_that_is_killed_says_where_it_hung(
    ends: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    never = threading.Event()
    thread = threading.Thread(target=never.wait, name="acme-thread")
    thread.start()
    try:
        with caplog.at_level(logging.CRITICAL, "sentinel.server"):
            LastResort().within(0.0)
            await until(lambda: ends == [1])
    finally:
        never.set()
        thread.join()
    assert "acme-thread in Condition.wait (" in caplog.text


@pytest.mark.parametrize(("drain_timeout_s", "signals"), [(LONG_S, 2), (0.01, 1)], ids=["second signal", "deadline"])
async def test_s02_a_gateway_that_hangs_as_it_closes_is_killed(
    monkeypatch: pytest.MonkeyPatch, ends: list[int], drain_timeout_s: float, signals: int
) -> None:
    monkeypatch.setattr(single, "KILL_AFTER_S", 0.01)
    gateway = Gateway(settings_from({"server": {"port": 0, "drain_timeout_s": drain_timeout_s}}))
    with bind(gateway.settings.server) as listener:
        alone = Single(Worker(Launch(), gateway, listener))
        for _ in range(signals):
            alone.stop()
        await until(lambda: ends == [1])
