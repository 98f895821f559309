"""What a request of a user of Zion used: counted against their limits at once, and told."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence

from sentinel_core.context import Context, Outcome
from sentinel_core.costs import AttemptCost, costs_of, settled_costs
from sentinel_core.prices import Prices
from sentinel_core.tokens import Tokens
from sentinel_plugins.auth.zion.account import Account, Spent
from sentinel_plugins.auth.zion.outbox import Outbox


class Meter:
    """Counts as the ledger does: all calls, also of answers that broke off and where the provider counted nothing."""

    def __init__(self, outbox: Outbox, prices: Prices, tokens: Tokens) -> None:
        self.outbox = outbox
        self._prices = prices
        self._tokens = tokens

    def note(self, ctx: Context, outcome: Outcome, account: Account) -> Awaitable[None]:
        """Take what one request used. Counts at once unless tokens must be counted first."""
        costs = settled_costs(ctx, self._prices)
        return self._note_later(ctx, outcome, account) if costs is None else self._taken(account, costs)

    async def _note_later(self, ctx: Context, outcome: Outcome, account: Account) -> None:
        await self._taken(account, await costs_of(ctx, outcome, self._prices, self._tokens))

    def _taken(self, account: Account, costs: Sequence[AttemptCost]) -> Awaitable[None]:
        spent = Spent.of(cost.usage for cost in costs)
        return self.outbox.add(account, spent)
