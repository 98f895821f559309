"""Tools, and which of them may be called.

Source: https://ai.google.dev/gemini-api/docs/function-calling; `FunctionDeclaration` and `FunctionCallingConfig` of
google-genai's `types.py`. Schemas go as they are (`parametersJsonSchema`), `$defs` and `additionalProperties` included.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sentinel_core.dialects.openai_chat.canonical import kinds_of
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


class Choice(NamedTuple):
    """Whether tools may or must be called, and which, where not all may be."""

    mode: str
    names: Sequence[JsonValue] | None = None


def tool_fields(body: JsonMapping, dropped: list[str]) -> JsonObject:
    """`tools` and `toolConfig` of a request; none where no tool can be declared.

    The mode ANY holds to schemas by itself; a `strict` tool that may be called asks for VALIDATED, which does so too.
    Only ANY takes names: for another mode the tools that may not be called are not declared.
    """
    tools = body.get("tools") or ()
    declared = [made for tool in tools if (made := _declaration(tool, dropped)) is not None]
    if not declared:
        return {}
    asked = body.get("tool_choice")
    choice = _choice(asked) if asked is not None else Choice("AUTO")
    if choice is None:
        dropped.append("tool_choice")
        choice = Choice("AUTO")
    if body.get("parallel_tool_calls") is False:
        dropped.append("parallel_tool_calls")
    mode, names = choice
    config: JsonObject = {"mode": "VALIDATED" if mode == "AUTO" and any(map(_is_strict, tools)) else mode}
    if names is not None and mode == "ANY":
        config["allowedFunctionNames"] = list(names)
    elif names is not None:
        declared = [one for one in declared if one.get("name") in names]
    if not declared:
        return {}
    told = {"toolConfig": {"functionCallingConfig": config}} if config["mode"] != "AUTO" else {}
    return {"tools": [{"functionDeclarations": declared}], **told}


def _declaration(tool: JsonMapping, dropped: list[str]) -> JsonObject | None:
    """One tool; None for one that is no function."""
    function = tool.get("function")
    if function is None:
        dropped += kinds_of(tool, "tools")
        return None
    if "cache_control" in tool:
        dropped.append("cache_control")
    made = {key: function[key] for key in ("name", "description") if function.get(key) is not None}
    if function.get("parameters") is not None:
        made["parametersJsonSchema"] = function["parameters"]
    return made


def _choice(asked: str | JsonMapping) -> Choice | None:
    """What a client chose; None for what Google has no counterpart of."""
    if isinstance(asked, str):
        return Choice(_MODES[asked]) if asked in _MODES else None
    allowed = asked.get("allowed_tools")
    if isinstance(allowed, Mapping) and isinstance(allowed.get("tools"), list):
        mode, names = _MODES.get(str(allowed.get("mode"))), [_name(tool) for tool in allowed["tools"]]
        return Choice(mode, names) if mode is not None and None not in names else None
    name = _name(asked)
    return Choice("ANY", [name]) if name is not None else None


def _name(tool: JsonValue) -> str | None:
    function = tool.get("function") if isinstance(tool, Mapping) else None
    name = function.get("name") if isinstance(function, Mapping) else None
    return name if isinstance(name, str) else None


def _is_strict(tool: JsonMapping) -> bool:
    return (tool.get("function") or {}).get("strict") is True
