"""One circuit's rules, one by one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.circuits import CircuitState
from sentinel_core.keys import Target
from sentinel_plugins.breaker.circuit import PROBED_S, Circuit, Permit, Result
from sentinel_plugins.breaker.circuits import Circuits
from sentinel_plugins.breaker.config import BreakerConfig
from tests.properties import promised

SUCCESS: Result = "success"
FAILURE: Result = "failure"
QUARANTINE: Result = "quarantine"
NEUTRAL: Result = "neutral"


def state(circuit: Circuit) -> CircuitState:
    return circuit.state


def permit(circuit: Circuit, now: float) -> Permit:
    found = circuit.acquire(now)
    assert isinstance(found, Permit)
    return found


def end(circuit: Circuit, now: float, *results: Result) -> None:
    for result in results:
        circuit.settle(permit(circuit, now), result, now)


def test_s3_12_three_failures_in_a_row_open_it_for_s3_13_thirty_seconds() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, "failure", "failure", "success", "failure", "failure")
    assert state(circuit) == "closed"
    end(circuit, 0.0, "failure")
    assert circuit.acquire(0.0) == 30.0
    assert circuit.acquire(29.0) == 1.0
    assert permit(circuit, 30.0).probe


def test_half_of_ten_calls_open_it_and_half_of_nine_do_not() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 1.0, *[SUCCESS, FAILURE] * 4, "failure")
    assert state(circuit) == "closed"
    end(circuit, 1.0, "success", "failure")
    assert state(circuit) == "open"


def test_failures_older_than_the_window_are_forgotten() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, *[SUCCESS, FAILURE] * 4)
    end(circuit, 10.0, "success", "failure", "success")
    assert state(circuit) == "closed"


@pytest.mark.parametrize("window_s", [1.0, 100.0])
def test_a_window_of_another_length_begins_empty_and_forgets_as_ever(window_s: float) -> None:
    circuits, target = Circuits(), Target("a", "m")
    end(circuits.of(target, BreakerConfig()), 50.0, *[SUCCESS, FAILURE] * 4)
    circuit = circuits.of(target, BreakerConfig(window_s=window_s))
    end(circuit, 50.0, "success", "failure")
    assert state(circuit) == "closed", "eight calls of the other window are not among these two"
    end(circuit, 50.0, *[SUCCESS, FAILURE] * 3)
    end(circuit, 50.0 + 1.1 * window_s, "success", "failure")
    assert state(circuit) == "closed", "those eight are too old"
    end(circuit, 50.0 + 1.1 * window_s, *[SUCCESS, FAILURE] * 4)
    assert state(circuit) == "open"


def test_limits_that_leave_the_window_as_it_is_leave_what_it_counted() -> None:
    circuits, target = Circuits(), Target("a", "m")
    end(circuits.of(target, BreakerConfig()), 1.0, *[SUCCESS, FAILURE] * 4, "success")
    circuit = circuits.of(target, BreakerConfig(quarantine_s=1.0))
    end(circuit, 1.0, "failure")
    assert state(circuit) == "open"


def test_one_probe_at_a_time_and_its_success_closes_it() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, *[FAILURE] * 3)
    probe = permit(circuit, 31.0)
    assert state(circuit) == "half_open"
    assert circuit.acquire(31.0) == PROBED_S
    circuit.settle(probe, "success", 32.0)
    assert state(circuit) == "closed"
    end(circuit, 32.0, "failure", "failure")
    assert state(circuit) == "closed"


def test_a_neutral_probe_frees_its_place_and_decides_nothing() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, *[FAILURE] * 3)
    end(circuit, 31.0, *[NEUTRAL] * 5)
    assert state(circuit) == "half_open"
    assert permit(circuit, 31.0).probe


def test_each_failed_probe_doubles_the_wait_up_to_the_cap() -> None:
    circuit, now, waits = Circuit(BreakerConfig()), 0.0, []
    end(circuit, now, *[FAILURE] * 3)
    for _ in range(6):
        waits.append(circuit.remaining_s(now))
        now += waits[-1]
        end(circuit, now, "failure")
    assert waits == [30.0, 60.0, 120.0, 240.0, 300.0, 300.0]


def test_a_probes_stream_that_has_begun_closes_it_and_counts_in_the_end_like_any_other() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, *[FAILURE] * 3)
    rest = circuit.heard(permit(circuit, 30.0))
    assert (state(circuit), rest.probe) == ("closed", False)
    circuit.settle(rest, "failure", 90.0)
    end(circuit, 90.0, "failure")
    assert state(circuit) == "closed"
    end(circuit, 90.0, "failure")
    assert circuit.remaining_s(90.0) == 60.0, "it opened again without a success in between"


def test_a_success_ends_the_growth_of_the_wait() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, *[FAILURE] * 3)
    circuit.settle(circuit.heard(permit(circuit, 30.0)), "success", 60.0)
    end(circuit, 60.0, *[FAILURE] * 3)
    assert circuit.remaining_s(60.0) == 30.0


def test_hearing_of_a_call_that_is_no_probe_changes_nothing() -> None:
    circuit = Circuit(BreakerConfig())
    ordinary = permit(circuit, 0.0)
    assert circuit.heard(ordinary) is ordinary
    end(circuit, 0.0, *[FAILURE] * 3)
    probe = permit(circuit, 30.0)
    circuit.settle(probe, "failure", 30.0)
    assert circuit.heard(probe) is probe
    assert state(circuit) == "open"


def test_a_result_from_before_it_opened_says_nothing_afterwards() -> None:
    circuit = Circuit(BreakerConfig())
    late = [permit(circuit, 0.0) for _ in range(5)]
    end(circuit, 0.0, *[FAILURE] * 3)
    probe = permit(circuit, 30.0)
    for old, result in zip(late, (SUCCESS, FAILURE, QUARANTINE, NEUTRAL, SUCCESS), strict=True):
        circuit.settle(old, result, 30.0)
    assert (state(circuit), circuit.acquire(30.0)) == ("half_open", PROBED_S)
    circuit.settle(probe, "failure", 30.0)
    assert state(circuit) == "open"


def test_u19_quarantine_opens_it_at_once() -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, "quarantine")
    assert circuit.acquire(0.0) == 60.0


@promised()
@given(results=st.lists(st.sampled_from(["success", "neutral", "failure"]), max_size=9))
def test_p2_it_never_opens_below_the_minimum_volume(results: list[Result]) -> None:
    circuit = Circuit(BreakerConfig(failure_threshold=100))
    end(circuit, 0.0, *results)
    assert state(circuit) == "closed"


@promised()
@given(count=st.integers(0, 500))
def test_p2_neutral_changes_nothing(count: int) -> None:
    circuit = Circuit(BreakerConfig())
    end(circuit, 0.0, "failure", "failure", *[NEUTRAL] * count)
    assert state(circuit) == "closed"
    end(circuit, 0.0, "failure")
    assert state(circuit) == "open"


def test_a_cap_below_the_first_wait_caps_nothing_but_the_doubling() -> None:
    circuit = Circuit(BreakerConfig(recovery_timeout_s=600))
    end(circuit, 0.0, *[FAILURE] * 3)
    assert circuit.acquire(0.0) == 600.0
    end(circuit, 600.0, FAILURE)
    assert circuit.acquire(600.0) == 600.0
