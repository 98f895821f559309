"""The row of one call of a provider."""

from __future__ import annotations

from random import getrandbits
from typing import TypedDict

import msgspec

from sentinel_core.attempt import NOT_CALLED, Attempt, Ending
from sentinel_core.context import Context
from sentinel_core.costs import AttemptCost, Provenance
from sentinel_core.keys import PRINCIPAL, Key, Principal
from sentinel_core.ledger import ADMITTED_AT
from sentinel_core.messages import Operation
from sentinel_core.records import Record
from sentinel_plugins.recording.asker import named_or_seen
from sentinel_plugins.recording.lost import LOST

TABLE = "usage"
INTENTS = "usage_intents"

NONCE: Key[str] = Key("usage_nonce")
"""What the ids of a request's rows end with, where it must be known before the first call."""


class UsageRow(TypedDict):
    """What one call was, how it ended, and what it cost in nano-dollars; null where its model has no price.

    `principal` is who asked, an address where nobody is known; `model` is what was asked for, `provider` and
    `target_model` who was called. So that sums count them, `requests` is 1 in the row of a request's first call,
    `unpriced` where there is no price, and `not_called` where nothing of a call was sent: such a row only takes the
    place of its intent. Times are milliseconds.
    """

    request_id: str
    attempt: int
    principal: str
    key: str | None
    user: str | None
    model: str
    provider: str
    target_model: str
    operation: str
    streamed: bool
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_nanousd: int | None
    price_version: str
    provenance: Provenance
    ending: str
    error: str | None
    elapsed_ms: int
    requests: int
    unpriced: int
    not_called: int


SUMS = (
    *("requests", "unpriced", "prompt_tokens", "completion_tokens", "cached_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "cost_nanousd"),
)
"""The integers that are added up."""


class EndedCall(msgspec.Struct, frozen=True):
    """What the ledger says of one call, noted when its request is over: its row is made when it is written."""

    request_id: str
    nonce: str
    at: float
    principal: Principal | None
    address: str
    model: str | None
    operation: Operation
    streamed: bool
    cost: AttemptCost
    ending: Ending
    error: str | None
    elapsed_s: float
    is_first: bool

    def record(self) -> Record:
        """Its row."""
        cost, usage, target, principal = self.cost, self.cost.usage, self.cost.target, self.principal
        who = named_or_seen(principal, self.address)
        row: UsageRow = {
            "request_id": self.request_id,
            "attempt": cost.number,
            "principal": who["principal"],
            "key": who["key"],
            "user": who["user"],
            "model": self.model or target.model,
            "provider": target.provider,
            "target_model": target.model,
            "operation": self.operation,
            "streamed": self.streamed,
            "prompt_tokens": usage.prompt_tokens,
            "completion_tokens": usage.completion_tokens,
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
            "reasoning_tokens": usage.reasoning_tokens,
            "cost_nanousd": cost.nanousd,
            "price_version": cost.price_version,
            "provenance": cost.provenance,
            "ending": self.ending,
            "error": self.error,
            "elapsed_ms": round(self.elapsed_s * 1000),
            "requests": 1 if self.is_first else 0,
            "unpriced": 1 if cost.nanousd is None else 0,
            "not_called": 1 if self.error == NOT_CALLED else 0,
        }
        tenant = principal.tenant if principal is not None else ""
        return Record(f"{self.request_id}:{cost.number}:{self.nonce}", tenant, self.at, row)


def ended_calls(ctx: Context, costs: tuple[AttemptCost, ...], now: float) -> list[EndedCall]:
    """One per attempt, at the time when it began; where a budget pays, when its request was admitted."""
    nonce = ctx.get(NONCE) or new_nonce()
    admitted = ctx.get(ADMITTED_AT)
    last = 0.0 if admitted is not None else _last(ctx)
    found: list[EndedCall] = []
    for attempt, cost in zip(ctx.attempts, costs, strict=True):
        at = admitted if admitted is not None else max(0.0, now - (last - attempt.started))
        found.append(_ended(ctx, attempt, nonce, at, cost, attempt.ending or "discarded", attempt.error))
    return found


def _last(ctx: Context) -> float:
    """When the last call was over, in seconds on the monotonic clock."""
    return max([attempt.ended or attempt.started for attempt in ctx.attempts], default=0.0)


def _first(ctx: Context) -> int | None:
    """The number of the first call that was made."""
    for attempt in ctx.attempts:
        if attempt.called:
            return attempt.number
    return None


def intent(ctx: Context, attempt: Attempt, cost: AttemptCost, now: float) -> Record:
    """The row of a call that begins, as it stays if nobody lives to write another one under the same id."""
    return _ended(ctx, attempt, ctx[NONCE], ctx.get(ADMITTED_AT, now), cost, "failed", LOST).record()


def new_nonce() -> str:
    """What keeps the rows of two requests apart: clients choose request ids, and may choose one twice."""
    return getrandbits(64).to_bytes(8).hex()


def nonce_of(row: Record) -> str:
    """The nonce of the request that a row is of."""
    return row.id.rpartition(":")[2]


def _ended(
    ctx: Context, attempt: Attempt, nonce: str, at: float, cost: AttemptCost, ending: Ending, error: str | None
) -> EndedCall:
    request, started = ctx.request, attempt.started
    return EndedCall(
        ctx.id,
        nonce,
        at,
        ctx.get(PRINCIPAL),
        ctx.client.address,
        request.model,
        request.operation,
        request.stream,
        cost,
        ending,
        error,
        attempt.ended - started if attempt.ended is not None else 0.0,
        attempt.number == _first(ctx),
    )
