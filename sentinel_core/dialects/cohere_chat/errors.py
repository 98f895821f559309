"""What Cohere's error responses mean.

Sources: https://docs.cohere.com/reference/errors for statuses and messages, https://docs.cohere.com/reference/chat for
498 and 501. The body is `{"message": …}`, without an error object; only the status and the words tell one error from
another.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.cohere_chat.words import FAILURE, FAILURES
from sentinel_core.dialects.openai_chat import errors as shared
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonValue

_TOO_LONG = "too many tokens"
_TOO_LONG_ANSWER = "too many tokens: max tokens"
_USED_UP = ("/ month", "per month")
"""In the message of a 429: a trial key's calls of a month, for which no wait of a request is long enough."""


def upstream_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an error response of Cohere's means to the caller. As for OpenAI's: the caller's own faults keep status and
    message, ours become a 502."""
    said = body.get("message") if isinstance(body, Mapping) else None
    message = said if isinstance(said, str) and said else None
    if status == 498:  # "a request or response contains a deny-listed token"
        return _verbatim(400, message, "content_filter", status)
    if status == 499:  # "request cancelled", by nobody here: try again
        return UpstreamError("upstream_stream_interrupted", upstream_status=status, retry_after_s=retry_after_s)
    if status == 501:  # "the requested feature is not implemented"
        return UpstreamError("unsupported_operation", message, upstream_status=status, verbatim=message is not None)
    if status == 429 and message is not None and any(words in message for words in _USED_UP):
        return _verbatim(status, message, "insufficient_quota", status)
    if status == 400 and message is not None and _is_context_length(message):
        return _verbatim(status, message, "context_length_exceeded", status)
    return shared.upstream_error(status, body, retry_after_s=retry_after_s)


def failure(reason: JsonValue, message: JsonValue) -> UpstreamError:
    """What an answer means that ended in a failure, or with an error's message."""
    code = FAILURES.get(reason, FAILURE) if isinstance(reason, str) else FAILURE
    said = message if isinstance(message, str) and message else None
    return UpstreamError(code, said, upstream_status=200, verbatim=said is not None)


def _verbatim(status: int, message: str | None, code: str, upstream_status: int) -> UpstreamError:
    """The error that OpenAI would have sent."""
    error = shared.upstream_error(status, {"message": message, "code": code})
    error.upstream_status = upstream_status
    return error


def _is_context_length(message: str) -> bool:
    return message.startswith(_TOO_LONG) and not message.startswith(_TOO_LONG_ANSWER)
