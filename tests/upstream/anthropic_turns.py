"""A Messages request read back as OpenAI's chat."""

from __future__ import annotations

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from tests.upstream.payloads import encoded


def conversation(body: JsonMapping) -> JsonObject:
    """The turns as messages; the results of tools are messages of their own."""
    rules = [{"role": "system", "content": _plain(body["system"])}] if "system" in body else []
    read: JsonObject = {"messages": [*rules, *(each for turn in body["messages"] for each in _messages(turn))]}
    read |= {key: body[key] for key in ("max_tokens", "temperature", "top_p") if key in body}
    if "stop_sequences" in body:
        read["stop"] = body["stop_sequences"]
    if "tools" in body:
        read["tools"] = [_function(tool) for tool in body["tools"]]
    if "tool_choice" in body:
        read["tool_choice"] = _tool_choice(body["tool_choice"])
    return read


def _plain(content: JsonValue) -> JsonValue:
    """Text blocks as parts of text; a string as it is."""
    if isinstance(content, str):
        return content
    return [{"type": "text", "text": block["text"]} for block in content if block["type"] == "text"]


def _messages(turn: JsonMapping) -> list[JsonObject]:
    content = turn["content"]
    if isinstance(content, str):
        return [dict(turn)]
    messages: list[JsonObject] = [
        {"role": "tool", "tool_call_id": block["tool_use_id"], "content": _plain(block["content"])}
        for block in content
        if block["type"] == "tool_result"
    ]
    text = _plain(content)
    calls = [_call(block) for block in content if block["type"] == "tool_use"]
    if text or calls:
        messages.append({"role": turn["role"], "content": text or None, **({"tool_calls": calls} if calls else {})})
    return messages


def _call(block: JsonMapping) -> JsonObject:
    function = {"name": block["name"], "arguments": encoded(block["input"]).decode()}
    return {"id": block["id"], "type": "function", "function": function}


def _function(tool: JsonMapping) -> JsonObject:
    named_ = {key: tool[key] for key in ("name", "description") if key in tool}
    return {"type": "function", "function": {**named_, "parameters": tool["input_schema"]}}


def _tool_choice(choice: JsonMapping) -> JsonValue:
    if choice["type"] == "tool":
        return {"type": "function", "function": {"name": choice["name"]}}
    return {"auto": "auto", "any": "required", "none": "none"}[choice["type"]]
