"""Messages requests: validation of what the gateway relies on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sentinel_core.dialects.base import RequestFields
from sentinel_core.dialects.openai_chat.request import MAX_CAP, Bound, check_numbers, envelope, invalid
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.messages import Request

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

FIELDS = RequestFields(
    "messages", system="system", tools=("tools",), output_caps=("max_tokens",), stops=("stop_sequences",)
)
"""What a Messages request has in common with those of other dialects."""

_BOUNDS: tuple[Bound, ...] = (
    ("max_tokens", int, 1, MAX_CAP),
    ("temperature", (int, float), 0, 1),
    ("top_p", (int, float), 0, 1),
    ("top_k", int, 0, 1_000_000),
)


def decode(dialect: Dialect, body: JsonValue) -> Request:
    """Validate a decoded body. Raises `Refusal` with the parameter's name."""
    request = envelope(dialect, body)
    _content(request.body.get("system"), "system")
    _messages(request.body)
    check_numbers(request.body, _BOUNDS)
    if dialect.operation == "chat" and request.body.get("max_tokens") is None:
        raise invalid("max_tokens", "The parameter 'max_tokens' is required.")
    tools = request.body.get("tools")
    if tools is not None and not (isinstance(tools, list) and all(isinstance(tool, dict) for tool in tools)):
        raise invalid("tools", "The parameter 'tools' must be a list of objects.")
    return request


def _messages(body: JsonMapping) -> None:
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise invalid("messages", "The parameter 'messages' must be a non-empty list.")
    for index, message in enumerate(messages):
        if not isinstance(message, dict) or not isinstance(message.get("role"), str):
            raise invalid(f"messages[{index}]", "Each message must be an object with a 'role'.")
        if message.get("content") is None:
            raise invalid(f"messages[{index}].content", "Each message needs a 'content'.")
        _content(message["content"], f"messages[{index}].content")


def _content(content: JsonValue, param: str) -> None:
    """A string, or a list of blocks that say their type; a tool's result nests one more such content."""
    if content is None or isinstance(content, str):
        return
    if not isinstance(content, list):
        raise invalid(param, f"'{param}' must be a string or a list of content blocks.")
    for index, block in enumerate(content):
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise invalid(f"{param}[{index}]", "Each content block must be an object with a 'type'.")
        if block["type"] == "tool_use" and not isinstance(block.get("input"), dict):
            raise invalid(f"{param}[{index}].input", "The input of a tool use must be an object.")
        if block["type"] == "tool_result":
            _content(block.get("content"), f"{param}[{index}].content")
