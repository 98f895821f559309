"""The form of texts: which of an answer's are JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sentinel_core.messages import Request

_FORMATS: Final = (("response_format",), ("text", "format"), ("output_format",), ("output_config", "format"))
"""Where requests say that the answer is to be JSON: of chats, of responses, of messages before and now."""

ARGUMENTS: Final = frozenset({"tool_arguments"})
"""The kinds of text that are JSON whatever was asked for."""
_ASKED: Final = ARGUMENTS | {"content"}


def json_kinds(request: Request) -> frozenset[str]:
    """The kinds of text that are JSON in the answer to this request."""
    return _ASKED if any(_type(request.body, path).startswith("json") for path in _FORMATS) else ARGUMENTS


def _type(body: Mapping[str, Any], path: tuple[str, ...]) -> str:  # JSON
    found: Any = body  # JSON
    for key in (*path, "type"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found if isinstance(found, str) else ""
