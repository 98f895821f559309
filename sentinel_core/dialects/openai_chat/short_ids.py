"""Ids of tool calls as OpenAI takes them: of at most 40 characters. Other vendors' models may give longer ones."""

from __future__ import annotations

import re
from collections.abc import Mapping

from sentinel_core.dialects.call_ids import fitting
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue

_ID = re.compile(r".{1,40}", re.DOTALL)


def with_short_ids(body: JsonMapping) -> JsonMapping:
    """A chat request with such ids alone, the same for a call and its result; without longer ones the body is the same
    object."""
    messages = [_short(message) for message in body.get("messages", ())]
    if all(new is old for new, old in zip(messages, body.get("messages", ()), strict=True)):
        return body
    return {**body, "messages": messages}


def _short(message: JsonMapping) -> JsonMapping:
    calls = message.get("tool_calls")
    changes: JsonObject = {}
    if _is_long(message.get("tool_call_id")):
        changes["tool_call_id"] = fitting(message["tool_call_id"], _ID)
    if isinstance(calls, list) and any(isinstance(call, Mapping) and _is_long(call.get("id")) for call in calls):
        changes["tool_calls"] = [_short_call(call) for call in calls]
    return {**message, **changes} if changes else message


def _short_call(call: JsonValue) -> JsonValue:
    return {**call, "id": fitting(call["id"], _ID)} if isinstance(call, Mapping) and _is_long(call.get("id")) else call


def _is_long(identifier: JsonValue) -> bool:
    return isinstance(identifier, str) and _ID.fullmatch(identifier) is None
