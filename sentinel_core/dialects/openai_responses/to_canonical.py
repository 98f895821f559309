"""Responses requests in chat's form."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.dialects.openai_responses.conversation import messages_of, stored_item
from sentinel_core.dialects.openai_responses.shape import checked
from sentinel_core.dialects.translation import Translated
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request

_STORED = ("previous_response_id", "conversation", "prompt")
"""What is kept at the provider's: history, or the prompt itself. Without it the request would be another one."""

_SAME = frozenset(
    {
        *("metadata", "model", "parallel_tool_calls", "prompt_cache_key", "prompt_cache_options"),
        *("prompt_cache_retention", "safety_identifier", "service_tier", "stream", "temperature", "top_p", "user"),
    }
)
_DONE = _SAME | {"input", "instructions", "max_output_tokens", "reasoning", "text", "tools", "tool_choice"}
_UNSAID: JsonMapping = {"store": False, "truncation": "disabled", "background": False, "include": []}
"""Values that say what is so anyway: nothing is stored, nothing cut out, nothing added."""
_FUNCTION = ("name", "description", "parameters", "strict")
_KNOWN = ("type", *_FUNCTION)
_FORMAT = ("name", "description", "schema", "strict")


def only_native(request: Request) -> str | None:
    """What refers to something that the provider keeps: it cannot be asked of another API."""
    body = request.body
    return next((name for name in _STORED if body.get(name) is not None), None) or stored_item(body)


def request_body(request: Request) -> Translated:
    """The request in chat's form, and the names of what only this API has. Raises `Refusal` for what makes no sense."""
    body, lost = checked(request.body), list[str]()
    result: JsonObject = {key: body[key] for key in body if key in _SAME and body[key] is not None}
    result["messages"] = messages_of(body, lost)
    if body.get("max_output_tokens") is not None:
        result["max_completion_tokens"] = body["max_output_tokens"]
    _tools(body, result, lost)
    _reasoning(body.get("reasoning") or {}, result, lost)
    _text(body.get("text") or {}, result, lost)
    lost += [key for key, value in body.items() if key not in _DONE and not _is_unsaid(key, value)]
    return Translated(result, tuple(dict.fromkeys(lost)))


def _is_unsaid(key: str, value: JsonValue) -> bool:
    return value is None or key == "stream_options" or _UNSAID.get(key) == value


def _tools(body: JsonMapping, result: JsonObject, lost: list[str]) -> None:
    """Functions, nested as chat has them, and which of them may be called. Without any there is nothing to choose."""
    tools = body.get("tools") or ()
    functions = [tool for tool in tools if tool.get("type") == "function"]
    lost += [f"tools.{tool.get('type')}" for tool in tools if tool.get("type") != "function"]
    lost += [f"tools.{key}" for tool in functions for key, value in tool.items() if key not in _KNOWN and value]
    choice = _choice(body.get("tool_choice"))
    if functions:
        result["tools"] = [{"type": "function", "function": _chosen(tool, _FUNCTION)} for tool in functions]
        if choice is not None:
            result["tool_choice"] = choice
    else:
        result.pop("parallel_tool_calls", None)
    if choice is None and body.get("tool_choice") is not None:
        lost.append("tool_choice")


def _choice(choice: JsonValue) -> JsonValue:
    """Which tools may be called; None for a tool that chat does not have."""
    if isinstance(choice, str) or not isinstance(choice, Mapping):
        return choice
    if choice.get("type") == "function":
        return {"type": "function", "function": {"name": choice.get("name")}}
    tools = choice.get("tools")
    if choice.get("type") != "allowed_tools" or not isinstance(tools, list):
        return None
    nested = [_choice(tool) for tool in tools if isinstance(tool, Mapping) and tool.get("type") == "function"]
    return {"type": "allowed_tools", "allowed_tools": {"mode": choice.get("mode"), "tools": nested}}


def _reasoning(reasoning: JsonMapping, result: JsonObject, lost: list[str]) -> None:
    """How hard to think. What a model shows of its thoughts comes without being asked for."""
    for key, value in reasoning.items():
        if key == "effort" and value is not None:
            result["reasoning_effort"] = value
        elif value is not None:
            lost.append(f"reasoning.{key}")


def _text(text: JsonMapping, result: JsonObject, lost: list[str]) -> None:
    """In which form to answer, and at what length."""
    for key, value in text.items():
        if key == "verbosity" and value is not None:
            result["verbosity"] = value
        elif key == "format" and value is not None:
            result |= {} if value.get("type") == "text" else {"response_format": _form(value)}
        elif value is not None:
            lost.append(f"text.{key}")


def _form(form: JsonMapping) -> JsonObject:
    if form.get("type") != "json_schema":
        return dict(form)
    return {"type": "json_schema", "json_schema": _chosen(form, _FORMAT)}


def _chosen(holder: JsonMapping, keys: tuple[str, ...]) -> JsonObject:
    return {key: holder[key] for key in keys if holder.get(key) is not None}
