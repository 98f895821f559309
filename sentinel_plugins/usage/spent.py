"""What somebody spent, as the rows of the ledger say."""

from __future__ import annotations

from sentinel_core.ledger import Payer
from sentinel_core.records import RecordStore
from sentinel_plugins.usage.row import TABLE


class Spent:
    """The service `ledger`."""

    async def spent(self, records: RecordStore, payer: Payer, since: float | None, until: float | None) -> int:
        """The sum of all rows; calls without a price cost nothing. Raises `Refusal` (ledger_unavailable)."""
        groups = await records.aggregate(
            TABLE,
            tenant=payer.tenant,
            group_by=("model",) if payer.models is not None else (),
            sums=("cost_nanousd",),
            where={payer.field: payer.value} if payer.field is not None else None,
            since=since,
            until=until,
        )
        return sum(group.sums[0] for group in groups if payer.models is None or payer.models(group.values[0]))
