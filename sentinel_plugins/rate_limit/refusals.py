"""What a caller is told who may not go on: which limit, what is left of it, and what would pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from math import inf
from typing import NamedTuple

from sentinel_core.costs import dollars
from sentinel_core.errors import MAX_RETRY_AFTER_S, Refusal
from sentinel_core.json_types import JsonObject
from sentinel_core.limits import NANO, details_of
from sentinel_core.state import ClaimState
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.estimate import Asked
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.rows import MoneyRow, Row, Unit

BUSY_S = 1.0
"""When to come back where too many requests run: nobody knows when one of them ends, but most do soon."""

_WHO = {
    "tenant": "This tenant",
    "key": "This key",
    "user": "This user",
    "address": "This address",
    "model": "With this model you",
}


class Denial(NamedTuple):
    """What was limited, and what the caller is told of it."""

    unit: Unit
    refusal: Refusal


def denial(
    rows: Sequence[Row], states: Sequence[ClaimState], asked: Asked, config: RateLimitConfig, now: float
) -> Denial:
    """The one for a step that was denied: of money before of requests at a time before of rates."""
    denied = [(row, state) for row, state in zip(rows, states, strict=True) if not state.admitted]
    largest = partial(_largest, rows, states, asked)
    budgets = [(row, state) for row, state in denied if isinstance(row, MoneyRow)]
    if budgets:
        row, state = min(budgets, key=lambda pair: pair[1].remaining)
        return Denial(row.unit, _quota(row, state, asked, largest(), config, now))
    for one, state in denied:
        if one.unit == "concurrency":
            return Denial(one.unit, _busy(one, state))
    slowest, state = _slowest(denied)
    return Denial(slowest.unit, _rate(slowest, state, asked, largest))


def _largest(rows: Sequence[Row], states: Sequence[ClaimState], asked: Asked) -> int | None:
    """The highest cap of each answer for which all budgets have room, and all windows when they are empty."""
    tokens = min((row.limit for row in rows if row.unit == "tokens"), default=inf)
    money = min((state.remaining for row, state in zip(rows, states, strict=True) if row.unit == "usd"), default=inf)
    return asked.largest(lambda found: found.tokens <= tokens and found.nanousd <= money)


def _quota(
    row: MoneyRow, state: ClaimState, asked: Asked, largest: int | None, config: RateLimitConfig, now: float
) -> Refusal:
    period, estimate = row.allowance.period, asked.estimate()
    word = {"day": "daily", "month": "monthly", "total": "total"}[period]
    left, limit, cost = dollars(state.remaining), dollars(row.limit), dollars(estimate.nanousd)
    budget = (
        f"Your {word} budget for this model" if row.subject == "model" else f"The {word} budget of this {row.subject}"
    )
    message = f"{budget} has ${left} left of ${limit}; this request may cost ${cost}."
    details: JsonObject = {
        "subject": row.subject,
        "unit": "usd",
        "period": period,
        "limit": row.limit / NANO,
        "used": (row.limit - state.remaining) / NANO,
        "remaining": state.remaining / NANO,
        "requested": estimate.nanousd / NANO,
        "reset_at": span(period, now).reset_at,
        "largest_request": {"max_output_tokens": largest},
    }
    if largest:
        answer = "answer" if asked.choices == 1 else "each answer"
        message += f" With this prompt at most {largest} tokens of {answer} would pass."
    return Refusal("insufficient_quota", message, status=config.quota_status, details=details)


def _busy(row: Row, state: ClaimState) -> Refusal:
    message = f"{_WHO[row.subject]} may have {row.limit} requests at a time, and so many are running."
    details = _details(row, state)
    wait = BUSY_S if row.limit else None
    return Refusal(
        "concurrency_limit_exceeded", message, retry_after_s=wait, should_retry=row.limit > 0, details=details
    )


def _slowest(denied: Sequence[tuple[Row, ClaimState]]) -> tuple[Row, ClaimState]:
    """Every window must have room: the one that takes longest says how long to wait."""
    never = [pair for pair in denied if pair[1].retry_after_s is None]
    if never:
        return min(never, key=lambda pair: pair[0].limit)
    return max(denied, key=lambda pair: pair[1].retry_after_s or 0.0)


def _rate(row: Row, state: ClaimState, asked: Asked, largest: Callable[[], int | None]) -> Refusal:
    unit = row.unit.replace("_", " ")
    message = f"{_WHO[row.subject]} may use {row.limit} {unit} in {row.period_s:.15g} seconds"
    details = _details(row, state)
    if row.unit == "tokens":
        requested = asked.estimate().tokens
        details["requested"] = requested
        details["largest_request"] = {"max_output_tokens": largest()}
        message += f"; this request may use {requested}, and {state.remaining} are left"
    wait = state.retry_after_s
    if wait is None:
        message += ". It can never pass"
    elif wait > MAX_RETRY_AFTER_S:
        details["reset_s"] = round(wait, 3)
    return Refusal(
        "rate_limit_exceeded", f"{message}.", retry_after_s=wait, should_retry=wait is not None, details=details
    )


def _details(row: Row, state: ClaimState) -> JsonObject:
    return details_of(row.subject, row.unit, row.limit, state.remaining, row.period_s)
