"""The tools of OpenAI's chat, and which of them may be called, as Cohere's.

Sources: `ToolV2`, `V2ChatRequestToolChoice` of cohere-ai/cohere-python 7.3.1. Cohere has no choice of a tool by name: a
named one is the only one that is offered, and required.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_CHOICES = {"required": "REQUIRED", "none": "NONE"}
_UNSAID = (None, "auto")
"""What Cohere does where nothing is said."""


def tool_fields(body: JsonMapping, dropped: list[str]) -> JsonObject:
    """The fields of the request; empty where there are no tools. Notes in `dropped` what it has to leave out, and
    raises `Refusal` for what makes no sense."""
    offered = body.get("tools") or []
    if not isinstance(offered, list) or not all(isinstance(tool, Mapping) for tool in offered):
        raise invalid("tools", "The parameter 'tools' must be a list of objects.")
    choice = body.get("tool_choice")
    name = _named(choice)
    if name is not None:
        offered = [tool for tool in offered if _function(tool).get("name") == name]
        if not offered:
            raise invalid("tool_choice", "The parameter 'tool_choice' names none of the 'tools'.")
    tools = [made for made in (_tool(tool, dropped) for tool in offered) if made is not None]
    if not tools:
        return {}
    return {"tools": tools, **_choice(choice, name, dropped), **_strict(offered, dropped)}


def _choice(choice: JsonValue, name: str | None, dropped: list[str]) -> JsonObject:
    if name is not None:
        return {"tool_choice": "REQUIRED"}
    if isinstance(choice, str) and choice in _CHOICES:
        return {"tool_choice": _CHOICES[choice]}
    if choice not in _UNSAID:
        dropped.append("tool_choice")
    return {}


def _tool(tool: JsonMapping, dropped: list[str]) -> JsonObject | None:
    if "cache_control" in tool:
        dropped.append("cache_control")
    function = _function(tool)
    if not function:
        dropped.append(f"tools.{tool.get('type')}")
        return None
    made = {key: function[key] for key in ("name", "description") if function.get(key) is not None}
    made["parameters"] = function.get("parameters") or {"type": "object", "properties": {}}
    return {"type": "function", "function": made}


def _strict(tools: Sequence[JsonMapping], dropped: list[str]) -> JsonObject:
    """Cohere keeps to the schemas of all tools, or of none."""
    flags = [_function(tool).get("strict") is True for tool in tools]
    if all(flags):
        return {"strict_tools": True}
    if any(flags):
        dropped.append("tools.strict")
    return {}


def _named(choice: JsonValue) -> str | None:
    """The one function that must be called."""
    function = choice.get("function") if isinstance(choice, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _function(tool: JsonMapping) -> JsonMapping:
    function = tool.get("function")
    return function if isinstance(function, Mapping) else {}
