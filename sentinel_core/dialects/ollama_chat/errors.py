"""Ollama's errors: `{"error": "text"}`, as a body and as a line of a stream.

Source: https://docs.ollama.com/api/errors. Newer servers hand on what their runner says, as JSON within the text:
`{"error": "{\\"error\\":{\\"code\\":400,\\"message\\":…,\\"type\\":\\"exceed_context_size_error\\"}}"}`.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from sentinel_core.dialects.openai_chat import errors as shared
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_TOO_LONG = ("exceeds the context length", "exceeds the available context size")
"""What a server says of a prompt that does not fit, where it must not cut it: 0.12.6 and later, 0.34 and later."""


def upstream_error(status: int, body: JsonValue, *, retry_after_s: float | None = None) -> UpstreamError:
    """What an error response means to the caller: as for OpenAI's, with the code for a prompt that is too long.

    404 is a model that nobody pulled.
    """
    message = _text(body)
    reshaped: JsonObject = {"message": message}
    if message is not None and any(words in message for words in _TOO_LONG):
        reshaped["code"] = "context_length_exceeded"
    return shared.upstream_error(status, {"error": reshaped}, retry_after_s=retry_after_s)


def reported_error(body: JsonMapping) -> UpstreamError:
    """An error that came with status 200, or as a line of a stream: text is all there is."""
    mapped = upstream_error(500, body)
    mapped.upstream_status = 200
    return mapped


def _text(body: JsonValue) -> str | None:
    """The error's words; those of the runner where they are wrapped in JSON."""
    text = body.get("error") if isinstance(body, Mapping) else None
    if not isinstance(text, str):
        return None
    inner = _inner(text) if text.startswith("{") else None
    return inner or text


def _inner(text: str) -> str | None:
    """The message in a runner's error object; None where the text is no such object."""
    try:
        return msgspec.json.decode(text, type=_Wrapped).error.message
    except (msgspec.MsgspecError, RecursionError):
        return None


class _Said(msgspec.Struct):
    message: str


class _Wrapped(msgspec.Struct):
    error: _Said
