"""What the audit says of one request."""

from __future__ import annotations

from collections.abc import Sequence
from secrets import token_hex
from typing import Any, Literal, NamedTuple

import msgspec

from sentinel_core.attempt import Attempt, made, served
from sentinel_core.context import Context, Outcome
from sentinel_core.costs import COSTS, total_nanousd
from sentinel_core.errors import SentinelError
from sentinel_core.json_types import JsonValue
from sentinel_core.keys import INJECTION_SCORE, PRINCIPAL, SERVED_BY, Key, Verdict
from sentinel_core.records import Record
from sentinel_core.usage import Usage
from sentinel_plugins.recording.asker import asker
from sentinel_plugins.recording.lost import LOST

TABLE = "audit"
CLAIMS = "audit_lost"
"""Who ends a request that was lost: one row for each."""
EXCHANGE = "exchange"
"""The field that an intent and its end have in common: clients may choose one request id twice."""


class Begun(NamedTuple):
    """An intent: that field's value, and the date."""

    exchange: str
    at: float


BEGUN: Key[Begun] = Key("audit_exchange")
"""Where the intent of a request is, or is to be, written."""
_SEALED = frozenset({"writer", "seq", "prev", "mac"})
PII = "pii"
_TOUCHED = frozenset({"blocked", "masked", "monitored"})
_CLEAN = frozenset({"allowed", "masked"})


class Content(msgspec.Struct, frozen=True):
    """Texts as the guards left them: bodies as JSON texts."""

    request: str
    response: str | None


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One request. An `intent` says that it is about to reach a provider, a `terminal` entry how it ended.

    `principal` is who asked, an address where nobody is known. `status` is how the exchange ended; `model` is what was
    asked for, or else what answered. `provider`, `target_model`, the tokens and `ending` are of one call: the one whose
    reply was taken, or the last. `attempts` counts the calls that were made, and `cost_nanousd` is of all of them.
    `lost` counts the entries that this writer, and those before it in its process, had no room for so far.
    """

    kind: Literal["intent", "terminal"]
    request_id: str
    principal: str = ""
    key: str | None = None
    user: str | None = None
    operation: str = ""
    model: str = ""
    streamed: bool = False
    provider: str | None = None
    target_model: str | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_nanousd: int | None = None
    latency_ms: int = 0
    first_event_ms: int | None = None
    finish_reason: str | None = None
    pii_detected: bool = False
    pii_redacted: bool = False
    injection_score: float | None = None
    status: str = ""
    error: str | None = None
    ending: str | None = None
    attempts: int = 0
    verdicts: tuple[Verdict, ...] = ()
    content: Content | None = None
    lost: int = 0


def intent(ctx: Context, now: float) -> Record:
    """The record of a request that is about to reach a provider."""
    ctx[BEGUN] = Begun(token_hex(8), now)
    return _record(ctx, Entry(kind="intent", **_asked(ctx)), now)


def terminal(ctx: Context, outcome: Outcome, now: float, *, lost: int, content: bool) -> Record:
    """The record of a request that is over."""
    calls = made(ctx.attempts)
    call = served(calls)
    target = ctx.get(SERVED_BY) or (call.target if call is not None else None)
    usage = _usage(ctx, call, outcome)
    asked = _asked(ctx)
    if target is not None:
        asked["model"] = asked["model"] or target.model
    entry = Entry(
        kind="terminal",
        **asked,
        provider=target.provider if target is not None else None,
        target_model=target.model if target is not None else None,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_nanousd=_cost(ctx, calls),
        latency_ms=round(outcome.elapsed_s * 1000),
        first_event_ms=round(outcome.first_event_s * 1000) if outcome.first_event_s is not None else None,
        finish_reason=outcome.finish_reason,
        pii_detected=_pii(outcome, _TOUCHED),
        pii_redacted=_pii(outcome, frozenset({"masked"})),
        injection_score=ctx.get(INJECTION_SCORE),
        status=outcome.status,
        error=outcome.error.code if isinstance(outcome.error, SentinelError) else None,
        ending=call.ending if call is not None else None,
        attempts=len(calls),
        verdicts=outcome.verdicts,
        content=_content(ctx, outcome) if content else None,
        lost=lost,
    )
    return _record(ctx, entry, now)


def lost(intent: Record, now: float, dropped: int) -> Record:
    """The terminal record of a request of which there is an intent, and nobody to say how it ended."""
    asked = {name: value for name, value in intent.fields.items() if name not in _SEALED}
    fields = {**asked, "kind": "terminal", "status": "failed", "error": LOST, "cost_nanousd": None, "lost": dropped}
    return Record("", intent.tenant, now, fields)


def claim(begun: Begun, tenant: str) -> Record:
    """The row that keeps others from ending a request; retention deletes it when it deletes the intent."""
    return Record(begun.exchange, tenant, begun.at, {})


def _asked(ctx: Context) -> dict[str, Any]:  # fields of an Entry
    request = ctx.request
    return {
        "request_id": ctx.id,
        **asker(ctx),
        "operation": request.operation,
        "model": request.model or "",
        "streamed": request.stream,
    }


def _record(ctx: Context, entry: Entry, now: float) -> Record:
    principal = ctx.get(PRINCIPAL)
    fields = msgspec.to_builtins(entry)
    if (begun := ctx.get(BEGUN)) is not None:
        fields[EXCHANGE] = begun.exchange
    return Record("", principal.tenant if principal is not None else "", now, fields)


def _usage(ctx: Context, call: Attempt | None, outcome: Outcome) -> Usage:
    """What the ledger has of this call, or what the provider reported."""
    if call is not None:
        for cost in ctx.get(COSTS, ()):
            if cost.number == call.number:
                return cost.usage
    return outcome.usage or Usage()


def _cost(ctx: Context, calls: Sequence[Attempt]) -> int | None:
    costs = ctx.get(COSTS)
    if costs is None:
        return None if calls else 0
    return total_nanousd(costs)


def _pii(outcome: Outcome, results: frozenset[str]) -> bool:
    return any(verdict.guard == PII and verdict.result in results for verdict in outcome.verdicts)


def _content(ctx: Context, outcome: Outcome) -> Content | None:
    """None if an enforcing guard refused either side, or did not read all of it."""
    if any(verdict.enforcing and (verdict.unread or verdict.result not in _CLEAN) for verdict in outcome.verdicts):
        return None
    answer = outcome.guarded
    return Content(_text(ctx.request.body), _text(answer.body) if answer is not None else None)


def _text(body: JsonValue) -> str:
    return msgspec.json.encode(body).decode()
