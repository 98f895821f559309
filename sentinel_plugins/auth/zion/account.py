"""What one user of Zion may still use."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from sentinel_core.errors import Refusal
from sentinel_core.limits import Limits, Part, Remainder
from sentinel_core.usage import Usage
from sentinel_plugins.auth.zion.wire import COUNTED, INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS, ZionLimit, ZionUser

REMEMBERED = 1024
"""Requests whose times an account knows apart."""
_PARTS: Mapping[str, Part] = {INPUT_TOKENS: "input_tokens", OUTPUT_TOKENS: "output_tokens"}


class Spent(NamedTuple):
    """What one request used."""

    input_tokens: int
    output_tokens: int
    requests: int = 1

    @classmethod
    def of(cls, attempts: Iterable[Usage]) -> Spent:
        """What all of its calls used."""
        used = tuple(attempts)
        return cls(sum(usage.prompt_tokens for usage in used), sum(usage.completion_tokens for usage in used))

    def within(self, limits: Iterable[str]) -> Spent:
        """What of it counts against these limits."""
        counted = frozenset(limits)
        return Spent(*(amount if name in counted else 0 for name, amount in self.by_limit().items()))

    def plus(self, other: Spent) -> Spent:
        """Both together."""
        return Spent(*(one + another for one, another in zip(self, other, strict=True)))

    def by_limit(self) -> dict[str, int]:
        """By the names of Zion's limits."""
        return {INPUT_TOKENS: self.input_tokens, OUTPUT_TOKENS: self.output_tokens, REQUESTS: self.requests}


NOTHING = Spent(0, 0, 0)


class Account:
    """A user, the limits as Zion told them last (`told_at`, seconds since the epoch), and what was used here since.
    `heard_at` is when that was on the monotonic clock, which nobody sets; `tried_at`, on the same one, when Zion was
    asked for them last and did not answer.

    What ends after they were told counts against them, whenever it began: Zion cannot have heard of it. Nor had it of
    what was `waiting` then.
    """

    __slots__ = ("_spent", "_used", "heard_at", "limits", "told_at", "tried_at", "user", "waiting")

    def __init__(
        self, user: ZionUser, limits: Iterable[ZionLimit], told_at: float, heard_at: float, waiting: Spent = NOTHING
    ) -> None:
        self.user = user
        self.tried_at = float("-inf")
        self._spent: deque[tuple[float, Spent]] = deque()
        self.tell(limits, told_at, heard_at, waiting)

    def tell(self, limits: Iterable[ZionLimit], told_at: float, heard_at: float, waiting: Spent = NOTHING) -> None:
        """Zion told the limits anew, and with them what it had heard of. Those of what nobody uses here bind nobody."""
        self.limits = tuple(limit for limit in limits if limit.name in COUNTED)
        self.told_at = told_at
        self.heard_at = heard_at
        self.waiting = self._used = waiting
        while self._spent and self._spent[0][0] <= heard_at:
            self._spent.popleft()
        for _, spent in self._spent:
            self._used = self._used.plus(spent)

    def spend(self, spent: Spent, at: float) -> None:
        """Count what Zion cannot have heard of yet; `at` is monotonic seconds."""
        self._used = self._used.plus(spent)
        self._spent.append((at, spent))
        if len(self._spent) > REMEMBERED:
            _, oldest = self._spent.popleft()
            second_at, second = self._spent.popleft()
            self._spent.appendleft((second_at, oldest.plus(second)))

    def check(self) -> None:
        """Raise `Refusal` (insufficient_quota) with the details where a limit is used up (S1-25)."""
        unheard = self._used.by_limit()
        for limit in self.limits:
            left = limit.left()
            if left is not None and left - unheard[limit.name] <= 0:
                details = {
                    "limit_name": limit.name,
                    "limit": limit.limit,
                    "used": (limit.used or 0) + unheard[limit.name],
                    "remaining": 0,
                    "reset_period": limit.reset_period,
                    "period_end": limit.period_end,
                }
                raise Refusal("insufficient_quota", f"The limit {limit.name!r} is used up.", details=details)


def bounds(account: Account, period_s: float) -> Limits:
    """The same limits for the stage that counts: since they were told, and in no `period_s`, after which Zion is asked
    again, more than was left.

    Zion's periods are those of a calendar and begin again at once; windows slide. Bounding by what is left keeps both
    apart: nothing is refused after a reset because of what was used before it.
    """
    left = _left(account)
    window = partial(Remainder, period_s=period_s, since=account.told_at)
    windows = [window(limit=left[REQUESTS])] if REQUESTS in left else []
    parts: dict[Part, int] = {part: left[name] for name, part in _PARTS.items() if name in left}
    windows += [window(unit="tokens", part=part, limit=rest) for part, rest in parts.items()]
    if len(parts) == 2:  # one of them says nothing of both together
        windows.append(window(unit="tokens", limit=sum(parts.values())))
    return Limits(windows=tuple(windows))


def _left(account: Account) -> dict[str, int]:
    """What was left by name when it was told: of several limits of one, such as a day's and a month's, the least."""
    left: dict[str, int] = {}
    waiting = account.waiting.by_limit()
    for limit in account.limits:
        rest = limit.left()
        if rest is not None:
            whole = max(0, int(rest - waiting[limit.name]))
            left[limit.name] = min(left.get(limit.name, whole), whole)
    return left
