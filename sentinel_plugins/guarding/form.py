"""The form of texts: which of an answer's are JSON, and which of a request's describe what it asks for."""

from __future__ import annotations

from typing import Final

from sentinel_core.dialects.slots import OBJECTS
from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.messages import Path, Request

_FORMATS: Final = (("response_format",), ("text", "format"), ("output_format",), ("output_config", "format"))
"""Where requests say that the answer is to be JSON: of chats, of responses, of messages before and now."""

_DESCRIBED: Final = frozenset(
    {"functions", "mcp_servers", "output_config", "output_format", "response_format", "tool_choice", "tools"}
)
"""Fields of a body below which its author describes tools and the answer's form."""

ARGUMENTS: Final = frozenset({"tool_arguments"})
"""The kinds of text that are JSON whatever was asked for."""
_ASKED: Final = ARGUMENTS | {"content"}


def json_kinds(request: Request) -> frozenset[str]:
    """The kinds of text that are JSON in the answer to this request."""
    body = request.body
    for path in _FORMATS:
        if path[0] in body and _type(body, path).startswith("json"):
            return _ASKED
    return ARGUMENTS


def describes(path: Path) -> bool:
    """Whether a text of a request describes a tool or the form of the answer: nobody writes prose there, and what it
    says are orders by nature."""
    return path[0] in _DESCRIBED or (path[0] == "text" and path[1:2] == ("format",))


def _type(body: JsonMapping, path: tuple[str, ...]) -> str:
    found: JsonValue = body
    for key in (*path, "type"):
        found = found.get(key) if isinstance(found, OBJECTS) else None
    return found if isinstance(found, str) else ""
