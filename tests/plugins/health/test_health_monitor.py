"""The monitor: looks at providers, and turns what it sees into incidents and events."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NoReturn

import pytest

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import Target
from sentinel_core.state import Message
from sentinel_core.testing import FakeClock, settle
from sentinel_plugins.health.incidents import KEPT, Incidents, incident
from sentinel_plugins.health.observations import observations_of
from sentinel_plugins.health.report import metrics, statuses
from sentinel_plugins.health.watcher import Watcher
from tests.pace import AT_ONCE_S
from tests.plugins.health.watched import decoded, events, provider, watched

CYCLE_S = 17.0
"""Longer than one interval with its jitter, shorter than two."""
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


async def incidents(gateway: Gateway) -> list[tuple[str, str]]:
    """What was kept, oldest first."""
    found = await Incidents(gateway.records).latest(KEPT)
    return [(one.type, one.provider) for one in reversed(found)]


async def next_of(messages: AsyncIterator[Message], kind: str) -> JsonValue:
    """The payload of the next event of one kind."""
    async with asyncio.timeout(AT_ONCE_S):
        async for message in messages:
            event = decoded(message)
            if event["event_type"] == kind:
                return event["payload"]
    raise AssertionError(f"no {kind}")


async def test_s3_15_every_provider_is_asked_once_in_an_interval() -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        first = provider(gateway, "first")
        assert first.checks == 1
        await clock.advance(13.0)
        assert first.checks == 1
        await clock.advance(CYCLE_S - 13.0)
        assert first.checks == 2
        assert statuses(gateway).providers["first"].status == "healthy"


async def test_s3_15_looks_are_jittered_so_that_gateways_do_not_ask_together() -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        first, waits = provider(gateway, "first"), []
        for _ in range(30):
            looks, waited = first.checks, 0.0
            while first.checks == looks:
                await clock.advance(0.1)
                waited += 0.1
            waits.append(waited)
        assert 13.4 <= min(waits) < 14.6 < 15.4 < max(waits) <= 16.6


async def test_s3_15_the_interval_is_configurable() -> None:
    async with watched(interval_s=1.0) as (gateway, clock, _):
        await settle()
        await clock.advance(1.2)
        assert provider(gateway, "first").checks == 2


async def test_the_monitor_ends_with_the_gateway_and_starts_anew_with_a_reload() -> None:
    clock = FakeClock()
    async with watched(clock) as (gateway, _, _):
        await settle()
        before = asyncio.all_tasks()
        await gateway.reload()
        await settle()
        assert len(asyncio.all_tasks()) == len(before)
        looks = provider(gateway, "first").checks
        await clock.advance(CYCLE_S)
        assert provider(gateway, "first").checks == looks + 1
    assert {task.get_name() for task in asyncio.all_tasks() if "sentinel job" in task.get_name()} == set()


async def test_s3_20_an_outage_and_a_recovery_are_one_incident_each() -> None:
    async with watched() as (gateway, clock, _), events(gateway) as messages:
        await settle()
        provider(gateway, "first").fail()
        for _ in range(3):
            await clock.advance(CYCLE_S)
        assert statuses(gateway).providers["first"].status == "unhealthy"
        assert (await next_of(messages, "incident"))["type"] == "outage"
        provider(gateway, "first").mend()
        await clock.advance(CYCLE_S)
        told = await next_of(messages, "incident")
        assert (told["type"], told["provider"]) == ("recovery", "first")
        assert told["duration_s"] > 0
        assert await incidents(gateway) == [("outage", "first"), ("recovery", "first")]


class SetBack(FakeClock):
    """A clock whose hands somebody sets back by an hour; what it measures goes on."""

    back_s = 0.0

    def time(self) -> float:
        return super().time() - self.back_s


async def test_d06_an_outage_during_which_the_clock_is_set_back_lasted_as_long_as_it_did() -> None:
    clock = SetBack()
    async with watched(clock) as (gateway, _, _), events(gateway) as messages:
        await settle()
        provider(gateway, "first").fail()
        await clock.advance(CYCLE_S)
        clock.back_s = 3600.0
        provider(gateway, "first").mend()
        await clock.advance(CYCLE_S)
        assert (await next_of(messages, "incident"))["type"] == "outage"
        told = await next_of(messages, "incident")
        assert (told["type"], 0 < told["duration_s"] <= 2 * CYCLE_S) == ("recovery", True)


async def test_s3_23_status_and_metrics_are_told_in_every_cycle() -> None:
    async with watched() as (gateway, clock, _), events(gateway) as messages:
        await clock.advance(CYCLE_S)
        told = await next_of(messages, "provider_status")
        assert told["providers"]["first"]["status"] == "healthy"
        assert (await next_of(messages, "metrics"))["total_requests"] == 0
        await clock.advance(CYCLE_S)
        await next_of(messages, "provider_status")
        await next_of(messages, "metrics")


async def test_s3_10_a_failover_is_an_incident_that_names_the_request() -> None:
    async with watched() as (gateway, _, _), events(gateway) as messages:
        await settle()
        provider(gateway, "first").error = UpstreamError("upstream_timeout")
        answer = await gateway.complete(BODY)
        assert answer.body["choices"][0]["message"]["content"] == "hello from second"
        told = await next_of(messages, "incident")
        assert (told["type"], told["provider"], told["to_provider"]) == ("failover_triggered", "first", "second")
        assert told["trace_id"]


async def test_an_outage_under_load_is_one_failover_incident_per_interval() -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        provider(gateway, "first").error = UpstreamError("upstream_timeout")
        for _ in range(5):
            await gateway.complete(BODY)
            await settle()
        assert await incidents(gateway) == [("failover_triggered", "first")]
        assert metrics(gateway).total_failovers == 5
        await clock.advance(CYCLE_S)
        await gateway.complete(BODY)
        await settle()
        assert [kind for kind, _ in await incidents(gateway)] == ["failover_triggered"] * 2


async def test_a_circuit_that_opens_is_an_outage_before_the_next_look() -> None:
    async with watched() as (gateway, clock, circuits):
        await settle()
        provider(gateway, "first").error = UpstreamError("upstream_timeout")
        circuits.found[Target("first", "m")] = "open"
        await clock.advance(1.0)
        await gateway.complete(BODY)
        await settle()
        assert provider(gateway, "first").checks == 1
        assert ("outage", "first") in await incidents(gateway)
        assert observations_of(gateway.services).standings["first"].checked_at == clock.time() - 1.0
        first = statuses(gateway).providers["first"]
        assert first.status == "unhealthy"
        assert first.circuit_breaker
        assert first.circuit_breaker.state == "open"
        provider(gateway, "first").mend()
        circuits.found[Target("first", "m")] = "closed"
        await clock.advance(1.0)
        await gateway.complete(BODY)
        await settle()
        assert (await incidents(gateway))[-1] == ("recovery", "first")


async def test_one_open_circuit_of_two_degrades_and_is_no_outage() -> None:
    async with watched() as (gateway, clock, circuits):
        circuits.found = {Target("first", "m"): "open", Target("first", "other"): "closed"}
        await clock.advance(CYCLE_S)
        assert statuses(gateway).providers["first"].status == "degraded"
        assert await incidents(gateway) == []


async def test_a_provider_that_raises_in_its_health_check_is_unhealthy_and_the_monitor_goes_on() -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        provider(gateway, "first").health_check = _broken  # type: ignore[method-assign]  # the point of this test
        await clock.advance(CYCLE_S)
        assert statuses(gateway).providers["first"].status == "unhealthy"
        await clock.advance(CYCLE_S)
        assert provider(gateway, "second").checks == 3


async def _broken() -> NoReturn:
    raise ValueError("a bug of a provider")


async def test_incidents_are_kept_while_the_state_store_tells_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        monkeypatch.setattr(gateway.state, "publish", unavailable)
        for name in ("first", "second"):
            provider(gateway, name).fail()
        await clock.advance(CYCLE_S)
        assert sorted(await incidents(gateway)) == [("outage", "first"), ("outage", "second")]  # of one moment


async def test_what_was_found_stands_where_nobody_can_be_told_and_that_is_logged_once_in_an_outage(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with watched() as (gateway, clock, _):
        await settle()
        for outage in (1, 2):
            with monkeypatch.context() as away:
                away.setattr(gateway.state, "publish", unavailable)
                provider(gateway, "first").fail()
                for _ in range(3):
                    await clock.advance(CYCLE_S)
                assert statuses(gateway).providers["first"].status == "unhealthy"
                assert (await Watcher(gateway, 15.0).probe("second")).status == "healthy"
            provider(gateway, "first").mend()
            await clock.advance(CYCLE_S)
            lines = [record for record in caplog.records if "hear nothing" in record.message]
            assert len(lines) == 2 * outage  # of the monitor, and of the probe
    assert not any(record.exc_info for record in caplog.records)


async def unavailable(channel: str, data: bytes) -> None:
    raise Refusal("state_unavailable")


async def test_s3_19_the_ring_keeps_the_latest_500() -> None:
    async with watched() as (gateway, _, _):
        ring = Incidents(gateway.records)
        for number in range(KEPT + 5):
            await ring.add(incident("outage", float(number), f"p{number}", "down"), float(number))
        kept = await gateway.records.query("incidents", tenant=None, limit=2 * KEPT)
        assert len(kept.records) == KEPT
        assert (await ring.latest(1))[0].provider == f"p{KEPT + 4}"


async def test_s3_25_requests_failures_and_latency_are_counted() -> None:
    async with watched() as (gateway, _, _):
        await gateway.complete(BODY)
        provider(gateway, "first").fail()
        await gateway.complete(BODY)
        provider(gateway, "second").fail()
        try:
            await gateway.complete(BODY)
        except UpstreamError:
            found = metrics(gateway)
        assert (found.total_requests, found.total_successes, found.total_failures, found.total_failovers) == (
            3,
            2,
            1,
            1,
        )
        assert found.active_provider == "second"
        assert found.avg_latency_ms > 0
        assert found.providers["first"].total_failures == 2
        assert found.providers["first"].success_rate_pct == 33.33


async def test_what_callers_and_limits_cause_says_nothing_bad_about_a_provider() -> None:
    async with watched() as (gateway, _, _):
        for code in ("rate_limit_exceeded", "invalid_request"):
            provider(gateway, "first").error = UpstreamError(code)
            await gateway.complete(BODY)
        calls = observations_of(gateway.services).traffic.providers["first"]
        assert (calls.total, calls.failures, calls.rolling.success_rate_pct) == (2, 0, None)
