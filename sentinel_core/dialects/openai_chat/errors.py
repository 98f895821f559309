"""OpenAI's error object, in a body and in a stream.

Source: https://platform.openai.com/docs/guides/error-codes. All four keys are always present; clients read `message`
as a string.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from sentinel_core.errors import ERRORS, SentinelError, UpstreamError

_encode = msgspec.json.Encoder().encode

CODES_BY_STATUS = {
    400: "invalid_request",
    404: "model_not_found",
    408: "upstream_timeout",
    413: "request_too_large",
    422: "invalid_request",
    429: "rate_limit_exceeded",
    503: "overloaded",
    529: "overloaded",
}
"""The code for an upstream's HTTP status, where the status says more than that something failed."""

CALLER_FAULTS = frozenset({400, 404, 413, 422})
"""Statuses that are the caller's to mend: passed on with the provider's own words."""


def error_object(error: SentinelError) -> dict[str, Any]:
    """The object under `error`."""
    wire_code = error.wire_code if isinstance(error, UpstreamError) else None
    body: dict[str, Any] = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": wire_code or error.code,
    }
    if error.details is not None:
        body["details"] = error.details
    return {"error": body}


def encode_error(error: SentinelError) -> bytes:
    """The error as a response body."""
    return _encode(error_object(error))


def upstream_error(status: int, body: Any, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an upstream's error response means to the caller.

    `body` is the decoded JSON, or None. 400, 404, 413 and 422 keep status and message verbatim (clients match on
    the text); 401 and 403 are this gateway's own credentials and become a 502.
    """
    error = body.get("error") if isinstance(body, Mapping) else None
    wire: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    message = _text(wire.get("message")) or (error if isinstance(error, str) else None)
    if status in (401, 403):
        return UpstreamError("upstream_auth_error", upstream_status=status)
    if status in CALLER_FAULTS:
        code = _text(wire.get("code"))
        return UpstreamError(
            CODES_BY_STATUS[status],
            message,
            status=status,
            type=_text(wire.get("type")),
            param=_text(wire.get("param")),
            wire_code=code,
            upstream_status=status,
            should_retry=False,
            verbatim=message is not None,
        )
    code = _text(wire.get("code")) or ""
    if status == 402 or code == "insufficient_quota":
        return UpstreamError("overloaded", upstream_status=status, wire_code="upstream_quota", should_retry=False)
    known = CODES_BY_STATUS.get(status) or (code if code in ERRORS else None)
    return UpstreamError(
        known or "upstream_error",
        message,
        upstream_status=status,
        retry_after_s=retry_after_s,
        verbatim=message is not None,
    )


def reported_error(body: Mapping[str, Any]) -> UpstreamError:
    """An error object that came with status 200, or as an event of a stream."""
    error = body.get("error")
    wire: Mapping[str, Any] = error if isinstance(error, Mapping) else {}
    code = wire.get("code")
    status = code if isinstance(code, int) and 400 <= code < 600 else 500
    mapped = upstream_error(status, body)
    known = ERRORS.get(code) if isinstance(code, str) else None
    if status == 500 and known is not None and isinstance(code, str):
        return UpstreamError(code, mapped.message, upstream_status=200, verbatim=mapped.verbatim)
    return mapped


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
