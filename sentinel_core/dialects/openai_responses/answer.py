"""Unary answers: validation, patching of changed texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_responses.words import decode_usage
from sentinel_core.dialects.slots import Path, patched
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect


def decode(dialect: Dialect, raw: bytes) -> Answer:
    """Read an upstream's response. Raises `UpstreamError` for what is none (U12, U13, U14)."""
    body = decode_object(raw)
    output = body.get("output")
    if not isinstance(output, list) or not all(isinstance(item, dict) for item in output):
        raise UpstreamError("upstream_invalid_response")
    if body.get("status") in ("failed", "cancelled", "in_progress", "queued"):
        raise UpstreamError("upstream_invalid_response")  # no answer, and no error that would say why
    usage = decode_usage(body.get("usage"), body.get("service_tier"))
    return Answer(dialect=dialect, body=body, operation="response", raw=raw, usage=usage)


def patch(body: JsonMapping, texts: Mapping[Path, str]) -> JsonObject:
    """The body with other texts. Logprobs beside a changed text spell it out again and are emptied."""
    result: JsonObject = patched(body, texts)
    for path in texts:
        if path[-1] == "text":
            holder: JsonValue = result
            for step in path[:-1]:
                holder = holder[step]
            if holder.get("logprobs"):
                holder["logprobs"] = []  # its own copy: `patched` has opened it
    return result
