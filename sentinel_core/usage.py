"""What a call used, as its provider counts."""

from __future__ import annotations

import msgspec


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer, as the provider reported them. Tokens read from and written to the cache are part of the
    prompt's, those written for an hour part of the written ones, reasoning tokens part of the completion's (OpenAI's
    counting)."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0
    cache_write_1h_tokens: int = 0
