"""The sums of the ledger for whoever shows them beside something else."""

from __future__ import annotations

from sentinel_core.gateway import Gateway
from sentinel_core.keys import Principal
from sentinel_plugins.recording.own_rows import caught_up
from sentinel_plugins.recording.reach import reach
from sentinel_plugins.usage.stage import Usage
from sentinel_plugins.usage.summary import Asked, Totals, summary


class Sums:
    """The service `usage_sums`."""

    async def of(self, gateway: Gateway, principal: Principal) -> Totals:
        """What the calls came to that this caller may see, since the first row and until a moment ago."""
        await caught_up(gateway, Usage)
        return (await summary(gateway.records, Asked(reach(principal)))).total
