"""Anthropic's error object, in a body and in a stream.

Source: https://docs.anthropic.com/en/api/errors. Its clients choose the exception by status, and by `type` in a stream.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.dialects.openai_chat import errors as shared
from sentinel_core.errors import SentinelError, UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_encode = msgspec.json.Encoder().encode

_TYPES = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}
_STATUSES = {kind: status for status, kind in _TYPES.items() if status != 503} | {"invalid_request_error": 400}
_SPEND_CAP = "enforced_spend_limit_reached"


def error_type(status: int) -> str:
    """Anthropic's word for an HTTP status."""
    return _TYPES.get(status) or ("invalid_request_error" if status < 500 else "api_error")


def error_object(error: SentinelError, request_id: str = "") -> JsonObject:
    """The error as Anthropic's clients read it."""
    inner: JsonObject = {"type": error_type(error.status), "message": error.message}
    if error.details is not None:
        inner["details"] = error.details
    body: JsonObject = {"type": "error", "error": inner}
    if request_id:
        body["request_id"] = request_id
    return body


def encode_error(error: SentinelError, request_id: str = "") -> bytes:
    """The error as a response body."""
    return _encode(error_object(error, request_id))


def upstream_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an error response of the Messages API means to the caller.

    As for OpenAI's: the caller's own faults keep status and message, ours become a 502. An account's spend cap is no
    rate limit: waiting does not help (no `retry-after` comes with it).
    """
    wire = body.get("error") if isinstance(body, Mapping) else None
    wire = wire if isinstance(wire, Mapping) else {}
    message = wire.get("message")
    reshaped: JsonObject = {"message": message}
    details = wire.get("details")
    if isinstance(details, Mapping) and details.get("error_code") == _SPEND_CAP:
        reshaped["code"] = "insufficient_quota"
    if status == 400 and isinstance(message, str) and message.startswith("prompt is too long"):
        reshaped["code"] = "context_length_exceeded"
    return shared.upstream_error(status, {"error": reshaped}, retry_after_s=retry_after_s)


def reported_error(body: JsonMapping) -> UpstreamError:
    """An error object that came with status 200, or as an event of a stream: its type stands for the status."""
    wire = body.get("error")
    kind = wire.get("type") if isinstance(wire, Mapping) else None
    mapped = upstream_error(_STATUSES.get(kind, 500) if isinstance(kind, str) else 500, body)
    mapped.upstream_status = 200
    return mapped
