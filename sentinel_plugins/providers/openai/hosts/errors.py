"""Error responses of hosts, in the form that OpenAI's have."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_plugins.providers.openai.hosts.host import ErrorRules


def as_openai(rules: ErrorRules, status: int, body: JsonValue) -> tuple[int, JsonValue]:
    """The status and the body that OpenAI would have sent."""
    status = rules.statuses.get(status, status)
    error = body.get("error") if isinstance(body, Mapping) else None
    if rules.moderation and status == 403 and isinstance(error, Mapping) and _is_moderation(error):
        return 400, {"error": {**error, "type": "invalid_request_error", "code": "content_filter"}}
    if rules.credential_words and status == 400:
        text = error.get("message") if isinstance(error, Mapping) else error
        if isinstance(text, str) and any(word in text.lower() for word in rules.credential_words):
            return 401, body
    return status, body


def _is_moderation(error: JsonMapping) -> bool:
    """OpenRouter says what was flagged; where its key may not do something, it says nothing of the kind."""
    metadata = error.get("metadata")
    return isinstance(metadata, Mapping) and bool(metadata.get("reasons"))
