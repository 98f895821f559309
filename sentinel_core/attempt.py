"""One call of a provider, as the exchange notes it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from sentinel_core.blame import Blame
from sentinel_core.keys import Key, Target
from sentinel_core.usage import Usage

Ending = Literal["completed", "failed", "discarded"]
"""How one reply of the upstream ended: read to its end, broken, or closed before its end."""


@dataclass(slots=True)
class Attempt:
    """One row per call of a provider. Opened before the call, closed when its reply is over.

    Times are seconds on the monotonic clock. `ending` is None while the call runs, `discarded` where its reply was
    given up: the caller left, or another attempt's reply was `taken` instead. `error` is the code if it failed, `blame`
    what that says of the target, `usage` what the provider reported, which it may charge for whatever the ending.
    """

    number: int
    target: Target
    started: float
    ending: Ending | None = None
    error: str | None = None
    ended: float | None = None
    usage: Usage | None = None
    taken: bool = False
    blame: Blame | None = None

    @property
    def called(self) -> bool:
        """Whether it reached for its provider: one that could not be announced, or was never sent, did not."""
        return self.error != NOT_CALLED

    @property
    def is_bad(self) -> bool:
        """Whether it says something bad about its target."""
        return self.blame in ("failure", "quarantine")


BEFORE_CALL: Key[Callable[[Attempt], Awaitable[None]]] = Key("before_call")
"""What is awaited before each call of a provider, with its open row. If it raises, the provider is not called, and the
row's error says so (`not_called`). Written by whoever must know of a call that its process may not live to tell of."""

NOT_CALLED = "not_called"
"""The error of a row whose call was none: nothing of it was sent. It costs nothing, and is counted nowhere."""


def made(attempts: Iterable[Attempt]) -> list[Attempt]:
    """Those that reached for their provider."""
    return [attempt for attempt in attempts if attempt.called]


def served(attempts: Iterable[Attempt]) -> Attempt | None:
    """The call that a request is told by: the one whose reply was taken, though it broke off later; while that is not
    yet said, or where none was, the last that gave a whole one, or the last that was made."""
    calls = made(attempts)
    taken = [attempt for attempt in calls if attempt.taken]
    whole = [attempt for attempt in calls if attempt.ending == "completed"]
    return next(reversed(taken or whole or calls), None)


def answering(attempts: Iterable[Attempt]) -> Attempt | None:
    """The call that answered: as `served`, but none whose reply broke off, was given up or never came."""
    well = [row for row in attempts if row.error is None and (row.taken or row.ending == "completed")]
    return next((row for row in well if row.taken), well[-1] if well else None)
