"""Errors of Google's APIs: `{"error": {"code", "message", "status", "details"}}`, at times as an array's only item.

Source: https://ai.google.dev/gemini-api/docs/troubleshooting, https://google.aip.dev/193, and google-genai's
`errors.py`. `details` are objects that a `@type` tells apart: `ErrorInfo`, `QuotaFailure`, `RetryInfo` and others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sentinel_core.dialects.openai_chat import errors as shared
from sentinel_core.errors import MAX_RETRY_AFTER_S, UpstreamError
from sentinel_core.json_types import JsonMapping, JsonValue

Details: TypeAlias = Sequence[JsonMapping]

_DELAY = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)s")
_TOO_LONG = re.compile(r"input token count.*exceeds the maximum", re.IGNORECASE | re.DOTALL)


def upstream_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an error response means to the caller.

    As for OpenAI's: the caller's own faults keep status and message, ours become a 502. A key that is not valid and a
    country without a free tier come as 400, but are ours to mend; a day's quota that is used up is no rate limit:
    waiting does not help. `RetryInfo` names the wait where no header does.
    """
    wire = _wire(body)
    found = wire.get("details")
    details = [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
    wait = _retry_delay_s(details) if retry_after_s is None else retry_after_s
    reshaped = {"message": wire.get("message"), "code": _code(status, wire, details)}
    error = shared.upstream_error(status, {"error": reshaped}, retry_after_s=wait)
    if wait is not None and wait > MAX_RETRY_AFTER_S:
        error.should_retry = False
    return error


def reported_error(wire: JsonValue) -> UpstreamError:
    """An error object that came with status 200, or in a stream: its code stands for the status."""
    code = wire.get("code") if isinstance(wire, Mapping) else None
    mapped = upstream_error(code if isinstance(code, int) and 400 <= code < 600 else 500, {"error": wire})
    mapped.upstream_status = 200
    return mapped


def _wire(body: JsonValue) -> JsonMapping:
    """The error object of a body."""
    if isinstance(body, list) and len(body) == 1:
        body = body[0]
    wire = body.get("error") if isinstance(body, Mapping) else None
    return wire if isinstance(wire, Mapping) else {}


def _code(status: int, wire: JsonMapping, details: Details) -> str | None:
    """OpenAI's word where the status alone does not say it."""
    if any(str(detail.get("reason")).startswith("API_KEY_") for detail in details):
        return "invalid_api_key"
    if wire.get("status") == "FAILED_PRECONDITION":
        return "billing_not_active"
    if status == 429 and _is_daily(details):
        return "insufficient_quota"
    if status == 400 and _TOO_LONG.search(str(wire.get("message"))):
        return "context_length_exceeded"
    return None


def _is_daily(details: Details) -> bool:
    """Whether a quota is used up that comes back the next day, such as `GenerateRequestsPerDayPerProjectPerModel`."""
    found = [violation for detail in details for violation in _list(detail.get("violations"))]
    return any(isinstance(one, Mapping) and "PerDay" in str(one.get("quotaId")) for one in found)


def _retry_delay_s(details: Details) -> float | None:
    """The wait that is asked for: a duration in JSON is a decimal of seconds, with an `s`."""
    found = (_DELAY.fullmatch(str(detail.get("retryDelay"))) for detail in details)
    return next((float(delay[1]) for delay in found if delay), None)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
