"""What the usage ledger says was spent: where budgets begin that a state store does not know, or no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from sentinel_core.keys import Key
from sentinel_core.records import RecordStore

ADMITTED_AT: Key[float] = Key("admitted_at")
"""When a request with a budget was admitted, in seconds since the epoch: its money counts in the day and the month of
that moment, in the budget and in the ledger alike. Written by the stage that reserves."""


class Payer(NamedTuple):
    """Whose calls: a tenant's, or those of one key, user or caller (`principal`) in it; of models, where `models` is
    given, those that it says yes to."""

    tenant: str
    field: Literal["key", "user", "principal"] | None = None
    value: str = ""
    models: Callable[[str], bool] | None = None


class Ledger(Protocol):
    """The service `ledger`, where something writes one."""

    async def spent(self, records: RecordStore, payer: Payer, since: float | None, until: float | None) -> int:
        """Nano-dollars of the payer's calls from `since` until before `until`, as far as they have been written.

        Raises `Refusal` (ledger_unavailable).
        """
        ...
