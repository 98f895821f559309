"""The words of this format beside chat's: reasons to be incomplete, and token counts."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_chat.answer import decode_usage as chat_usage
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.usage import Usage

CUT: Mapping[str, str] = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why a response is incomplete, by chat's reason to stop."""


def decode_usage(usage: JsonValue, tier: JsonValue = None) -> Usage | None:
    """Token counts, with the `tier` that a response names beside them, or None where they are absent or not valid.
    Explicit zeros are counts."""
    if not isinstance(usage, Mapping):
        return None
    return chat_usage(
        {
            "prompt_tokens": usage.get("input_tokens"),
            "completion_tokens": usage.get("output_tokens"),
            "total_tokens": usage.get("total_tokens"),
            "prompt_tokens_details": usage.get("input_tokens_details"),
            "completion_tokens_details": usage.get("output_tokens_details"),
        },
        tier,
    )


def usage_object(usage: Usage | None) -> JsonObject | None:
    """Our counts as clients of this format read them; None where there are none."""
    if usage is None:
        return None
    prompt = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": prompt,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
