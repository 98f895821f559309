"""A state store that goes away and comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from sentinel_core.errors import Refusal
from sentinel_core.state import Admission, Claim, Settlement
from sentinel_plugins.state.memory import MemoryState


class Unplugged(MemoryState):
    """A store that can be told not to answer."""

    shared: ClassVar[bool] = True
    down = False
    settled = 0

    async def admit(self, reservation: str, claims: Sequence[Claim]) -> Admission:
        self._check()
        return await super().admit(reservation, claims)

    async def settle(self, reservation: str, settlement: Settlement) -> Literal["settled", "unknown"]:
        self._check()
        self.settled += 1
        return await super().settle(reservation, settlement)

    def _check(self) -> None:
        if self.down:
            raise Refusal("state_unavailable")
