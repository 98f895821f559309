"""The words of Anthropic's format beside OpenAI's: reasons to stop, and token counts.

Source: https://docs.anthropic.com/en/api/messages. Anthropic's `input_tokens` leave out what was read from and written
to the cache; ours, as OpenAI's, count the whole prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.token_counts import is_count
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage, served_tier

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
CUTS = frozenset({"length", "content_filter"})
"""Reasons to finish, in OpenAI's words, that may leave the arguments of a call without their end."""
EXTENSION = "extra_content"
"""Where a canonical body keeps what only one vendor knows: `extra_content.<vendor>`."""
VENDOR = "anthropic"

_WRITTEN_5M, _WRITTEN_1H = "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens"
_COUNTS = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens")


def finish_reason(stop_reason: str) -> str:
    """OpenAI's word; a reason that is new to us is a stop."""
    return FINISH_REASONS.get(stop_reason, "stop")


def stop_reason(finish: str, *, calls: bool = False) -> str:
    """Anthropic's word; a reason that is new to us ends the turn. Beside `calls` of tools the turn ends for them: some
    say `stop` there, OpenAI for a call that it was told to make."""
    word = STOP_REASONS.get(finish, "end_turn")
    return "tool_use" if calls and word == "end_turn" else word


def counts(usage: JsonValue) -> JsonObject:
    """The token counts of a usage object, in its own form, and the tier that it names beside them: explicit zeros too,
    and none at all where one makes no sense (U26)."""
    if not isinstance(usage, Mapping):
        return {}
    found = {name: usage[name] for name in _COUNTS if usage.get(name) is not None}
    if not all(map(is_count, found.values())):
        return {}
    written = usage.get("cache_creation")
    if isinstance(written, Mapping) and is_count(written.get(_WRITTEN_1H)):
        found["cache_creation"] = written
    details = usage.get("output_tokens_details")
    if isinstance(details, Mapping) and is_count(details.get("thinking_tokens")):
        found["output_tokens_details"] = _thinking(details["thinking_tokens"])
    if found and served_tier(usage.get("service_tier")):
        found["service_tier"] = usage["service_tier"]
    return found


def usage_of(found: JsonMapping) -> Usage | None:
    """Our counts from Anthropic's; None where the prompt's or the answer's is missing: that is not zero."""
    if "input_tokens" not in found or "output_tokens" not in found:
        return None
    cached, written = found.get("cache_read_input_tokens", 0), found.get("cache_creation_input_tokens", 0)
    prompt = found["input_tokens"] + cached + written
    completion = found["output_tokens"]
    thought = found.get("output_tokens_details", _thinking(0))["thinking_tokens"]
    longer = found["cache_creation"][_WRITTEN_1H] if "cache_creation" in found else 0
    total, tier = prompt + completion, found.get("service_tier")
    return Usage(prompt, completion, total, cached, thought, written, min(longer, written), tier)


def usage_object(usage: Usage | None) -> JsonObject:
    """Anthropic's counts from ours. Zeros without counts."""
    usage = usage or Usage()
    written = usage.cache_write_tokens
    body: JsonObject = {
        "input_tokens": max(0, usage.prompt_tokens - usage.cached_tokens - written),
        "output_tokens": usage.completion_tokens,
    }
    if usage.cached_tokens:
        body["cache_read_input_tokens"] = usage.cached_tokens
    if written:
        body["cache_creation_input_tokens"] = written
    if usage.cache_write_1h_tokens:
        longer = usage.cache_write_1h_tokens
        body["cache_creation"] = {_WRITTEN_5M: written - longer, _WRITTEN_1H: longer}
    if usage.reasoning_tokens:
        body["output_tokens_details"] = _thinking(usage.reasoning_tokens)
    return body


def _thinking(tokens: int) -> dict[str, int]:
    """Of the answer's tokens, those that were thought and not said."""
    return {"thinking_tokens": tokens}
