"""Bodies and stream lines as Ollama's own API writes them.

Source: https://docs.ollama.com/api, and `api/types.go` of https://github.com/ollama/ollama. Counts of 0 are left out,
as that server's encoder leaves them out.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from tests.upstream.api import Api, Call, Said, Wire
from tests.upstream.payloads import encoded

CREATED = "2025-10-26T17:15:24.097767Z"
TIMES = {"total_duration": 174560334, "load_duration": 101397084}
COUNTS = {"prompt_eval_count": 3, "eval_count": 2}
OPTIONS = {"num_predict": "max_tokens"}
"""Options whose name is another one than OpenAI's."""


def line(content: str = "", **fields: JsonValue) -> bytes:
    """One line of a stream that is not the last; `fields` are further members of its message."""
    message = {"role": "assistant", "content": content, **fields}
    return encoded({"model": "llama3.2", "created_at": CREATED, "message": message, "done": False}) + b"\n"


def last(reason: str | None = "stop", **fields: JsonValue) -> bytes:
    """The line that ends a stream; `fields` replace or add members."""
    return encoded(chat(content="", reason=reason, **fields)) + b"\n"


def chat(content: str = "hello", reason: str | None = "stop", **fields: JsonValue) -> JsonObject:
    """A complete unary answer. `fields` replace or add top-level members."""
    return {
        "model": "llama3.2",
        "created_at": CREATED,
        "message": {"role": "assistant", "content": content},
        "done": True,
        **({"done_reason": reason} if reason is not None else {}),
        **TIMES,
        **COUNTS,
        **fields,
    }


def chat_lines(*texts: str, reason: str = "stop") -> list[bytes]:
    """A whole stream of texts, a line an item."""
    return [*map(line, texts or ("hello",)), last(reason)]


def called(call: Call, index: int = 0) -> JsonObject:
    """A call as it stands in a message."""
    return {
        **({"id": call.id} if call.id else {}),
        "function": {"index": index, "name": call.name, "arguments": dict(call.arguments)},
    }


class Ollama:
    """The server of https://github.com/ollama/ollama, 0.34."""

    name = "ollama"
    content_type = "application/x-ndjson"

    def path(self, *, stream: bool) -> str:
        """The same for both."""
        return "/api/chat"

    def answer(self, said: Said) -> JsonObject:
        """One message, whole."""
        message: JsonObject = {"role": "assistant", "content": said.text}
        if said.reasoning:
            message["thinking"] = said.reasoning
        if said.calls:
            message["tool_calls"] = [called(call, number) for number, call in enumerate(said.calls)]
        return _ended(said, message)

    def stream(self, said: Said) -> Wire:
        """Texts by halves, each call whole on a line of its own, and the counts on the last line."""
        content = [
            *(line(thinking=half) for half in _halves(said.reasoning)),
            *(line(half) for half in _halves(said.text)),
            *(line(tool_calls=[called(call, number)]) for number, call in enumerate(said.calls)),
        ]
        ending = encoded(_ended(said, {"role": "assistant", "content": ""})) + b"\n"
        return Wire([line()], content, [ending])

    def error(self, status: int, message: str) -> JsonValue:
        """Text is all there is."""
        return {"error": message}

    def midstream_error(self, message: str) -> bytes:
        """The same object on a line of its own."""
        return encoded(self.error(500, message)) + b"\n"

    def conversation(self, body: JsonMapping) -> JsonObject:
        """Roles and texts as they are, images as data, arguments as text, options at the top."""
        read: JsonObject = {"messages": [_message(message) for message in body["messages"]]}
        if "tools" in body:
            read["tools"] = body["tools"]
        for name, value in body.get("options", {}).items():
            read[OPTIONS.get(name, name)] = value
        if "format" in body:
            schema = {"type": "json_schema", "json_schema": {"name": "output", "schema": body["format"]}}
            read["response_format"] = {"type": "json_object"} if body["format"] == "json" else schema
        if "think" in body:
            read["reasoning_effort"] = body["think"] or "none"
        return {**read, "stream": True} if body["stream"] else read


def _ended(said: Said, message: JsonObject) -> JsonObject:
    """What is told at an answer's end. After calls of tools the reason is `stop`, too."""
    reason = "stop" if said.finish == "tool_calls" else said.finish
    body = chat(reason=reason, message=message)
    for name in COUNTS:
        del body[name]
    if said.usage is None:
        return body
    counts = {
        "prompt_eval_count": said.usage.prompt_tokens,
        "prompt_eval_cached_count": said.usage.cached_tokens,
        "eval_count": said.usage.completion_tokens,
    }
    return {**body, **{name: count for name, count in counts.items() if count}}


def _halves(text: str) -> Sequence[str]:
    """A text in two pieces, or in one where it is too short for two."""
    middle = len(text) // 2
    return [half for half in (text[:middle], text[middle:]) if half]


def _message(message: JsonMapping) -> JsonObject:
    text = message["content"]
    images = [{"type": "image_url", "image_url": {"url": f"data:;base64,{data}"}} for data in message.get("images", ())]
    content = [*([{"type": "text", "text": text}] if text else []), *images] if images else text
    read: JsonObject = {"role": message["role"], "content": content}
    if "thinking" in message:
        read["reasoning_content"] = message["thinking"]
    if "tool_call_id" in message:
        read["tool_call_id"] = message["tool_call_id"]
    if "tool_calls" in message:
        read["tool_calls"] = [_call(call) for call in message["tool_calls"]]
        read["content"] = text or None
    return read


def _call(call: JsonMapping) -> JsonObject:
    function = call["function"]
    arguments = json.dumps(function["arguments"], separators=(",", ":"), ensure_ascii=False)
    return {"id": call["id"], "type": "function", "function": {"name": function["name"], "arguments": arguments}}


OLLAMA: Api = Ollama()
