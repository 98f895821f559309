"""How many second calls are allowed."""

from __future__ import annotations

from sentinel_core.services import ServiceKey

MOST = 10.0
"""Second calls that can be saved up in quiet times."""

FIRST = 1.0
"""What a process begins with."""


class Credit:
    """Every call earns a share of a second call. Lives as long as the gateway."""

    def __init__(self) -> None:
        self._calls = FIRST

    def earn(self, share: float) -> None:
        """One call was made."""
        self._calls = min(MOST, self._calls + share)

    def spend(self) -> bool:
        """Whether one more second call is allowed."""
        if self._calls < 1.0:
            return False
        self._calls -= 1.0
        return True


CREDIT: ServiceKey[Credit] = ServiceKey("hedge_credit")
"""What the process may still spend on second calls."""
