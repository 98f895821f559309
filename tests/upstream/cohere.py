"""Bodies and stream events as Cohere's chat API writes them, and its requests as it reads them.

Written from https://docs.cohere.com/reference/chat and https://docs.cohere.com/v2/docs/streaming, apart from the codec.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.upstream.api import Api, Call, Said, Wire
from tests.upstream.payloads import encoded

CHAT = "/v2/chat"
MODELS = "/v1/models?page_size=1"
WORDS = {"stop": "COMPLETE", "length": "MAX_TOKENS", "tool_calls": "TOOL_CALL"}


def usage(counted: Usage) -> JsonObject:
    """Counts as the API gives them: as floats, and what is on the bill beside what the model read."""
    prompt, completion = float(counted.prompt_tokens), float(counted.completion_tokens)
    return {
        "billed_units": {"input_tokens": max(0.0, prompt - 1), "output_tokens": completion},
        "tokens": {"input_tokens": prompt, "output_tokens": completion},
        "cached_tokens": float(counted.cached_tokens),
    }


def event(kind: str, message: JsonObject | None = None, *, index: int | None = None, **fields: JsonValue) -> bytes:
    """One event of a stream; `message` is what its delta holds."""
    body: JsonObject = {"type": kind, **({} if index is None else {"index": index}), **fields}
    if message is not None:
        body["delta"] = {"message": message}
    return b"event: " + kind.encode() + b"\ndata: " + encoded(body) + b"\n\n"


def opening() -> bytes:
    """The event that opens a stream."""
    empty = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    return event("message-start", empty, id="chat-1")


def block(index: int, kind: str, *texts: str) -> list[bytes]:
    """A content block: `text` or `thinking`."""
    return [
        event("content-start", {"content": {"type": kind, kind: ""}}, index=index),
        *(event("content-delta", {"content": {kind: text}}, index=index) for text in texts),
        event("content-end", index=index),
    ]


def plan(*texts: str) -> list[bytes]:
    """What the model says before it calls tools."""
    return [event("tool-plan-delta", {"tool_plan": text}) for text in texts]


def call(index: int, identifier: str, name: str, *fragments: str) -> list[bytes]:
    """A call of a tool; the fragments are its arguments' JSON."""
    start = {"id": identifier, "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        event("tool-call-start", {"tool_calls": start}, index=index),
        *(
            event("tool-call-delta", {"tool_calls": {"function": {"arguments": part}}}, index=index)
            for part in fragments
        ),
        event("tool-call-end", index=index),
    ]


def citation(text: str, start: int = 0) -> JsonObject:
    """A citation of one document."""
    source = {"type": "document", "id": "doc:0", "document": {"id": "doc:0", "title": "Tides", "text": f"On {text}."}}
    return {"start": start, "end": start + len(text), "text": text, "sources": [source], "type": "TEXT_CONTENT"}


def cited(index: int, text: str) -> list[bytes]:
    """The events of one citation."""
    return [event("citation-start", {"citations": citation(text)}, index=index), event("citation-end", index=index)]


def ending(word: str | None = "COMPLETE", counted: Usage | None = None, **delta: JsonValue) -> bytes:
    """The event that ends a stream."""
    said: JsonObject = {"finish_reason": word} if word is not None else {}
    if counted is not None:
        said["usage"] = usage(counted)
    return event("message-end", id="chat-1", delta={**said, **delta})


class Cohere:
    """The API as the tests over all APIs know it."""

    name: Final = "cohere"
    content_type: Final = "text/event-stream"

    def path(self, *, stream: bool) -> str:
        """Where a chat is sent, streamed or not."""
        return CHAT

    def answer(self, said: Said) -> JsonObject:
        """A whole unary answer. Beside calls, text is a plan: the API has no other place for it."""
        content = [{"type": "thinking", "thinking": said.reasoning}] if said.reasoning else []
        content += [{"type": "text", "text": said.text}] if said.text and not said.calls else []
        message: JsonObject = {"role": "assistant", **({"content": content} if content else {})}
        if said.calls:
            message["tool_calls"] = [_call(one) for one in said.calls]
            message |= {"tool_plan": said.text} if said.text else {}
        body = {"id": "chat-1", "message": message, "finish_reason": WORDS[said.finish]}
        return body if said.usage is None else {**body, "usage": usage(said.usage)}

    def stream(self, said: Said) -> Wire:
        """The same as a stream."""
        blocks = block(0, "thinking", *_halves(said.reasoning)) if said.reasoning else []
        if said.text and said.calls:
            blocks += plan(*_halves(said.text))
        elif said.text:
            blocks += block(1 if said.reasoning else 0, "text", *_halves(said.text))
        for index, one in enumerate(said.calls):
            blocks += call(index, one.id, one.name, *_halves(json.dumps(dict(one.arguments))))
        return Wire([opening()], blocks, [ending(WORDS[said.finish], said.usage)])

    def error(self, status: int, message: str) -> JsonObject:
        """The body of an error."""
        return {"id": f"error-{status}", "message": message}

    def midstream_error(self, message: str) -> bytes:
        """A generation that failed: a stream has no other event for it."""
        return ending("ERROR", error=message)

    def conversation(self, body: JsonMapping) -> JsonObject:
        """A request as OpenAI's chat."""
        result = {_NAMES.get(key, key): value for key, value in body.items() if key not in _READ}
        result["messages"] = [_message(message) for message in body["messages"]]
        if "tools" in body:
            strict = {"strict": True} if body.get("strict_tools") else {}
            result["tools"] = [
                {"type": tool["type"], "function": {**tool["function"], **strict}} for tool in body["tools"]
            ]
        if "tool_choice" in body:
            result["tool_choice"] = body["tool_choice"].lower()
        if "response_format" in body:
            result["response_format"] = _form(body["response_format"])
        if "thinking" in body:
            result["reasoning_effort"] = _effort(body["thinking"])
        return result


COHERE: Final[Api] = Cohere()

_NAMES = {"max_tokens": "max_completion_tokens", "p": "top_p", "k": "top_k", "stop_sequences": "stop"}
_READ = frozenset({"messages", "tools", "strict_tools", "tool_choice", "response_format", "thinking"})
_EFFORTS = {1024: "minimal", 2048: "low", 8192: "medium", None: "high"}


def _call(one: Call) -> JsonObject:
    function = {"name": one.name, "arguments": json.dumps(dict(one.arguments))}
    return {"id": one.id, "type": "function", "function": function}


def _halves(text: str) -> Sequence[str]:
    middle = len(text) // 2
    return [part for part in (text[:middle], text[middle:]) if part]


def _message(message: JsonMapping) -> JsonObject:
    if message["role"] != "assistant":
        return dict(message)
    content = message.get("content")
    thoughts = [part for part in content if part["type"] == "thinking"] if isinstance(content, list) else []
    said: JsonValue = [part for part in content if part["type"] == "text"] if isinstance(content, list) else content
    result: JsonObject = {"role": "assistant", "content": message.get("tool_plan") or said or None}
    if thoughts:
        result["reasoning_content"] = "".join(part["thinking"] for part in thoughts)
    return {**result, "tool_calls": message["tool_calls"]} if "tool_calls" in message else result


def _form(form: JsonMapping) -> JsonObject:
    if "json_schema" not in form:
        return dict(form)
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": form["json_schema"]}}


def _effort(thinking: JsonMapping) -> str:
    return "none" if thinking["type"] == "disabled" else _EFFORTS[thinking.get("token_budget")]
