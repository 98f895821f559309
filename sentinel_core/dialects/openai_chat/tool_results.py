"""Results of tools for APIs that take nothing but text there, as OpenAI's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sentinel_core.json_types import JsonMapping, JsonValue

Message = JsonMapping


def with_plain_results(messages: Iterable[Message]) -> list[Message]:
    """The messages with results of text alone. What else tools gave follows their results in a message of the user,
    since nothing may stand between a call and its results."""
    return [message for _, message in numbered(messages)]


def numbered(messages: Iterable[Message]) -> Iterator[tuple[int, Message]]:
    """The messages of `with_plain_results`, each with the position that it had; one that is added has that of the
    result before it."""
    index = 0
    shown: list[JsonValue] = []
    for index, message in enumerate(messages):
        if shown and message["role"] != "tool":
            yield index - 1, {"role": "user", "content": shown}
            shown = []
        beside = _beside_text(message) if message["role"] == "tool" else []
        if beside:
            words = f"From the result of the tool call {message.get('tool_call_id')}:"
            shown += [{"type": "text", "text": words}, *beside]
            texts = [part for part in message["content"] if part.get("type") == "text"]
            message = {**message, "content": texts or ""}
        yield index, message
    if shown:
        yield index, {"role": "user", "content": shown}


def _beside_text(message: Message) -> list[JsonValue]:
    content = message.get("content")
    return [part for part in content if part.get("type") != "text"] if isinstance(content, list) else []
