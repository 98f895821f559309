"""What one user of Zion may still use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import NamedTuple

from sentinel_core.errors import Refusal
from sentinel_core.limits import Limits, Part, Remainder
from sentinel_core.messages import Usage
from sentinel_plugins.auth.zion.wire import COUNTED, INPUT_TOKENS, OUTPUT_TOKENS, REQUESTS, ZionLimit, ZionUser

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

    def by_limit(self) -> dict[str, int]:
        """By the names of Zion's limits."""
        return {INPUT_TOKENS: self.input_tokens, OUTPUT_TOKENS: self.output_tokens, REQUESTS: self.requests}


class Account:
    """A user, the limits as Zion told them last (`told_at`, seconds since the epoch), and what was used here since.
    `tried_at` is when it was asked for them last and did not answer.

    What ends after they were told counts against them, whenever it began: Zion cannot have heard of it.
    """

    __slots__ = ("_used", "limits", "told_at", "tried_at", "user")

    def __init__(self, user: ZionUser, limits: Iterable[ZionLimit], told_at: float) -> None:
        self.user = user
        self.tried_at = float("-inf")
        self.tell(limits, told_at)

    def tell(self, limits: Iterable[ZionLimit], told_at: float) -> None:
        """Zion told the limits anew, and with them what was used before. Those of what nobody uses here bind nobody."""
        self.limits = tuple(limit for limit in limits if limit.name in COUNTED)
        self.told_at = told_at
        self._used: dict[str, float] = {}

    def spend(self, spent: Spent) -> None:
        """Count what Zion cannot have heard of yet."""
        for name, amount in spent.by_limit().items():
            self._used[name] = self._used.get(name, 0) + amount

    def check(self) -> None:
        """Raise `Refusal` (insufficient_quota) with the details where a limit is used up (S1-25)."""
        for limit in self.limits:
            left = limit.left()
            if left is not None and left - self._used.get(limit.name, 0) <= 0:
                details = {
                    "limit_name": limit.name,
                    "limit": limit.limit,
                    "used": (limit.used or 0) + self._used.get(limit.name, 0),
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
    left = _left(account.limits)
    window = partial(Remainder, period_s=period_s, since=account.told_at)
    windows = [window(limit=left[REQUESTS])] if REQUESTS in left else []
    parts: dict[Part, int] = {part: left[name] for name, part in _PARTS.items() if name in left}
    windows += [window(unit="tokens", part=part, limit=rest) for part, rest in parts.items()]
    if len(parts) == 2:  # one of them says nothing of both together
        windows.append(window(unit="tokens", limit=sum(parts.values())))
    return Limits(windows=tuple(windows))


def _left(limits: Iterable[ZionLimit]) -> dict[str, int]:
    """What is left by name: of several limits of one, such as a day's and a month's, the least."""
    left: dict[str, int] = {}
    for limit in limits:
        rest = limit.left()
        if rest is not None:
            whole = max(0, int(rest))
            left[limit.name] = min(left.get(limit.name, whole), whole)
    return left
