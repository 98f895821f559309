"""Completion requests: validation of what the gateway relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.request import MAX_CAP, Bound, check_numbers, check_stop, envelope, invalid
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_BOUNDS: tuple[Bound, ...] = (
    ("max_tokens", int, 0, MAX_CAP),  # 0 with `echo` scores a prompt without going on from it
    ("n", int, 1, 128),
    ("best_of", int, 1, 128),
    ("temperature", (int, float), 0, 2),
    ("top_p", (int, float), 0, 1),
    ("logprobs", int, 0, 100),
)
"""Parameters that multiply cost or that upstreams reject only after queueing."""


def decode(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a decoded body. Raises `Refusal` with the parameter's name."""
    request = envelope(dialect, body)
    _prompt(request.body)
    check_numbers(request.body, _BOUNDS)
    if not isinstance(request.body.get("echo"), bool | None):
        raise invalid("echo", "The parameter 'echo' must be true or false.")
    check_stop(request.body)
    return request


def _prompt(body: JsonMapping) -> None:
    prompt = body.get("prompt")
    if isinstance(prompt, str) or (isinstance(prompt, list) and prompt and _is_batch(prompt)):
        return
    raise invalid(
        "prompt", "The parameter 'prompt' must be a string or a non-empty list of strings, tokens or lists of tokens."
    )


def _is_batch(items: list[JsonValue]) -> bool:
    """Strings, token numbers, or lists of token numbers; one kind only."""
    return (
        all(isinstance(item, str) for item in items)
        or _is_tokens(items)
        or all(isinstance(item, list) and item and _is_tokens(item) for item in items)
    )


def _is_tokens(items: list[JsonValue]) -> bool:
    return all(isinstance(item, int) and not isinstance(item, bool) for item in items)
