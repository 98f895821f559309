"""What echo says, in OpenAI's form: one body, or the chunks of a stream."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.json_types import JsonObject
from sentinel_plugins.providers.echo.script import Script

ECHO = "echo"


def completion(said: Script) -> JsonObject:
    """The unary answer."""
    message: JsonObject = {"role": "assistant", "content": None if said.tool else said.text, "refusal": None}
    if said.tool:
        message["tool_calls"] = [_tool_call(said, said.text)]
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": said.finish_reason}
        for index in range(said.choices)
    ]
    return {**_head(said, "chat.completion"), "choices": choices, "usage": said.usage}


def chunks(said: Script) -> Iterator[JsonObject]:
    """The stream: a role, the tokens one at a time, a finish, for each choice in turn; then the usage."""
    head = _head(said, "chat.completion.chunk")
    opening: JsonObject = {"role": "assistant", "content": None if said.tool else ""}
    if said.tool:
        opening["tool_calls"] = [{"index": 0, **_tool_call(said, "")}]
    for delta in (opening, *(_delta(said, token) for token in said.tokens)):
        for index in range(said.choices):
            yield {**head, "choices": [{"index": index, "delta": delta, "finish_reason": None}]}
    for index in range(said.choices):
        yield {**head, "choices": [{"index": index, "delta": {}, "finish_reason": said.finish_reason}]}
    yield {**head, "choices": [], "usage": said.usage}


def _head(said: Script, kind: str) -> JsonObject:
    # `created` is constant: the same request gets the same bytes.
    return {
        "id": f"chatcmpl-echo-{said.serial}",
        "object": kind,
        "created": 0,
        "model": ECHO,
        "system_fingerprint": ECHO,
    }


def _delta(said: Script, token: str) -> JsonObject:
    return {"tool_calls": [{"index": 0, "function": {"arguments": token}}]} if said.tool else {"content": token}


def _tool_call(said: Script, arguments: str) -> JsonObject:
    return {
        "id": f"call_echo_{said.serial}",
        "type": "function",
        "function": {"name": said.tool, "arguments": arguments},
    }
