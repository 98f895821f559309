"""OpenAI's error object, in a body and in a stream.

Source: https://platform.openai.com/docs/guides/error-codes. All four keys are always present; clients read `message`
as a string.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.decoding import error_alone
from sentinel_core.errors import UPSTREAM_QUOTA, SentinelError, UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

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

_TOO_EARLY = 425
"""The only 4xx without a code of its own here that may pass with time."""

SHARED_CODES = frozenset(
    {"content_policy_violation", "model_not_found", "overloaded", "rate_limit_exceeded", "unsupported_parameter"}
)
"""Codes that mean the same in an upstream's mouth as in ours. Others do not: `invalid_api_key` and `insufficient_quota`
are about the gateway's key and account, and must not read as the caller's (U19, U20)."""

_CREDENTIALS = frozenset({"invalid_api_key", "authentication_error", "permission_error", "invalid_authentication"})
_QUOTA = frozenset({"insufficient_quota", "billing_not_active", "billing_hard_limit_reached"})
_OUT_OF_QUOTA = "The account of this gateway at the model's provider is out of balance or quota."
_REFUSED = (
    *("context_length_exceeded", "string_above_max_length", "unsupported_parameter"),
    *("content_filter", "content_policy_violation", "bio_policy", "misalignment_policy_violation", "invalid_prompt"),
    *("invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "invalid_image_mode"),
    *("image_too_large", "image_too_small", "image_file_too_large", "image_parse_error", "image_file_not_found"),
    *("image_content_policy_violation", "unsupported_image_media_type", "empty_image_file", "failed_to_download_image"),
)
"""Codes for what is the caller's to mend. A response that fails in the middle has nothing but its code.
Source: https://platform.openai.com/docs/api-reference/responses/object, `error.code`."""
_STATUSES = {
    **dict.fromkeys(_REFUSED, 400),
    "model_not_found": 404,
    "rate_limit_exceeded": 429,
    "slow_down": 429,
    "overloaded": 503,
    "server_is_overloaded": 503,
    "invalid_request_error": 400,
    "rate_limit_error": 429,
}
"""The status that these codes and types come with where an error has a status of its own."""


def error_object(error: SentinelError) -> JsonObject:
    """The object under `error`."""
    body: JsonObject = {
        "message": error.message,
        "type": error.type,
        "param": error.param,
        "code": error.told_code,
    }
    if error.details is not None:
        body["details"] = error.details
    return {"error": body}


def encode_error(error: SentinelError, request_id: str = "") -> bytes:
    """The error as a response body, which has no place for the request's id."""
    return _encode(error_object(error))


def upstream_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an upstream's error response means to the caller.

    `body` is the decoded JSON, or None. 400, 404, 413 and 422 keep status and message verbatim (clients match on
    the text); 401 and 403 are this gateway's own credentials and become a 502. So does any other 4xx, which is not to
    be repeated.
    """
    wire = _wire(body)
    message, code, kind = _text(wire.get("message")), _text(wire.get("code")), _text(wire.get("type"))
    if status in (401, 403) or code in _CREDENTIALS:
        return UpstreamError("upstream_auth_error", upstream_status=status)
    if status == 402 or code in _QUOTA or kind in _QUOTA or (status == 400 and "credit balance" in (message or "")):
        return UpstreamError(
            "overloaded", _OUT_OF_QUOTA, upstream_status=status, wire_code=UPSTREAM_QUOTA, should_retry=False
        )
    if status in CALLER_FAULTS:
        param = _text(wire.get("param"))
        return UpstreamError(
            CODES_BY_STATUS[status],
            message,
            status=status,
            type=kind,
            param=param,
            wire_code=code,
            upstream_status=status,
            should_retry=False,
            verbatim=any((message, kind, param, code)),
        )
    known = CODES_BY_STATUS.get(status) or (code if code in SHARED_CODES else None)
    return UpstreamError(
        known or "upstream_error",
        message,
        upstream_status=status,
        retry_after_s=retry_after_s,
        should_retry=False if known is None and 400 <= status < 500 and status != _TOO_EARLY else None,
        verbatim=message is not None,
    )


def is_error(body: JsonMapping) -> bool:
    """Whether a body, or an event of a stream, that came with status 200 says that something failed."""
    return bool(body.get("error")) or body.get("object") == "error"


def reported_error(body: JsonMapping) -> UpstreamError:
    """An error object that came with status 200, or as an event of a stream."""
    mapped = upstream_error(_status(_wire(body)), body)
    mapped.upstream_status = 200
    return mapped


def _status(wire: JsonMapping) -> int:
    """The status that an error would have of its own: the number it gives, or else what its code or its type says."""
    for number in (wire.get("code"), wire.get("status_code")):
        if isinstance(number, int) and 400 <= number < 600:
            return number
    words = (_text(wire.get("code")), _text(wire.get("type")))
    return next((_STATUSES[word] for word in words if word in _STATUSES), 500)


def _wire(body: JsonValue) -> JsonMapping:
    """The error object of a body: under `error`, there as a bare string, or, with vLLM and Mistral, the body itself or
    its `detail`. Of Gemini's imitation it is an array's only item."""
    body = error_alone(body)
    if not isinstance(body, Mapping):
        return {}
    error = body.get("error")
    if isinstance(error, str):
        return {"message": error}
    return error if isinstance(error, Mapping) else _detailed(body)


def _detailed(body: JsonMapping) -> JsonMapping:
    """FastAPI's `detail`, in `message` or by itself, as an error object: its first item's text and place. Any other
    body, such as one with words of its own, is its own."""
    message = body.get("message")
    if not isinstance(message, Mapping) and (message or body.get("code")):
        return body
    detail = (message if isinstance(message, Mapping) else body).get("detail")
    if isinstance(detail, str) and detail:
        return {"message": detail}
    if isinstance(detail, list) and detail and isinstance(detail[0], Mapping):
        first = detail[0]
        place = first.get("loc")
        param = ".".join(map(str, place[1:])) if isinstance(place, list) else None
        return {"message": first.get("msg"), "type": "invalid_request_error", "param": param or None}
    return body


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None
