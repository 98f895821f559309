"""What a call used, as its provider counts."""

from __future__ import annotations

import msgspec

from sentinel_core.json_types import JsonValue


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer, as the provider reported them, and the tier that it served them at, if it says so. Tokens
    read from and written to the cache are part of the prompt's, those written for an hour part of the written ones,
    reasoning tokens part of the completion's (OpenAI's counting)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
    service_tier: str | None = None


def served_tier(said: JsonValue) -> str | None:
    """The `service_tier` that a reply names. `auto` names none: it only says again what was asked for."""
    return said if isinstance(said, str) and said and said != "auto" else None
