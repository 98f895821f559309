"""Every field in which a payload may hide: of requests (H46, H47) and of replies (H48), for every route."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from tests.integration.guarded import (
    API_CHAT,
    CANARY,
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
)

Body = JsonObject
IMAGE = "https://x.test/a.png"
SCHEMA = {"type": "object", "properties": {"x": {"type": "string", "description": CANARY}}}
FAR = " " * 100_000 + CANARY


def chat(**fields: JsonValue) -> Body:
    """A chat that says nothing else."""
    return said({"role": "user", "content": ""}, **fields)


def said(*messages: JsonMapping, **fields: JsonValue) -> Body:
    """A chat of these messages."""
    return {"model": "fake", "messages": list(messages), **fields}


def user(content: JsonValue, **fields: JsonValue) -> Body:
    """One message of a user."""
    return {"role": "user", "content": content, **fields}


def tool(**function: JsonValue) -> Body:
    """A function that may be called."""
    return {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, **function}}


def call(arguments: str, **function: JsonValue) -> Body:
    """A call of it."""
    return {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments, **function}}


def anthropic(*messages: JsonMapping, **fields: JsonValue) -> Body:
    """A conversation in Anthropic's form."""
    return said(*messages, max_tokens=9, **fields)


def responses(given: JsonValue = "", **fields: JsonValue) -> Body:
    """A request in the form of Responses."""
    return {"model": "fake", "input": given, **fields}


def document(text: str, **fields: JsonValue) -> Body:
    """A document of plain text."""
    return {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": text}, **fields}


ARGUMENTS = json.dumps({"x": CANARY})
USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}

OF_CHAT: dict[str, Body] = {
    "user": said(user(CANARY)),
    "system": said({"role": "system", "content": CANARY}),
    "developer": said({"role": "developer", "content": CANARY}),
    "assistant": said({"role": "assistant", "content": CANARY}),
    "tool result": said({"role": "tool", "tool_call_id": "c", "content": CANARY}),
    "function result": said({"role": "function", "name": "f", "content": CANARY}),
    "arguments": said({"role": "assistant", "tool_calls": [call(ARGUMENTS)]}),
    "arguments that are no JSON": said({"role": "assistant", "tool_calls": [call(CANARY)]}),
    "name of a called function": said({"role": "assistant", "tool_calls": [call("{}", name=CANARY)]}),
    "legacy call": said({"role": "assistant", "function_call": {"name": "f", "arguments": ARGUMENTS}}),
    "reasoning": said({"role": "assistant", "content": "", "reasoning_content": CANARY}),
    "refusal": said({"role": "assistant", "refusal": CANARY}),
    "name": said(user("", name=CANARY)),
    "part": said(user([{"type": "text", "text": CANARY}])),
    "second part": said(user([{"type": "text", "text": ""}, {"type": "text", "text": CANARY}])),
    "image alt": said(user([{"type": "image_url", "image_url": {"url": IMAGE, "alt": CANARY}}])),
    "image detail": said(user([{"type": "image_url", "image_url": {"url": IMAGE, "detail": CANARY}}])),
    "image address": said(user([{"type": "image_url", "image_url": {"url": f"{IMAGE}?q={CANARY}"}}])),
    "file name": said(user([{"type": "file", "file": {"file_data": "", "filename": CANARY}}])),
    "two contents": said(user("", content_blocks=[{"text": CANARY}])),
    "turn before": said(user(CANARY), {"role": "assistant", "content": ""}, user("")),
    "tool description": chat(tools=[tool(description=CANARY)]),
    "tool name": chat(tools=[tool(name=CANARY)]),
    "tool schema": chat(tools=[tool(parameters=SCHEMA)]),
    "legacy function": chat(functions=[{"name": "f", "description": CANARY}]),
    "answer's schema": chat(response_format={"type": "json_schema", "json_schema": {"name": "s", "schema": SCHEMA}}),
    "prediction": chat(prediction={"type": "content", "content": CANARY}),
    "stop": chat(stop=[CANARY]),
    "user id": chat(user=CANARY),
    "metadata": chat(metadata={"note": CANARY}),
    "unknown field": chat(x_unknown={"deep": [CANARY]}),
    "unknown key": chat(x_unknown={CANARY: 1}),
    "unknown key on top": chat(**{CANARY: 1}),
    "far in": said(user(FAR)),
    "last of many turns": said(*[user("")] * 200, user(CANARY)),
}
OF_COMPLETIONS: dict[str, Body] = {
    "prompt": {"model": "fake", "prompt": CANARY},
    "second prompt": {"model": "fake", "prompt": ["", CANARY]},
    "suffix": {"model": "fake", "prompt": "", "suffix": CANARY},
    "stop": {"model": "fake", "prompt": "", "stop": [CANARY]},
    "user id": {"model": "fake", "prompt": "", "user": CANARY},
    "unknown field": {"model": "fake", "prompt": "", "x_unknown": [CANARY]},
    "far in": {"model": "fake", "prompt": FAR},
}
OF_RESPONSES: dict[str, Body] = {
    "input": responses(CANARY),
    "instructions": responses(instructions=CANARY),
    "message": responses([user(CANARY)]),
    "part": responses([user([{"type": "input_text", "text": CANARY}])]),
    "image detail": responses([user([{"type": "input_image", "image_url": IMAGE, "detail": CANARY}])]),
    "file name": responses([user([{"type": "input_file", "file_data": "", "filename": CANARY}])]),
    "arguments": responses([{"type": "function_call", "call_id": "c", "name": "f", "arguments": ARGUMENTS}]),
    "tool result": responses([{"type": "function_call_output", "call_id": "c", "output": CANARY}]),
    "tool description": responses(tools=[{"type": "function", "name": "f", "description": CANARY, "parameters": {}}]),
    "tool schema": responses(tools=[{"type": "function", "name": "f", "parameters": SCHEMA}]),
    "answer's schema": responses(text={"format": {"type": "json_schema", "name": "s", "schema": SCHEMA}}),
    "metadata": responses(metadata={"note": CANARY}),
    "unknown field": responses(x_unknown=[CANARY]),
    "far in": responses(FAR),
}
OF_MESSAGES: dict[str, Body] = {
    "user": anthropic(user(CANARY)),
    "block": anthropic(user([{"type": "text", "text": CANARY}])),
    "system": anthropic(user(""), system=CANARY),
    "system block": anthropic(user(""), system=[{"type": "text", "text": CANARY}]),
    "tool input": anthropic({"role": "assistant", "content": [{**USE, "input": {"x": CANARY}}]}),
    "tool input's key": anthropic({"role": "assistant", "content": [{**USE, "input": {CANARY: 1}}]}),
    "tool result": anthropic(user([{"type": "tool_result", "tool_use_id": "c", "content": CANARY}])),
    "tool result's block": anthropic(
        user([{"type": "tool_result", "tool_use_id": "c", "content": [{"type": "text", "text": CANARY}]}])
    ),
    "thinking": anthropic(
        {"role": "assistant", "content": [{"type": "thinking", "thinking": CANARY, "signature": ""}]}
    ),
    "document": anthropic(user([document(CANARY)])),
    "document's title": anthropic(user([document("a", title=CANARY)])),
    "document's context": anthropic(user([document("a", context=CANARY)])),
    "tool description": anthropic(user(""), tools=[{"name": "f", "description": CANARY, "input_schema": {}}]),
    "tool schema": anthropic(user(""), tools=[{"name": "f", "input_schema": SCHEMA}]),
    "stop": anthropic(user(""), stop_sequences=[CANARY]),
    "metadata": anthropic(user(""), metadata={"user_id": CANARY}),
    "unknown field": anthropic(user(""), x_unknown=[CANARY]),
    "far in": anthropic(user(FAR)),
}
OF_EMBEDDINGS: dict[str, Body] = {
    "input": {"model": "fake", "input": CANARY},
    "second input": {"model": "fake", "input": ["", CANARY]},
    "user id": {"model": "fake", "input": "", "user": CANARY},
    "unknown field": {"model": "fake", "input": "", "x_unknown": [CANARY]},
}
INPUT: Mapping[str, Mapping[str, Body]] = {
    CHAT: OF_CHAT,
    COMPLETIONS: OF_COMPLETIONS,
    RESPONSES: OF_RESPONSES,
    MESSAGES: OF_MESSAGES,
    EMBEDDINGS: OF_EMBEDDINGS,
    COUNT_TOKENS: {name: {k: v for k, v in body.items() if k != "max_tokens"} for name, body in OF_MESSAGES.items()},
    API_CHAT: {name: {k: v for k, v in body.items() if k != "model"} for name, body in OF_CHAT.items()},
}
"""By route and field, a body with the canary in that field and nothing else to find."""

ASK: Mapping[str, Body] = {
    CHAT: chat(),
    COMPLETIONS: {"model": "fake", "prompt": "x"},
    RESPONSES: responses("x"),
    MESSAGES: anthropic(user("x")),
    API_CHAT: {"messages": [user("x")]},
}
"""By route, a body with nothing to find."""
