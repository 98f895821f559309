"""Input items as chat's messages.

What the assistant thinks, says and calls between two turns of others is one message there. Nothing may stand between it
and the results of its calls: a result goes there, and what came before it follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from sentinel_core.dialects.openai_chat.canonical import EXTENSION, merged_extension
from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.dialects.openai_responses.content import content_of
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_ROLES = ("user", "assistant", "system", "developer")
_STORED = ("item_reference", "compaction", "compaction_trigger")
"""Items that stand for others, which only the API that keeps them can look up."""

Item = JsonMapping


def stored_item(body: JsonMapping) -> str | None:
    """The path of the first item that is not in the request itself; None where there is none."""
    items = body.get("input")
    for number, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, Mapping) and (_kind(item) in _STORED or ("type" not in item and "role" not in item)):
            return f"input[{number}]"
    return None


def messages_of(body: JsonMapping, lost: list[str]) -> list[JsonObject]:
    """The messages of a request. Items that chat has no counterpart for are left out and named in `lost`. Raises
    `Refusal` for what is no item, and where nothing is said."""
    instructions, items = body.get("instructions"), body.get("input")
    conversation = _Conversation(lost)
    if instructions:
        conversation.say("system", instructions)
    if isinstance(items, str):
        conversation.say("user", items)
    for number, item in enumerate(items if isinstance(items, list) else ()):
        conversation.add(item, f"input[{number}]")
    messages = [message for message in conversation.messages() if _says_something(message)]
    if not messages:
        raise invalid("input", "The parameter 'input' holds nothing that a model could answer.")
    return messages


class _Conversation:
    """The messages so far, each with the results of what it calls."""

    def __init__(self, lost: list[str]) -> None:
        self._turns: list[list[JsonObject]] = []
        self._called: dict[str | None, list[JsonObject]] = {}
        self._lost = lost
        self._take: Mapping[str, Callable[[Item, str], None]] = {
            "message": self._message,
            "function_call": self._call,
            "function_call_output": self._result,
            "reasoning": self._reasoning,
        }

    def messages(self) -> Iterator[JsonObject]:
        """The messages in chat's order."""
        return chain.from_iterable(self._turns)

    def say(self, role: str, content: JsonValue) -> None:
        """Take in what somebody else than the assistant says."""
        self._turns.append([{"role": role, "content": content}])

    def add(self, item: JsonValue, param: str) -> None:
        """Take in one item."""
        kind = _kind(item) if isinstance(item, Mapping) else None
        if not isinstance(kind, str):
            raise invalid(param, "Each item of 'input' must be an object with a 'type' or a 'role'.")
        take = self._take.get(kind)
        if take is None:
            self._lost.append(f"input.{kind}")
        else:
            take(item, param)

    def _message(self, item: Item, param: str) -> None:
        role = item.get("role")
        if role not in _ROLES:
            raise invalid(f"{param}.role", f"The role of a message must be one of {', '.join(_ROLES)}.")
        content = content_of(item.get("content"), f"{param}.content", self._lost)
        if role == "assistant":
            message = self._assistant()
            said = message["content"]
            message["content"] = content if said is None else [*_parts(said), *_parts(content)]
            _keep_extension(message, item)
        else:
            self.say(role, content)

    def _call(self, item: Item, param: str) -> None:
        name, arguments = item.get("name"), item.get("arguments")
        if not isinstance(name, str) or not isinstance(arguments, str):
            raise invalid(param, "A function call must have a 'name' and 'arguments', both strings.")
        identifier = _call_id(item, param)
        call = {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
        _keep_extension(call, item)
        self._assistant().setdefault("tool_calls", []).append(call)
        self._called[identifier] = self._turns[-1]

    def _result(self, item: Item, param: str) -> None:
        content, identifier = content_of(item.get("output"), f"{param}.output", self._lost), _call_id(item, param)
        turn = self._called.get(identifier)
        if turn is None:  # the upstream's to refuse
            self._turns.append(turn := [])
        turn.append({"role": "tool", "tool_call_id": identifier, "content": content})

    def _reasoning(self, item: Item, param: str) -> None:
        """Thoughts that are shown. What is encrypted is for the provider that wrote it alone."""
        text = _thoughts(item.get("content")) or _thoughts(item.get("summary"))
        if text or isinstance(item.get(EXTENSION), Mapping):
            message = self._assistant()
            message["reasoning_content"] = message.get("reasoning_content", "") + text
            _keep_extension(message, item)

    def _assistant(self) -> JsonObject:
        """The assistant's message that goes on."""
        if not self._turns or self._turns[-1][-1]["role"] != "assistant":
            self._turns.append([{"role": "assistant", "content": None}])
        return self._turns[-1][-1]


def _kind(item: Item) -> JsonValue:
    return item.get("type", "message" if "role" in item else None)


def _call_id(item: Item, param: str) -> str | None:
    identifier = item.get("call_id")
    if not isinstance(identifier, str | None):
        raise invalid(f"{param}.call_id", "The 'call_id' of an item must be a string.")
    return identifier


def _parts(content: str | list[JsonObject]) -> list[JsonObject]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _thoughts(parts: JsonValue) -> str:
    texts = [part.get("text") for part in parts if isinstance(part, Mapping)] if isinstance(parts, list) else []
    return "".join(text for text in texts if isinstance(text, str))


def _keep_extension(holder: JsonObject, item: Item) -> None:
    """What only one vendor knows goes where that vendor's dialect looks for it."""
    if isinstance(item.get(EXTENSION), Mapping):
        holder[EXTENSION] = merged_extension(holder.get(EXTENSION) or {}, item[EXTENSION])


def _says_something(message: JsonMapping) -> bool:
    return message["role"] != "assistant" or bool(message["content"] or message.get("tool_calls"))
