"""What echo says to a legacy completion request: every prompt goes on as itself.

Tokens, `stop` and `max_tokens` are as in chat (`sentinel_plugins.providers.echo.script`). Choices are numbered prompt
by prompt, `n` of each. A prompt of token numbers is said as these numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_plugins.providers.echo.bodies import ECHO
from sentinel_plugins.providers.echo.script import serial_of, stopped, tokens_of

Spoken = list[tuple[tuple[str, ...], str]]
"""Each choice's tokens and finish reason."""


def completion(body: JsonMapping) -> JsonObject:
    """The unary answer."""
    choices = [_choice("".join(tokens), index, reason) for index, (tokens, reason) in enumerate(_spoken(body))]
    return {**_head(body), "choices": choices, "usage": _usage(body)}


def chunks(body: JsonMapping) -> Iterator[JsonObject]:
    """The stream: each choice's tokens one at a time and its finish, choice after choice; then the usage."""
    head = _head(body)
    for index, (tokens, reason) in enumerate(_spoken(body)):
        for token in tokens:
            yield {**head, "choices": [_choice(token, index, None)]}
        yield {**head, "choices": [_choice("", index, reason)]}
    yield {**head, "choices": [], "usage": _usage(body)}


def prompts(value: Any) -> list[str]:  # a validated prompt or input
    """Every text of a prompt or an input. Token numbers are said as numbers."""
    if isinstance(value, str):
        return [value]
    if value and isinstance(value[0], int):
        return [_numbers(value)]
    return [item if isinstance(item, str) else _numbers(item) for item in value]


def _numbers(tokens: Any) -> str:  # numbers, or whatever else an embedding's caller sent
    return " ".join(map(str, tokens)) if isinstance(tokens, list) else str(tokens)


def _spoken(body: JsonMapping) -> Spoken:
    limit = body.get("max_tokens")
    spoken: Spoken = []
    for prompt in prompts(body["prompt"]):
        tokens = tokens_of(stopped(prompt, body.get("stop")))
        cut = limit is not None and len(tokens) > limit
        spoken += [(tokens[:limit] if cut else tokens, "length" if cut else "stop")] * (body.get("n") or 1)
    return spoken


def _usage(body: JsonMapping) -> dict[str, int]:
    asked = sum(len(tokens_of(prompt)) for prompt in prompts(body["prompt"]))
    said = sum(len(tokens) for tokens, _ in _spoken(body))
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def _head(body: JsonMapping) -> JsonObject:
    serial = serial_of(body)
    return {"id": f"cmpl-echo-{serial}", "object": "text_completion", "created": 0, "model": ECHO}


def _choice(text: str, index: int, reason: str | None) -> JsonObject:
    return {"text": text, "index": index, "logprobs": None, "finish_reason": reason}
