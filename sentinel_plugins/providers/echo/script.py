"""What echo says to a request.

1. The text of the last user message, or of the last message if that is a tool's result.
2. If tools are offered, `tool_choice` is not "none", and no tool has just answered:
   - `call NAME {json}` as the whole of that text calls the offered tool NAME with those arguments;
   - else a `tool_choice` of "required" calls the first tool, and one that names a function calls that, with `{}`.
3. A token is a word with the white space after it. `stop` ends the text before its first occurrence;
   `max_completion_tokens` or `max_tokens` cuts it to so many tokens (`finish_reason` "length").
4. `n` choices say the same. Usage counts the tokens of all message texts and of all choices.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from sentinel_core.json_types import JsonMapping, JsonValue

_TOKEN = re.compile(r"\S+\s*|\s+")
_COMMAND = re.compile(r"call\s+([A-Za-z0-9_-]+)(?:\s*(\{.*\}))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Script:
    """What every choice of one answer says: text in tokens, or one tool call."""

    tokens: tuple[str, ...]
    finish_reason: str
    choices: int
    prompt_tokens: int
    serial: str
    tool: str | None = None

    @property
    def text(self) -> str:
        """The whole text, or the tool call's arguments."""
        return "".join(self.tokens)

    @property
    def usage(self) -> dict[str, int]:
        """OpenAI's usage object."""
        completion = len(self.tokens) * self.choices
        return {
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": completion,
            "total_tokens": self.prompt_tokens + completion,
        }


def script(body: JsonMapping) -> Script:
    """What to say. The module's docstring has the rules."""
    messages = body["messages"]
    texts = [_text(message) for message in messages]
    tool, spoken = _called(body, messages, _last(messages, texts))
    reason = "tool_calls" if tool else "stop"
    if tool is None:
        spoken = stopped(spoken, body.get("stop"))
    tokens = tokens_of(spoken)
    limit = body.get("max_completion_tokens") or body.get("max_tokens")
    if limit is not None and len(tokens) > limit and tool is None:
        tokens, reason = tokens[:limit], "length"
    return Script(
        tokens=tokens,
        finish_reason=reason,
        choices=body.get("n") or 1,
        prompt_tokens=sum(len(tokens_of(text)) for text in texts),
        serial=serial_of(body),
        tool=tool,
    )


def serial_of(body: JsonMapping) -> str:
    """What tells this request's answer from others, the same each time."""
    return f"{zlib.crc32(msgspec.json.encode(body)):08x}"


def _called(body: JsonMapping, messages: list[JsonValue], text: str) -> tuple[str | None, str]:
    """The tool to call and its arguments, or None and the text."""
    tools = body.get("tools")
    offered = [name for tool in tools if (name := _name(tool))] if isinstance(tools, list) else []
    choice = body.get("tool_choice")
    if not offered or choice == "none" or messages[-1].get("role") == "tool":
        return None, text
    command = _COMMAND.fullmatch(text.strip())
    if command is not None and command[1] in offered:
        return command[1], command[2] or "{}"
    wanted = offered[0] if choice == "required" else _name(choice)
    return (wanted, "{}") if wanted in offered else (None, text)


def _name(tool: Any) -> str | None:  # whatever the caller sent
    """The function's name in a tool, or in a `tool_choice` that names one."""
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _last(messages: list[JsonValue], texts: list[str]) -> str:
    """What was said last by the user, or by a tool if that was the very last."""
    if messages[-1].get("role") == "tool":
        return texts[-1]
    spoken = (text for message, text in zip(reversed(messages), reversed(texts), strict=True) if _is_users(message))
    return next(spoken, "")


def _is_users(message: JsonMapping) -> bool:
    return message.get("role") == "user"


def _text(message: JsonMapping) -> str:
    """A message's text; of several parts, those that are text."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    texts = (part.get("text") for part in parts if isinstance(part, Mapping))
    return "".join(text for text in texts if isinstance(text, str))


def stopped(text: str, stop: Any) -> str:  # whatever the caller sent
    """The text before the first of these sequences."""
    words = [stop] if isinstance(stop, str) else stop or []
    ends = [text.find(word) for word in words if isinstance(word, str) and word and word in text]
    return text[: min(ends)] if ends else text


def tokens_of(text: str) -> tuple[str, ...]:
    """Words, each with the white space after it."""
    return tuple(_TOKEN.findall(text))
