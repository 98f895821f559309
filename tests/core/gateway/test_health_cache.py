"""Health costs an upstream one look in fifteen seconds, however many ask; a provider's own failure is its health."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sentinel_core import Gateway
from sentinel_core.circuits import Status
from sentinel_core.config import settings_from
from sentinel_core.errors import Refusal
from sentinel_core.gateway import healthcheck
from sentinel_core.gateway.healthcheck import FRESH_S, HealthChecks
from sentinel_core.provider import Health, Provider, ProviderConfig
from sentinel_core.testing import FakeClock, settle

TIMEOUT_S = 0.1


class Patient(Provider):
    """Counts looks; answers once its gate is open, or does what it was told instead."""

    name = "patient"

    def __init__(self, failure: BaseException | None = None) -> None:
        super().__init__(ProviderConfig())
        self.failure = failure
        self.gate = asyncio.Event()
        self.looks = 0

    async def health_check(self) -> Health:
        self.looks += 1
        if self.failure is not None:
            raise self.failure
        await self.gate.wait()
        return Health("healthy", 1.0)


async def test_however_many_ask_there_is_one_look_and_its_answer_is_shared() -> None:
    patient, checks = Patient(), HealthChecks(FakeClock().monotonic)
    asking = [asyncio.create_task(checks.look(lambda: {"patient": patient})) for _ in range(20)]
    await settle()
    patient.gate.set()
    found = await asyncio.gather(*asking)
    assert patient.looks == 1
    assert all(health is found[0] for health in found)


async def test_s3_17_many_probes_at_one_time_are_two_at_most_and_each_began_after_it_was_asked_for() -> None:
    patient, checks = Patient(), HealthChecks(FakeClock().monotonic)
    asking = [asyncio.create_task(checks.probe("patient", lambda: {"patient": patient})) for _ in range(20)]
    await settle()
    patient.gate.set()
    assert {health.status for health in await asyncio.gather(*asking)} == {"healthy"}
    assert patient.looks == 2
    await checks.probe("patient", lambda: {"patient": patient})
    assert patient.looks == 3


async def test_a_probe_whose_asker_left_is_made_by_the_next_one() -> None:
    patient, checks = Patient(), HealthChecks(FakeClock().monotonic)
    first, second = (asyncio.create_task(checks.probe("patient", lambda: {"patient": patient})) for _ in range(2))
    await settle()
    first.cancel()
    await settle()
    patient.gate.set()
    assert (await second).status == "healthy"
    assert patient.looks == 2


async def test_a_look_is_good_for_fifteen_seconds_and_not_longer() -> None:
    clock, patient = FakeClock(), Patient()
    checks = HealthChecks(clock.monotonic)
    patient.gate.set()
    for advance, looks in ((0.0, 1), (FRESH_S, 1), (0.1, 2), (1.0, 2)):
        await clock.advance(advance)
        await checks.look(lambda: {"patient": patient})
        assert patient.looks == looks


async def test_a_provider_that_a_reload_brought_is_looked_at_at_once() -> None:
    checks, old, new = HealthChecks(FakeClock().monotonic), Patient(), Patient()
    old.gate.set()
    new.gate.set()
    await checks.look(lambda: {"old": old})
    assert set(await checks.look(lambda: {"old": old, "new": new})) == {"old", "new"}


async def test_a_probe_that_is_given_up_leaves_the_look_to_the_next_one() -> None:
    checks, patient = HealthChecks(FakeClock().monotonic), Patient()
    first = asyncio.create_task(checks.look(lambda: {"patient": patient}))
    second = asyncio.create_task(checks.look(lambda: {"patient": patient}))
    await settle()
    first.cancel()
    await settle()
    patient.gate.set()
    assert (await second)["patient"].status == "healthy"
    assert (first.cancelled(), patient.looks) == (True, 2)


async def test_a_provider_that_a_reload_replaced_under_its_name_is_looked_at_at_once() -> None:
    checks, old, new = HealthChecks(FakeClock().monotonic), Patient(RuntimeError()), Patient()
    new.gate.set()
    assert (await checks.look(lambda: {"one": old}))["one"].status == "unhealthy"
    assert (await checks.look(lambda: {"one": new}))["one"].status == "healthy"


async def test_what_was_found_of_providers_that_were_replaced_meanwhile_is_nobodys_health() -> None:
    checks, old, new = HealthChecks(FakeClock().monotonic), Patient(), Patient(RuntimeError())
    opened = {"one": old}
    asking = [asyncio.create_task(checks.probe("one", lambda: opened)) for _ in range(2)]
    looking = asyncio.create_task(checks.look(lambda: opened))
    await settle()
    opened = {"one": new}
    old.gate.set()
    assert [found.detail for found in await asyncio.gather(*asking)] == ["RuntimeError"] * 2
    assert (await looking)["one"].detail == "RuntimeError"


async def test_a_provider_that_is_gone_before_its_probe_is_over_was_as_it_was() -> None:
    checks, patient = HealthChecks(FakeClock().monotonic), Patient()
    opened = {"one": patient}
    asking = asyncio.create_task(checks.probe("one", lambda: opened))
    await settle()
    opened = {}
    patient.gate.set()
    assert (await asking).status == "healthy"


class Mute(Patient):
    """Says what it was told."""

    found = Health("healthy", 1.0)

    async def health_check(self) -> Health:
        return self.found


@pytest.mark.parametrize("before", ["healthy", "unhealthy"])
async def test_a_check_that_could_not_find_out_leaves_what_was_known(before: Status) -> None:
    mute, checks = Mute(), HealthChecks(FakeClock().monotonic)
    mute.found = Health("unknown", detail="overloaded")
    assert (await checks.look(lambda: {"one": mute}))["one"] == mute.found
    mute.found = known = Health(before, 1.0)
    await checks.look(lambda: {"one": mute}, anew=True)
    mute.found = Health("unknown", detail="overloaded")
    assert await checks.look(lambda: {"one": mute}, anew=True) == {"one": known}
    assert await checks.probe("one", lambda: {"one": mute}) == known
    other = Patient(RuntimeError())
    assert (await checks.look(lambda: {"one": other}))["one"].detail == "RuntimeError"
    assert (await checks.look(lambda: {"one": mute}))["one"] == mute.found, "nothing is known of another provider"


@pytest.mark.parametrize("failure", [RuntimeError("key sk-123"), Refusal("draining"), asyncio.CancelledError()])
async def test_a_provider_that_raises_is_unhealthy_and_its_neighbour_is_not(failure: BaseException) -> None:
    broken, well = Patient(failure), Patient()
    well.gate.set()
    found = await HealthChecks(FakeClock().monotonic).look(lambda: {"broken": broken, "well": well})
    assert found["broken"] == Health("unhealthy", detail=type(failure).__name__)
    assert found["well"].status == "healthy"


@pytest.mark.parametrize("found", [None, "healthy", True, {"status": "healthy"}], ids=repr)
async def test_a_provider_that_returns_no_health_is_unhealthy_and_its_neighbour_is_not(
    found: Any,  # what a careless provider returns
) -> None:
    class Careless(Patient):
        async def health_check(self) -> Health:
            health: Health = found
            return health

    careless, patient, checks = Careless(), Patient(), HealthChecks(FakeClock().monotonic)
    patient.gate.set()
    looked = await checks.look(lambda: {"careless": careless, "patient": patient})
    assert looked["careless"] == Health("unhealthy", detail=f"health_check() returned {type(found).__name__}")
    assert looked["patient"].status == "healthy"


async def test_a_provider_whose_health_has_no_such_status_is_unhealthy() -> None:
    class Misspelt(Patient):
        async def health_check(self) -> Health:
            status: Any = "up"  # what nobody checks who does not check types
            return Health(status)

    misspelt = Misspelt()
    found = await HealthChecks(FakeClock().monotonic).look(lambda: {"misspelt": misspelt})
    assert found["misspelt"] == Health("unhealthy", detail="health_check() says 'up'")


async def test_a_provider_that_hangs_is_unhealthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(healthcheck, "HEALTH_TIMEOUT_S", TIMEOUT_S)
    hangs = Patient()
    found = await HealthChecks(FakeClock().monotonic).look(lambda: {"hangs": hangs})
    assert found == {"hangs": Health("unhealthy", detail="no answer in time")}


async def test_a_gateway_that_is_not_open_has_no_health_and_says_so() -> None:
    gateway = Gateway(settings_from({"providers": {"echo": {}}}))
    for asked in (gateway.health(), gateway.probe("echo")):
        with pytest.raises(Refusal) as caught:
            await asked
        assert caught.value.code == "not_started"
