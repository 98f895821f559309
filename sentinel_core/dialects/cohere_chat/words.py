"""The words of Cohere's chat beside OpenAI's: reasons to finish, token counts, and where the rest is kept.

Sources: `ChatFinishReason`, `Usage` of cohere-ai/cohere-python 7.3.1. `tokens` counts what the model read and wrote,
cached tokens among them; `billed_units` leaves out what Cohere's own prompt added. Counts come as floats.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.canonical import EXTENSION
from sentinel_core.dialects.token_counts import MAX_COUNT
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage

VENDOR = "cohere"
THINKING = "thinking"
"""Marks `reasoning_content` as Cohere's own, which may go back to it."""
CITATIONS = "citations"

FINISH_REASONS = {
    "COMPLETE": "stop",
    "STOP_SEQUENCE": "stop",
    "MAX_TOKENS": "length",
    "TOOL_CALL": "tool_calls",
}
FAILURE = "upstream_error"
FAILURES = {"ERROR": FAILURE, "TIMEOUT": "upstream_timeout"}
"""Reasons that end no answer: the generation failed."""


def identifier(body: JsonMapping) -> str:
    """The id of an answer, or one for those that come without."""
    found = body.get("id")
    return found if isinstance(found, str) and found else "chat_gateway"


def finish_reason(word: str) -> str:
    """OpenAI's word; a reason that is new to us is a stop."""
    return FINISH_REASONS.get(word, "stop")


def extension(value: JsonMapping) -> JsonObject:
    """What only Cohere knows, as a canonical body holds it."""
    return {EXTENSION: {VENDOR: value}}


def own_extension(holder: JsonMapping) -> JsonMapping:
    """What `extension` put here; empty where nothing was."""
    kept = holder.get(EXTENSION)
    own = kept.get(VENDOR) if isinstance(kept, Mapping) else None
    return own if isinstance(own, Mapping) else {}


def usage_of(usage: JsonValue) -> Usage | None:
    """Our counts from Cohere's; None where there are none that make sense. Explicit zeros are counts (U26)."""
    if not isinstance(usage, Mapping):
        return None
    prompt, completion = _count(usage, "input_tokens"), _count(usage, "output_tokens")
    if prompt is None and completion is None:
        return None
    prompt, completion = prompt or 0, completion or 0
    cached = min(_whole(usage.get("cached_tokens")) or 0, prompt)
    return Usage(prompt, completion, prompt + completion, cached)


def _count(usage: JsonMapping, name: str) -> int | None:
    """The model's own count, else the one on the bill."""
    for part in ("tokens", "billed_units"):
        counts = usage.get(part)
        count = _whole(counts.get(name)) if isinstance(counts, Mapping) else None
        if count is not None:
            return count
    return None


def _whole(value: JsonValue) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_COUNT or value % 1:
        return None
    return int(value)
