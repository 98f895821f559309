"""While the state store does not answer: this process's part of every rate, and nothing that costs a budget (R13)."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import msgspec

from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.state import Admission, Budget, Claim, ClaimState, StateStore, Window

log = logging.getLogger("sentinel.rate_limit")

AGAIN_S = 1.0
"""When to ask again what only the whole fleet could let through: the store may answer by then."""


class LocalPart:
    """Admits from a store of this process at N / processes. Says so when it begins and when it is over."""

    def __init__(self, store: StateStore | None, processes: int, counts: Counts) -> None:
        self.store = store
        self._processes = processes
        self.active = False
        self.admitted = 0
        self._total = counts.count("admitted_locally", "Requests that this process admitted on its own")

    async def admit(
        self, reservation: str, claims: Sequence[Claim], unavailable: Refusal
    ) -> tuple[Admission, StateStore]:
        """The step on this process's part, and the store that took it. Raises `unavailable` where money is at stake, or
        nothing counts here."""
        if self.store is None or any(isinstance(claim, Budget) for claim in claims):
            raise unavailable
        if not self.active:
            self.active = True
            log.warning(
                "the state store does not answer: this process limits rates on its own, at 1/%d of each; "
                "callers with a budget are refused",
                self._processes,
            )
        admission = await self.store.admit(reservation, [self._part(claim) for claim in claims])
        if not admission.admitted:
            states = map(_for_now, claims, admission.claims)
            admission = msgspec.structs.replace(admission, claims=tuple(states))
        self.admitted += admission.admitted
        self._total.value += admission.admitted
        return admission, self.store

    def over(self) -> None:
        """The store answers again."""
        self.active = False
        log.warning("the state store answers again; %d requests were admitted without it", self.admitted)
        self.admitted = 0

    def _part(self, claim: Claim) -> Claim:
        """A limit's part, at least 1 of what allows any: a limit smaller than the fleet would allow nothing."""
        if isinstance(claim, Budget) or not claim.limit:
            return claim
        return msgspec.structs.replace(claim, limit=max(1, claim.limit // self._processes))


def _for_now(claim: Claim, state: ClaimState) -> ClaimState:
    """What is more than this process's part, but not than the limit, passes once the state store answers again."""
    never = not state.admitted and state.retry_after_s is None
    if never and isinstance(claim, Window) and claim.cost <= claim.depth:
        return msgspec.structs.replace(state, retry_after_s=AGAIN_S)
    return state
