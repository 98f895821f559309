"""Money: what was spent in a period and what open reservations may still spend (P3)."""

from __future__ import annotations

from collections import OrderedDict

from sentinel_core.state import Budget, ClaimState, Settlement
from sentinel_plugins.state.memory.holds import Holds
from sentinel_plugins.state.memory.overflow import Overflow


class Account:
    """Nano-dollars of one key and period: `committed` for good, the rest held by open reservations."""

    __slots__ = ("committed", "holds")

    def __init__(self, committed: int) -> None:
        self.committed = committed
        self.holds = Holds()

    @property
    def taken(self) -> int:
        """What nobody else may have: committed and reserved."""
        return self.committed + self.holds.total


class Budgets:
    """Every account by (key, period), the least recently charged first.

    The store cannot know when a period ends: accounts of past periods leave as the least recently used ones.
    """

    __slots__ = ("_accounts", "_max_entries", "_overflow")

    def __init__(self, max_entries: int, overflow: Overflow) -> None:
        self._accounts: OrderedDict[tuple[str, str], Account] = OrderedDict()
        self._max_entries = max_entries
        self._overflow = overflow

    def __len__(self) -> int:
        return len(self._accounts)

    def ask(self, claim: Budget, now: float) -> BudgetPart:
        """The claim beside its account; one that was never charged begins with what the claim says was spent."""
        account = self._accounts.get((claim.key, claim.period))
        if account is None:
            return BudgetPart(self, claim, Account(claim.spent_nanousd))
        account.holds.expire(now)
        return BudgetPart(self, claim, account)

    def keep(self, claim: Budget, account: Account) -> None:
        """This account is charged now. The least recently charged ones beyond the bound are forgotten."""
        place = (claim.key, claim.period)
        self._accounts[place] = account
        self._accounts.move_to_end(place)
        while len(self._accounts) > self._max_entries:
            self._accounts.popitem(last=False)
            self._overflow.note("budgets of the least recently active keys start anew")


class BudgetPart:
    """A claim beside its account; once taken, one reservation in it."""

    __slots__ = ("_account", "_budgets", "_reservation", "claim", "ends")

    def __init__(self, budgets: Budgets, claim: Budget, account: Account) -> None:
        self._budgets = budgets
        self._account = account
        self._reservation = ""
        self.claim = claim
        self.ends = 0.0

    def fits(self) -> bool:
        """Whether the reservation fits. What costs nothing always does, also where more was spent than allowed."""
        asked = self.claim.reserve_nanousd
        return asked == 0 or self._account.taken + asked <= self.claim.limit_nanousd

    def take(self, reservation: str, now: float) -> None:
        """Reserve."""
        self.ends = now + self.claim.ttl_s
        self._reservation = reservation
        self._account.holds.add(reservation, self.claim.reserve_nanousd, self.ends)
        self._budgets.keep(self.claim, self._account)

    def state(self, now: float, admitted: bool) -> ClaimState:
        """Nano-dollars that are left. `reset_s` speaks of reservations only: what is spent stays so in its period."""
        claim, account = self.claim, self._account
        left = claim.limit_nanousd - account.taken
        wait = None
        if not admitted and account.committed + claim.reserve_nanousd <= claim.limit_nanousd:
            wait = account.holds.wait(claim.reserve_nanousd - left, now)
        return ClaimState(claim.key, max(0, left), account.holds.reset(now), admitted, wait)

    def settle(self, settlement: Settlement, now: float) -> None:
        """Commit what was really spent, also where the reservation's own time was over already."""
        self._account.holds.release(self._reservation)
        self._account.committed += max(0, settlement.nanousd)

    def lapse(self, now: float) -> None:
        """The reservation returns: nobody said what was spent."""
        self._account.holds.expire(now)
