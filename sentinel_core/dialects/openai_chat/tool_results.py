"""Results of tools for APIs that take nothing but text there, as OpenAI's."""

from __future__ import annotations

from collections import Counter
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
    called: dict[str, str] = {}
    for index, message in enumerate(messages):
        if shown and message["role"] != "tool":
            yield index - 1, {"role": "user", "content": shown}
            shown = []
        called |= _calls(message)
        beside = _beside_text(message) if message["role"] == "tool" else []
        if beside:
            identifier = message.get("tool_call_id")
            whose = called.get(str(identifier), f"the tool call {identifier}")
            shown += [{"type": "text", "text": f"From the result of {whose}:"}, *beside]
            texts = [part for part in message["content"] if part.get("type") == "text"]
            message = {**message, "content": texts or ""}
        yield index, message
    if shown:
        yield index, {"role": "user", "content": shown}


def _calls(message: Message) -> dict[str, str]:
    """What the calls of a turn are called, by their id: by their tool, since an id is not shown to every model, and may
    be made anew on the way to it."""
    functions = [(call.get("id"), call.get("function") or {}) for call in message.get("tool_calls") or ()]
    named = [(str(identifier), function["name"]) for identifier, function in functions if function.get("name")]
    total, seen = Counter(name for _, name in named), Counter[str]()
    found = {}
    for identifier, name in named:
        seen[name] += 1
        found[identifier] = f"call {seen[name]} of the tool {name}" if total[name] > 1 else f"the tool {name}"
    return found


def _beside_text(message: Message) -> list[JsonValue]:
    content = message.get("content")
    return [part for part in content if part.get("type") != "text"] if isinstance(content, list) else []
