"""Money: what was spent in a period and what open reservations may still spend (P3)."""

from __future__ import annotations

from collections import OrderedDict
from itertools import islice
from typing import TypeAlias

import msgspec

from sentinel_core.state import Budget, ClaimState, Settlement
from sentinel_plugins.state.memory.holds import Holds
from sentinel_plugins.state.memory.overflow import Overflow

Place: TypeAlias = tuple[str, str]
"""A budget's key and its period."""


class Account:
    """Nano-dollars at one place: `committed` for good, the rest held by open reservations."""

    __slots__ = ("committed", "holds", "place")

    def __init__(self, place: Place) -> None:
        self.place = place
        self.committed = 0
        self.holds = Holds()


class Budgets:
    """Every account by its place, the least recently charged first.

    The store cannot know when a period ends: accounts of past periods leave as the least recently used ones.
    """

    __slots__ = ("_accounts", "_max_entries", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._accounts: OrderedDict[Place, Account] = OrderedDict()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._accounts)

    def ask(self, claim: Budget, now: float) -> BudgetPart:
        """The claim beside its account, which counts no less than the claim says was spent."""
        place, spent = (claim.key, claim.period), claim.spent_nanousd
        account = self._accounts.get(place)
        unknown = account is None and spent is None
        if account is None:
            account = Account(place)
        committed = account.committed if spent is None or spent < account.committed else spent
        left = claim.limit_nanousd - committed - account.holds.total
        return BudgetPart(self, claim, account, committed, not unknown and _affords(left, claim), unknown)

    def keep(self, account: Account) -> None:
        """This account is charged now. The least recently charged ones beyond the bound are forgotten, except those in
        which something is reserved."""
        accounts = self._accounts
        try:
            accounts.move_to_end(account.place)
        except KeyError:
            accounts[account.place] = account
        more = len(accounts) - self._max_entries
        if more > 0:
            idle = (place for place, account in accounts.items() if not account.holds)
            for place in [*islice(idle, more)]:
                del accounts[place]
                self._overflow.note("budgets of the least recently active keys begin with what the ledger says")


class BudgetPart(msgspec.Struct):
    """A claim beside its account; once taken, one reservation in it.

    The step goes by `committed`. `unknown` is that nobody has said yet what was spent, neither this store nor the
    claim: then nothing fits.
    """

    budgets: Budgets
    claim: Budget
    account: Account
    committed: int
    fits: bool
    unknown: bool
    reservation: str = ""
    ends: float = 0.0

    def take(self, reservation: str, now: float) -> ClaimState:
        """Reserve."""
        claim, account = self.claim, self.account
        self.ends = now + claim.ttl_s
        self.reservation = reservation
        account.committed = committed = self.committed
        holds = account.holds
        reset_s = holds.add(reservation, claim.reserve_nanousd, now, claim.ttl_s)
        self.budgets.keep(account)
        left = claim.limit_nanousd - committed - holds.total
        return ClaimState(claim.key, left if left > 0 else 0, reset_s, True)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Nano-dollars that are left. `reset_s` speaks of reservations only: what is spent stays so in its period."""
        claim, account = self.claim, self.account
        left = claim.limit_nanousd - self.committed - account.holds.total
        if self.unknown:  # it may be said to be admitted, as far as the store can tell
            admitted = _affords(left, claim)
        wait = None
        if not admitted and self.committed + claim.reserve_nanousd <= claim.limit_nanousd:
            wait = account.holds.wait(claim.reserve_nanousd - left, now)
        return ClaimState(claim.key, max(0, left), account.holds.reset(now), admitted, wait, self.unknown)

    def settle(self, settlement: Settlement, now: float) -> None:
        """Commit what was really spent, also where the reservation's own time was over already."""
        self.account.holds.release(self.reservation)
        if settlement.nanousd > 0:
            self.account.committed += settlement.nanousd

    def lapse(self, now: float) -> None:
        """The reservation returns: nobody said what was spent."""
        self.account.holds.release(self.reservation)


def _affords(left: int, claim: Budget) -> bool:
    """Whether so much pays for a claim. What costs nothing always fits, also where more was spent than allowed."""
    return claim.reserve_nanousd == 0 or claim.reserve_nanousd <= left
