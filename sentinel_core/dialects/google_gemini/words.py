"""The words of Google's format beside OpenAI's: reasons to finish, and token counts.

Source: `FinishReason`, `BlockedReason` and `UsageMetadata` of google-genai's `types.py`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.token_counts import is_count
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage

EXTENSION = "extra_content"
"""Where OpenAI's form keeps what only one vendor knows: `extra_content.<vendor>`."""
VENDOR = "google"

EXACT = frozenset({"STOP", "MAX_TOKENS"})
"""Reasons that OpenAI has a word of its own for. All others are kept beside it."""
_UNFINISHED = frozenset({None, "", "FINISH_REASON_UNSPECIFIED"})
_LENGTH = frozenset({"MAX_TOKENS", "CONTINUATION"})
_FILTERED = frozenset(
    {
        *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
        *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
    }
)

_COUNTS = (
    *("promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"),
    *("cachedContentTokenCount", "totalTokenCount"),
)


def extension(**values: JsonValue) -> JsonObject:
    """What only Google knows."""
    return {EXTENSION: {VENDOR: values}}


def own_extension(holder: JsonMapping) -> JsonMapping:
    """What `extension` kept here, as far as it came back."""
    kept = holder.get(EXTENSION)
    found = kept.get(VENDOR) if isinstance(kept, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def finished(reason: str | None) -> str | None:
    """The reason, if this is one: an answer without is not over."""
    return None if reason in _UNFINISHED else reason


def finish_reason(reason: str, *, calls: bool) -> str:
    """OpenAI's word; that tools are called Google does not say."""
    if reason in _LENGTH:
        return "length"
    if reason in _FILTERED:
        return "content_filter"
    return "tool_calls" if calls else "stop"


def has_failed(reason: str) -> bool:
    """Whether the model was at fault: a call that cannot be read, no image, or a reason that is new to us. With an
    answer before it that is a stop; without one it is no answer."""
    return reason != "STOP" and reason not in _LENGTH and reason not in _FILTERED


def usage_of(counts: JsonValue) -> Usage | None:
    """Our counts from Google's; None where there are none or one of them makes no sense (U26).

    Google counts thoughts beside the answer, and results of its own tools beside the prompt; OpenAI counts both in.
    A count that is missing is zero where the total does not say otherwise, and else the rest of the total, which does
    not say of what it is where both are missing.
    """
    if type(counts) is not dict:
        return None
    found = [*map(counts.get, _COUNTS)]
    for count in found:
        if count is not None and not is_count(count):
            return None
    prompt, tools, answer, thoughts, cached, total = found
    if prompt is answer is thoughts is total is None:
        return None
    sent, made = (prompt or 0) + (tools or 0), (answer or 0) + (thoughts or 0)
    rest = 0 if total is None else total - sent - made
    if rest and (prompt is None or answer is None):
        if rest < 0 or prompt is answer is None:
            return None
        sent, made = (sent + rest, made) if prompt is None else (sent, made + rest)
    return Usage(sent, made, sent + made if total is None else total, cached or 0, thoughts or 0)
