"""What a caller is told who may not go on: which limit, what is left of it, and what would pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from sentinel_core.errors import MAX_RETRY_AFTER_S, Refusal
from sentinel_core.limits import NANO
from sentinel_core.state import ClaimState
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.estimate import Estimate
from sentinel_plugins.rate_limit.periods import span
from sentinel_plugins.rate_limit.rows import Row

BUSY_S = 1.0
"""When to come back where too many requests run: nobody knows when one of them ends, but most do soon."""

_WHOSE = {"tenant": "tenant", "key": "key", "user": "user", "address": "address", "model": "use of this model"}


class Asked(NamedTuple):
    """What is refused: the estimate of all its answers together, and how many they are."""

    estimate: Estimate
    choices: int


def refusal(
    rows: Sequence[Row], states: Sequence[ClaimState], asked: Asked, config: RateLimitConfig, now: float
) -> Refusal:
    """The one for a step that was denied: of money before of requests at a time before of rates."""
    denied = [(row, state) for row, state in zip(rows, states, strict=True) if not state.admitted]
    budgets = [(row, state) for row, state in denied if row.unit == "usd"]
    if budgets:
        return _quota(*min(budgets, key=lambda pair: pair[1].remaining), asked, config, now)
    for row, state in denied:
        if row.unit == "concurrency":
            return _busy(row, state)
    most = min((row.limit for row in rows if row.unit == "tokens"), default=0)
    return _rate(denied, asked, most)


def _quota(row: Row, state: ClaimState, asked: Asked, config: RateLimitConfig, now: float) -> Refusal:
    assert row.allowance is not None  # what makes a row of money one
    period, estimate = row.allowance.period, asked.estimate
    word = {"day": "daily", "month": "monthly", "total": "total"}[period]
    limit, left = row.limit / NANO, state.remaining / NANO
    message = (
        f"The {word} budget of this {_WHOSE[row.subject]} has ${left:.6g} left of ${limit:.6g}; this request may cost "
        f"${estimate.nanousd / NANO:.6g}."
    )
    details: dict[str, Any] = {  # JSON
        "subject": row.subject,
        "unit": "usd",
        "period": period,
        "limit": limit,
        "used": (row.limit - state.remaining) / NANO,
        "remaining": left,
        "requested": estimate.nanousd / NANO,
        "reset_at": span(period, now).reset_at,
    }
    if estimate.price is not None:
        fits = estimate.price.affordable(state.remaining, estimate.prompt, estimate.service_tier)
        fits = fits // asked.choices if fits is not None else None
        details["largest_request"] = {"max_output_tokens": fits}
        answer = "answer" if asked.choices == 1 else "each answer"
        message += f" With this prompt at most {fits} tokens of {answer} would pass." if fits else ""
    return Refusal("insufficient_quota", message, status=config.quota_status, details=details)


def _busy(row: Row, state: ClaimState) -> Refusal:
    message = f"This {_WHOSE[row.subject]} may have {row.limit} requests at a time, and has them."
    details = _details(row, state)
    wait = BUSY_S if row.limit else None
    return Refusal(
        "concurrency_limit_exceeded", message, retry_after_s=wait, should_retry=row.limit > 0, details=details
    )


def _rate(denied: Sequence[tuple[Row, ClaimState]], asked: Asked, most: int) -> Refusal:
    """Every window must have room: the one that takes longest says how long to wait. `most` is how many tokens all of
    them have when they are empty."""
    never = [pair for pair in denied if pair[1].retry_after_s is None]
    if never:
        row, state = min(never, key=lambda pair: pair[0].limit)
    else:
        row, state = max(denied, key=lambda pair: pair[1].retry_after_s or 0.0)
    unit = row.unit.replace("_", " ")
    message = f"This {_WHOSE[row.subject]} may use {row.limit} {unit} in {row.period_s:g} seconds"
    details = _details(row, state)
    if row.unit == "tokens":
        estimate = asked.estimate
        details["requested"] = estimate.tokens
        details["largest_request"] = {"max_output_tokens": max(0, most - estimate.prompt) // asked.choices}
        message += f"; this request may use {estimate.tokens}, and {state.remaining} are left"
    wait = state.retry_after_s
    if wait is None:
        message += ". It can never pass"
    elif wait > MAX_RETRY_AFTER_S:
        details["reset_s"] = round(wait, 3)
    return Refusal(
        "rate_limit_exceeded", f"{message}.", retry_after_s=wait, should_retry=wait is not None, details=details
    )


def _details(row: Row, state: ClaimState) -> dict[str, Any]:  # JSON
    details: dict[str, Any] = {  # JSON
        "subject": row.subject,
        "unit": row.unit,
        "limit": row.limit,
        "remaining": state.remaining,
    }
    if row.period_s:
        details["period_s"] = row.period_s
    return details
