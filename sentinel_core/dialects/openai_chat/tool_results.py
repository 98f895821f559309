"""Results of tools for APIs that take nothing but text there, as OpenAI's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

Message = Mapping[str, Any]  # JSON


def with_plain_results(messages: Iterable[Message]) -> list[Message]:
    """The messages with results of text alone. What else tools gave follows their results in a message of the user,
    since nothing may stand between a call and its results."""
    result: list[Message] = []
    shown: list[Any] = []
    for message in messages:
        if shown and message["role"] != "tool":
            result.append({"role": "user", "content": shown})
            shown = []
        beside = _beside_text(message) if message["role"] == "tool" else []
        if beside:
            words = f"From the result of the tool call {message.get('tool_call_id')}:"
            shown += [{"type": "text", "text": words}, *beside]
            texts = [part for part in message["content"] if part.get("type") == "text"]
            message = {**message, "content": texts or ""}
        result.append(message)
    return [*result, {"role": "user", "content": shown}] if shown else result


def _beside_text(message: Message) -> list[Any]:
    content = message.get("content")
    return [part for part in content if part.get("type") != "text"] if isinstance(content, list) else []
