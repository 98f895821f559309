"""P2: the circuit against a naive one, in any order of calls, results and time."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from sentinel_core.blame import blame
from sentinel_core.errors import UpstreamError
from sentinel_plugins.breaker.circuit import Circuit, Permit, Result
from sentinel_plugins.breaker.config import BreakerConfig
from tests.plugins.breaker.naive_circuit import NaiveCircuit
from tests.properties import promised

LIMITS = BreakerConfig(
    failure_threshold=3, min_calls=4, window_s=10, recovery_timeout_s=4, max_recovery_timeout_s=10, quarantine_s=6
)
FAILURES = (
    UpstreamError("upstream_unreachable"),
    UpstreamError("upstream_connection_reset"),
    UpstreamError("upstream_error", upstream_status=500),
    UpstreamError("overloaded", upstream_status=529),
    UpstreamError("upstream_invalid_response", upstream_status=200),
    UpstreamError("upstream_timeout"),
)
NEUTRALS = (
    UpstreamError("rate_limit_exceeded", upstream_status=429),
    UpstreamError("invalid_request", upstream_status=400),
    UpstreamError("model_not_found", upstream_status=404),
    UpstreamError("upstream_error", upstream_status=409),
    UpstreamError("overloaded", attempted=False),
    UpstreamError("circuit_open", attempted=False),
)
QUARANTINES = (
    UpstreamError("upstream_auth_error", upstream_status=403),
    UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota"),
)
PATIENT_S, HASTY_S = 60.0, 0.001
Calls = tuple[Permit, int]


class CircuitMachine(RuleBasedStateMachine):
    calls: Bundle[Calls] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.circuit = Circuit(LIMITS)
        self.model = NaiveCircuit(LIMITS)
        self.probes_under_way: set[int] = set()
        self.acquired = self.settled = 0

    @rule(target=calls)
    def call(self) -> Calls | MultipleResults[Calls]:
        was_open = self.circuit.state == "open" and self.circuit.remaining_s(self.now) > 0
        permit = self.circuit.acquire(self.now)
        assert isinstance(permit, Permit) is self.model.admits(self.now)
        if not isinstance(permit, Permit):
            assert permit > 0
            return multiple()
        assert not was_open, "OPEN lets nothing through"
        self.acquired += 1
        if permit.probe:
            assert not self.probes_under_way, "HALF_OPEN lets one through at a time"
            self.probes_under_way.add(permit.generation)
        return permit, self.model.era

    @rule(target=calls, call=consumes(calls))
    def begins_to_stream(self, call: Calls) -> Calls:
        permit, era = call
        self.probes_under_way.discard(permit.generation)
        return self.circuit.heard(permit), self.model.heard(era)

    @rule(call=consumes(calls))
    def success(self, call: Calls) -> None:
        self.end(call, "success")

    @rule(call=consumes(calls), error=st.sampled_from(FAILURES))
    def failure(self, call: Calls, error: UpstreamError) -> None:
        self.end(call, self.blamed(error, "failure"))

    @rule(call=consumes(calls), error=st.sampled_from(NEUTRALS))
    def neutral(self, call: Calls, error: UpstreamError) -> None:
        before = (self.circuit.state, self.circuit.remaining_s(self.now))
        self.end(call, self.blamed(error, "neutral"))
        assert (self.circuit.state, self.circuit.remaining_s(self.now)) == before, "neutral changes nothing"

    @rule(call=consumes(calls))
    def left_by_its_caller(self, call: Calls) -> None:
        self.end(call, "neutral")

    @rule(call=consumes(calls))
    def timed_out_by_its_caller(self, call: Calls) -> None:
        timeout = UpstreamError("upstream_timeout")
        assert blame(timeout, deadline=self.now + HASTY_S, now=self.now + HASTY_S) == "neutral"
        self.end(call, "neutral")

    @rule(call=consumes(calls), error=st.sampled_from(QUARANTINES))
    def quarantine(self, call: Calls, error: UpstreamError) -> None:
        self.end(call, self.blamed(error, "quarantine"))

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 4.0, 10.0]))
    def tick(self, seconds: float) -> None:
        self.now += seconds

    def blamed(self, error: UpstreamError, expected: Result) -> Result:
        found = blame(error, deadline=self.now + PATIENT_S, now=self.now)
        assert found == expected
        return found

    def end(self, call: Calls, result: Result) -> None:
        permit, era = call
        before = self.circuit.remaining_s(self.now)
        self.circuit.settle(permit, result, self.now)
        self.model.ended(era, result, self.now)
        self.settled += 1
        self.probes_under_way.discard(permit.generation)
        assert self.circuit.remaining_s(self.now) >= before, "opening again extends, never shortens"

    @invariant()
    def is_open_exactly_while_the_model_is(self) -> None:
        assert (self.circuit.state == "closed") is (self.model.until is None)
        remaining = self.circuit.remaining_s(self.now)
        if self.circuit.state == "open" and remaining > 0:
            assert self.model.until == self.now + remaining

    @invariant()
    def waits_at_most_the_cap(self) -> None:
        assert self.circuit.remaining_s(self.now) <= LIMITS.max_recovery_timeout_s

    @invariant()
    def a_place_for_a_probe_is_held_by_a_call_that_is_under_way_or_free(self) -> None:
        assert self.settled <= self.acquired
        if self.circuit.state == "half_open" and not self.probes_under_way:
            assert isinstance(self.probe_of_a_copy(), Permit), "no ending leaks the probe's place"

    def probe_of_a_copy(self) -> Permit | float:
        """What the circuit would say to one more call, without making one."""
        copy = Circuit(LIMITS)
        for name in Circuit.__slots__:
            setattr(copy, name, getattr(self.circuit, name))
        return copy.acquire(self.now)


TestCircuitMachine = CircuitMachine.TestCase
TestCircuitMachine.settings = promised()
