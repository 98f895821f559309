"""The memory store against a naive model, in any order of admissions, settlements and time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, rule

from sentinel_core.state import Budget, Claim, ClaimState, Lease, Settlement, Window
from sentinel_plugins.state.memory import MemoryState
from sentinel_plugins.state.memory.reservations import GONE_TTL_S
from tests.plugins.state.manual_time import TICK_S, ManualTime
from tests.plugins.state.naive_model import NaiveModel, limit, place
from tests.plugins.state.one_step import one_step

NEVER = Window("never", limit=0, period_s=1.0)
LONGER_THAN_ANYTHING_S = 1_000.0

KEYS = st.sampled_from(["acme", "globex"])
RESERVATIONS = st.sampled_from([f"request-{number}" for number in range(30)])
SPANS = st.sampled_from([1.0, 2.0])
SECONDS = st.sampled_from([TICK_S, 0.5, 1.0 - TICK_S, 1.0, 2.0])
WINDOWS = st.builds(Window, KEYS, st.integers(0, 6), SPANS, st.integers(0, 3))
LEASES = st.builds(Lease, KEYS, st.integers(0, 3), SPANS)
BUDGETS = st.builds(Budget, KEYS, st.integers(0, 9), st.integers(0, 4), st.sampled_from(["may", "june"]), SPANS)
CLAIMS = st.lists(WINDOWS | LEASES | BUDGETS, min_size=1, max_size=4, unique_by=place)
UNITS = st.fixed_dictionaries({"acme": st.integers(-1, 4)}, optional={"globex": st.integers(-1, 4)})
SETTLEMENTS = st.builds(Settlement, UNITS.map(lambda units: tuple(units.items())), st.integers(-1, 5))


class MemoryMachine(RuleBasedStateMachine):
    """P1 and P3: the store and the model agree on every decision and on everything that is left."""

    admitted: Bundle[str] = Bundle("admitted")

    def __init__(self) -> None:
        super().__init__()
        self.time = ManualTime()
        self.now = 0.0
        self.store = MemoryState(now=self.time)
        self.model = NaiveModel()
        self.seen: dict[object, Claim] = {}

    @rule(target=admitted, reservation=RESERVATIONS, claims=CLAIMS)
    def admit(self, reservation: str, claims: list[Claim]) -> str | MultipleResults[str]:
        free = self.model.free(reservation, self.now)
        fits = [self.model.fits(claim, self.now) for claim in claims]
        admission = one_step(self.store.admit(reservation, claims))
        assert admission.admitted is self.model.admit(reservation, claims, self.now)
        assert [state.admitted for state in admission.claims] == [fit and free for fit in fits]
        for claim, state in zip(claims, admission.claims, strict=True):
            self.check_state(claim, state)
            if free and not state.admitted:
                self.check_wait(claim, state)
        self.seen.update((place(claim), claim) for claim in claims)
        return reservation if admission.admitted else multiple()

    def check_state(self, claim: Claim, state: ClaimState) -> None:
        assert state.key == claim.key
        assert state.remaining == max(0, limit(claim) - self.model.used(claim, self.now))
        if not isinstance(claim, Budget):
            assert self.model.used(claim, self.now + state.reset_s) == 0

    def check_wait(self, claim: Claim, state: ClaimState) -> None:
        """Tight: no sooner, no later, and None only where no waiting helps."""
        if state.retry_after_s is None:
            assert not self.model.fits(claim, self.now + LONGER_THAN_ANYTHING_S)
        else:
            assert not self.model.fits(claim, self.now + state.retry_after_s - TICK_S)
            assert self.model.fits(claim, self.now + state.retry_after_s)

    @rule(reservation=admitted, settlement=SETTLEMENTS)
    def settle(self, reservation: str, settlement: Settlement) -> None:
        expected = self.model.settle(reservation, settlement, self.now)
        assert one_step(self.store.settle(reservation, settlement)) == expected

    @rule(reservation=RESERVATIONS, settlement=SETTLEMENTS)
    def settle_any(self, reservation: str, settlement: Settlement) -> None:
        self.settle(reservation, settlement)

    @rule(seconds=SECONDS | st.just(GONE_TTL_S))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.time.advance(seconds)
        self.read_clock()

    @rule(seconds=SECONDS)
    def clock_is_set_back(self, seconds: float) -> None:
        self.time.advance(-seconds)
        self.read_clock()

    def read_clock(self) -> None:
        one_step(self.store.get("any"))

    @invariant()
    def every_place_counts_the_same(self) -> None:
        """Seen through an admission that is always denied, which therefore must not change what it sees."""
        for claim in self.seen.values():
            state, _ = one_step(self.store.admit("probe", [claim, NEVER])).claims
            self.check_state(claim, state)


MemoryMachine.TestCase.settings = settings(stateful_step_count=50)
TestMemoryMachine = MemoryMachine.TestCase
