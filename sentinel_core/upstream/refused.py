"""A response that is not 2xx, as this gateway's error."""

from __future__ import annotations

from typing import Protocol

from sentinel_core.decoding import JsonLimits, decode_sent
from sentinel_core.dialects.retry_after import retry_after_s
from sentinel_core.errors import MAX_RETRY_AFTER_S, Refusal, UpstreamError
from sentinel_core.json_types import JsonValue
from sentinel_core.services import HttpResponse

MAX_ERROR_BYTES = 64 * 1024
_LIMITS = JsonLimits(max_bytes=MAX_ERROR_BYTES, max_nodes=10_000)


class ErrorReader(Protocol):
    """What a status and a decoded error body (None where there is none) mean in one dialect."""

    def __call__(self, status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
        """The error to raise."""
        ...


async def refusal_of(response: HttpResponse, upstream_error: ErrorReader) -> UpstreamError:
    """What the upstream's status and error body mean; the response is read to its end and given back.

    A body that is missing, broken or no JSON (a proxy's HTML page) leaves the status to speak for itself. A wait
    that is longer than anybody should be told to retry after says not to retry (U16).
    """
    wait = retry_after_s(response.headers)
    try:
        body = decode_sent(await response.read(MAX_ERROR_BYTES), _LIMITS)
        await response.release()
    except (UpstreamError, Refusal):
        body = None
    error = upstream_error(response.status, body, retry_after_s=wait)
    if wait is not None and wait > MAX_RETRY_AFTER_S:
        error.should_retry = False
    return error
