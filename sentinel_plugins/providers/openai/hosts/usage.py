"""Token counts of hosts that count otherwise than OpenAI: reasoning inside the completion, cached inside the prompt."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.token_counts import is_count
from sentinel_core.json_types import JsonMapping, JsonValue


def with_reasoning(usage: JsonMapping) -> JsonMapping:
    """xAI leaves reasoning tokens out of the completion's and counts them in the total, which tells the two apart."""
    details = usage.get("completion_tokens_details")
    reasoning = _count(details.get("reasoning_tokens")) if isinstance(details, Mapping) else 0
    prompt, completion = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    if not reasoning or usage.get("total_tokens") == prompt + completion:
        return usage
    completion += reasoning
    return {**usage, "completion_tokens": completion, "total_tokens": prompt + completion}


def with_cached(name: str, usage: JsonMapping) -> JsonMapping:
    """Cached tokens under the host's own `name`, put where OpenAI has them."""
    details = usage.get("prompt_tokens_details")
    if name not in usage or (isinstance(details, Mapping) and details.get("cached_tokens") is not None):
        return usage
    known = details if isinstance(details, Mapping) else {}
    return {**usage, "prompt_tokens_details": {**known, "cached_tokens": _count(usage[name])}}


def _count(value: JsonValue) -> int:
    return value if is_count(value) else 0
