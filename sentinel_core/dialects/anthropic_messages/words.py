"""The words of Anthropic's format beside OpenAI's: reasons to stop, and token counts.

Source: https://docs.anthropic.com/en/api/messages. Anthropic's `input_tokens` leave out what was read from and written
to the cache; ours, as OpenAI's, count the whole prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sentinel_core.messages import Usage

FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
EXTENSION = "extra_content"
"""Where a canonical body keeps what only one vendor knows: `extra_content.<vendor>`."""
VENDOR = "anthropic"

_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def finish_reason(stop_reason: str) -> str:
    """OpenAI's word; a reason that is new to us is a stop."""
    return FINISH_REASONS.get(stop_reason, "stop")


def stop_reason(finish: str) -> str:
    """Anthropic's word; a reason that is new to us ends the turn."""
    return STOP_REASONS.get(finish, "end_turn")


def counts(usage: Any) -> dict[str, int]:  # decoded JSON
    """The token counts of a usage object that make sense. Explicit zeros are counts (U26)."""
    if not isinstance(usage, Mapping):
        return {}
    found = {name: usage[name] for name in _COUNTS if _is_count(usage.get(name))}
    details = usage.get("output_tokens_details")
    if isinstance(details, Mapping) and _is_count(details.get("thinking_tokens")):
        found["thinking_tokens"] = details["thinking_tokens"]
    return found


def usage_of(found: Mapping[str, int]) -> Usage | None:
    """Our counts from Anthropic's; None where there are none."""
    if "input_tokens" not in found and "output_tokens" not in found:
        return None
    cached = found.get("cache_read_input_tokens", 0)
    written = found.get("cache_creation_input_tokens", 0)
    prompt = found.get("input_tokens", 0) + cached + written
    completion = found.get("output_tokens", 0)
    return Usage(prompt, completion, prompt + completion, cached, found.get("thinking_tokens", 0), written)


def usage_object(usage: Usage | None, written: int = 0) -> dict[str, int]:
    """Anthropic's counts from ours; `written` of the prompt's tokens went into the cache. Zeros without counts."""
    usage = usage or Usage()
    body = {
        "input_tokens": max(0, usage.prompt_tokens - usage.cached_tokens - written),
        "output_tokens": usage.completion_tokens,
    }
    if usage.cached_tokens:
        body["cache_read_input_tokens"] = usage.cached_tokens
    if written:
        body["cache_creation_input_tokens"] = written
    return body


def _is_count(value: Any) -> bool:  # decoded JSON
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
