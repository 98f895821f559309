"""Calls of tools with what OpenAI's request has of them alone, for hosts that refuse every other member."""

from __future__ import annotations

from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_CALL = frozenset({"id", "type", "function"})
_FUNCTION = frozenset({"name", "arguments"})
_COPIES = frozenset({"index", "parsed_arguments"})
"""What clients add when they read an answer, and what says nothing new."""


def with_plain_calls(calls: list[JsonValue], left_out: list[str]) -> list[JsonValue]:
    """The calls, noting the names of members that are left out and say something. Without any it is the same list; what
    is no call of a function stays as it is."""
    plain = [_plain(call, left_out) for call in calls]
    return calls if all(new is old for new, old in zip(plain, calls, strict=True)) else plain


def _plain(call: JsonValue, left_out: list[str]) -> JsonValue:
    function = call.get("function") if isinstance(call, Mapping) else None
    if not isinstance(function, Mapping):
        return call
    if call.keys() <= _CALL and function.keys() <= _FUNCTION:
        return call
    made = _known(call, _CALL, "messages.tool_calls", left_out)
    return made | {"function": _known(function, _FUNCTION, "messages.tool_calls.function", left_out)}


def _known(holder: JsonMapping, known: frozenset[str], path: str, left_out: list[str]) -> JsonObject:
    others = [name for name in holder if name not in known | _COPIES and holder[name] is not None]
    left_out += [f"{path}.{name}" for name in others]
    return {name: value for name, value in holder.items() if name in known}
