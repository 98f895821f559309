"""The arguments of a tool call, which OpenAI gives as text, others as an object: from the one to the other."""

from __future__ import annotations

import msgspec

from sentinel_core.dialects.openai_chat.request import invalid
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_encode = msgspec.json.Encoder().encode


def arguments_of(function: JsonMapping, param: str) -> JsonObject:
    """The arguments of a call's function; `param` is where the call stands. Raises `Refusal` for what is no object."""
    arguments = function.get("arguments") or "{}"
    try:
        value = msgspec.json.decode(arguments) if isinstance(arguments, str) else None
    except (msgspec.MsgspecError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise invalid(f"{param}.function.arguments", "The arguments of a tool call must be a JSON object.")
    return value


def arguments_text(said: JsonValue) -> str:
    """The text of a call's arguments. Some servers give them as the object that the text would say."""
    if isinstance(said, str):
        return said
    return _encode(said).decode() if isinstance(said, dict) else ""


def made_text(function: JsonValue) -> bool:
    """Writes arguments that are an object as the text that OpenAI's clients expect, in place. Whether they were one."""
    if not isinstance(function, dict) or not isinstance(function.get("arguments"), dict):
        return False
    function["arguments"] = arguments_text(function["arguments"])
    return True


def made_texts(message: JsonMapping) -> bool:
    """The same for all calls of a whole answer's message."""
    calls = message.get("tool_calls")
    functions = [call.get("function") for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    return sum(map(made_text, (*functions, message.get("function_call")))) > 0
