"""`[stages.input_limits]`."""

from __future__ import annotations

from typing import Literal, TypeAlias

from sentinel_core.config import Count
from sentinel_core.stage import StageConfig

Limit: TypeAlias = Count | Literal["unlimited"]


class InputLimitsConfig(StageConfig, frozen=True, kw_only=True):
    """How large a request may be, and how much it may ask for. Each limit may be `"unlimited"`."""

    max_messages: Limit = 1_000
    """Messages of a conversation, its system prompt among them; prompts or inputs where a list of them is sent."""
    max_message_chars: Limit = 500_000
    """Characters of one message: all its texts, calls of tools and their results among them."""
    max_total_chars: Limit = 2_000_000
    """Characters of all texts of a request, tools and their schemas among them."""
    empty_messages: Literal["refuse", "allow"] = "refuse"
    """What becomes of messages that say nothing but white space. What a tool returned may be empty."""
    max_tools: Limit = 128
    """Tools that are offered to the model."""
    max_stop_sequences: Limit = 16
    """Stop sequences. For OpenAI's formats the gateway takes no more than 16 anyway."""
    max_tokens: Limit = 128_000
    """The most tokens of answer that a request may ask for, under whichever name (`max_completion_tokens`,
    `max_output_tokens`). One that names no cap is not touched: the model's own maximum binds it."""
    max_choices: Limit = 16
    """The most answers that a request may ask for at once: `n` and `best_of`."""
    on_excess: Literal["refuse", "clamp"] = "refuse"
    """What becomes of a request above `max_tokens` or `max_choices`: 400, or it is sent with the limit instead, and
    `x-sentinel-clamped-params` names what was lowered."""
