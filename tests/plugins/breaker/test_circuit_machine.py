"""P2: the circuit against a naive one, in any order of calls, results and time."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, consumes, invariant, multiple, rule

from sentinel_plugins.breaker.circuit import Circuit, Permit, Result
from sentinel_plugins.breaker.config import BreakerConfig
from tests.plugins.breaker.naive_circuit import NaiveCircuit

LIMITS = BreakerConfig(
    failure_threshold=3, min_calls=4, window_s=10, recovery_timeout_s=4, max_recovery_timeout_s=10, quarantine_s=6
)


class CircuitMachine(RuleBasedStateMachine):
    calls: Bundle[tuple[Permit, int]] = Bundle("calls")

    def __init__(self) -> None:
        super().__init__()
        self.now = 100.0
        self.circuit = Circuit(LIMITS)
        self.model = NaiveCircuit(LIMITS)
        self.probes_under_way: set[int] = set()

    @rule(target=calls)
    def call(self) -> tuple[Permit, int] | MultipleResults[tuple[Permit, int]]:
        was_open = self.circuit.state == "open" and self.circuit.remaining_s(self.now) > 0
        permit = self.circuit.acquire(self.now)
        assert isinstance(permit, Permit) is self.model.admits(self.now)
        if not isinstance(permit, Permit):
            assert permit > 0
            return multiple()
        assert not was_open, "OPEN lets nothing through"
        if permit.probe:
            assert permit.generation not in self.probes_under_way, "HALF_OPEN lets one through at a time"
            self.probes_under_way.add(permit.generation)
        return permit, self.model.era

    @rule(call=consumes(calls), result=st.sampled_from(["success", "failure", "failure", "neutral", "quarantine"]))
    def end(self, call: tuple[Permit, int], result: Result) -> None:
        permit, era = call
        before = self.circuit.remaining_s(self.now)
        self.circuit.settle(permit, result, self.now)
        self.model.ended(era, result, self.now)
        if permit.probe:
            self.probes_under_way.discard(permit.generation)
        assert self.circuit.remaining_s(self.now) >= before, "opening again extends, never shortens"

    @rule(seconds=st.sampled_from([0.5, 1.0, 3.0, 4.0, 10.0]))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def is_open_exactly_while_the_model_is(self) -> None:
        assert (self.circuit.state == "closed") is (self.model.until is None)
        remaining = self.circuit.remaining_s(self.now)
        if self.circuit.state == "open" and remaining > 0:
            assert self.model.until == self.now + remaining

    @invariant()
    def waits_at_most_the_cap(self) -> None:
        assert self.circuit.remaining_s(self.now) <= LIMITS.max_recovery_timeout_s


TestCircuitMachine = CircuitMachine.TestCase
