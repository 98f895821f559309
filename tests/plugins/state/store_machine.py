"""A state store against the naive model, in any order of admissions, settlements and time (P1, P3)."""

from __future__ import annotations

from abc import abstractmethod

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, MultipleResults, RuleBasedStateMachine, invariant, multiple, rule

from sentinel_core.state import Budget, Claim, ClaimState, Lease, Settlement, Window, state_key
from tests.plugins.state.drivers import Driver
from tests.plugins.state.naive_model import GONE_TTL_S, SECOND, NaiveModel, limit

TICK = SECOND // 64
"""Times that are multiples of this are exact in seconds as well, so that tests can assert on edges."""

NEVER = Window(state_key("acme", "never"), limit=0, period_s=1.0)
LONGER_THAN_ANYTHING = 1_000 * SECOND

KEYS = st.sampled_from([state_key("acme", "a"), state_key("acme", "b")])
RESERVATIONS = st.sampled_from([state_key("acme", f"request-{number}") for number in range(30)])
SPANS = st.sampled_from([1.0, 2.0])
TIMES = st.sampled_from([TICK, SECOND // 2, SECOND - TICK, SECOND, 2 * SECOND])
WINDOWS = st.builds(Window, KEYS, st.integers(0, 6), SPANS, st.integers(0, 3))
METERS = st.builds(
    Window, KEYS, st.integers(0, 6), SPANS, st.integers(0, 3), st.sampled_from(["gcra", "sliding_window"]),
    st.none() | st.integers(0, 4),
)  # fmt: skip
LEASES = st.builds(Lease, KEYS, st.integers(0, 3), SPANS)
PERIODS = st.sampled_from(["may", "june"])
BUDGETS = st.builds(Budget, KEYS, st.integers(0, 9), st.integers(0, 4), PERIODS, SPANS, st.integers(0, 2))
CLAIMS = st.lists(WINDOWS | METERS | LEASES | BUDGETS, min_size=1, max_size=4, unique_by=lambda claim: claim.place)
USED = st.dictionaries(KEYS, st.integers(-1, 4)).map(lambda units: tuple(units.items()))
SETTLEMENTS = st.builds(Settlement, USED, st.integers(-1, 5))


class StoreMachine(RuleBasedStateMachine):
    """The store and the model agree on every decision and on everything that is left.

    `now` is the time that the store may not fall behind, whatever its clock does.
    """

    admitted: Bundle[str] = Bundle("admitted")

    def __init__(self) -> None:
        super().__init__()
        self.now = 0
        self.store = self.drive()
        self.model = NaiveModel()
        self.seen: dict[object, Claim] = {}

    @abstractmethod
    def drive(self) -> Driver:
        """A new store."""

    def teardown(self) -> None:
        self.store.close()

    @rule(target=admitted, reservation=RESERVATIONS, claims=CLAIMS)
    def admit(self, reservation: str, claims: list[Claim]) -> str | MultipleResults[str]:
        free = self.model.free(reservation, self.now)
        fits = [self.model.fits(claim, self.now) for claim in claims]
        (admission,) = self.store.ask((reservation, claims))
        assert admission.admitted is self.model.admit(reservation, claims, self.now)
        assert [state.admitted for state in admission.claims] == [fit and free for fit in fits]
        for claim, state in zip(claims, admission.claims, strict=True):
            self.check_state(claim, state)
            if free and not state.admitted:
                self.check_wait(claim, state)
        if admission.admitted:
            self.seen.update((claim.place, claim) for claim in claims)
        return reservation if admission.admitted else multiple()

    def check_state(self, claim: Claim, state: ClaimState) -> None:
        assert state.key == claim.key
        assert state.remaining == max(0, (limit(claim) - self.model.used(claim, self.now)) // 1)
        if not isinstance(claim, Budget):
            assert self.model.used(claim, self.now + later(state.reset_s)) == 0

    def check_wait(self, claim: Claim, state: ClaimState) -> None:
        """Tight: no sooner, no later, and None only where no waiting helps."""
        if state.retry_after_s is None:
            assert not self.model.fits(claim, self.now + LONGER_THAN_ANYTHING)
        else:
            assert not self.model.fits(claim, self.now + later(state.retry_after_s) - 1)
            assert self.model.fits(claim, self.now + later(state.retry_after_s))

    @rule(reservation=admitted, settlement=SETTLEMENTS)
    def settle(self, reservation: str, settlement: Settlement) -> None:
        expected = self.model.settle(reservation, settlement, self.now)
        assert self.store.tell(reservation, settlement) == expected

    @rule(reservation=RESERVATIONS, settlement=SETTLEMENTS)
    def settle_any(self, reservation: str, settlement: Settlement) -> None:
        self.settle(reservation, settlement)

    @rule(time=TIMES | st.just(GONE_TTL_S * SECOND))
    def time_passes(self, time: int) -> None:
        self.now += time
        self.store.move_clock(time)
        self.store.read_clock()

    @rule(time=TIMES)
    def clock_is_set_back(self, time: int) -> None:
        self.store.move_clock(-time)
        self.store.read_clock()

    @invariant()
    def every_place_counts_the_same(self) -> None:
        """Seen through admissions that are always denied, which therefore must not change what they see."""
        claims = [*self.seen.values()]
        probes = [(state_key("acme", "probe"), [claim, NEVER]) for claim in claims]
        for claim, admission in zip(claims, self.store.ask(*probes), strict=True):
            self.check_state(claim, admission.claims[0])


def later(seconds: float) -> int:
    """A wait in the model's time."""
    return round(seconds * SECOND)
