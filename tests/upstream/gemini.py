"""Bodies and stream events as Google's Gemini API writes them, and its reading of what it is sent.

The forms are those of recorded answers: CRLF between events, zeros left out, errors in a stream without `data:`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.upstream.api import Api, Call, Said, Wire
from tests.upstream.payloads import encoded

USAGE = {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5}
_REASONS = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUSES = {
    **{400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND"},
    **{429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"},
}


def text(said: str, **fields: JsonValue) -> JsonObject:
    """A part of text; `fields` are further members, such as `thought`."""
    return {"text": said, **fields}


def function_call(name: str, args: JsonValue = None, *, signature: str = "", **fields: JsonValue) -> JsonObject:
    """A part that calls a tool."""
    called = {"name": name, **({} if args is None else {"args": args}), **fields}
    return {"functionCall": called, **({"thoughtSignature": signature} if signature else {})}


def candidate(*parts: JsonObject, finish: str | None = None, **fields: JsonValue) -> JsonObject:
    """One candidate; `fields` are further members, or others in their place."""
    content = {"content": {"parts": list(parts), "role": "model"}} if parts else {}
    return {**content, **({"finishReason": finish} if finish else {}), "index": 0, **fields}


def reply(*candidates: JsonObject, **fields: JsonValue) -> JsonObject:
    """An answer or a chunk with these candidates; `fields` replace or add top-level members, None takes one out."""
    named = {"candidates": list(candidates)} if candidates else {}
    top = {"usageMetadata": USAGE, "modelVersion": "gemini-upstream", "responseId": "QHiLaa6LBrb8vdIPoNztsAg"}
    return {key: value for key, value in {**named, **top, **fields}.items() if value is not None}


def event(body: JsonValue) -> bytes:
    """One event of a stream."""
    return b"data: " + encoded(body) + b"\r\n\r\n"


def says(*parts: JsonObject, finish: str | None = None, **fields: JsonValue) -> bytes:
    """One event with the next parts of the only candidate."""
    return event(reply(candidate(*parts, finish=finish), **fields))


def error_body(status: int, message: str, *details: JsonValue) -> JsonObject:
    """An error response; `details` are its objects."""
    error = {"code": status, "message": message, "status": _STATUSES.get(status, "UNKNOWN")}
    return {"error": {**error, **({"details": list(details)} if details else {})}}


class Gemini:
    """The API as its upstream speaks it."""

    name: Final = "gemini"
    content_type: Final = "text/event-stream"

    def path(self, *, stream: bool) -> str:
        """Where a chat with the model `m` is sent, below the server's root."""
        return f"/v1/models/m:{'streamGenerateContent?alt=sse' if stream else 'generateContent'}"

    def answer(self, said: Said) -> JsonObject:
        """A whole unary answer."""
        parts = [part for group in _parts(said, 1) for part in group]
        return reply(candidate(*parts, finish=_REASONS[said.finish]), usageMetadata=_counts(said.usage))

    def stream(self, said: Said) -> Wire:
        """The same as a stream. Texts leave in two events where they can; a call is never parted."""
        last = _counts(said.usage)
        first = {"promptTokenCount": last["promptTokenCount"]} if last else None
        return Wire(
            opening=[says(text(""), usageMetadata=first)],
            content=[says(*group, usageMetadata=first) for group in _parts(said, 2)],
            ending=[says(text(""), finish=_REASONS[said.finish], usageMetadata=last)],
        )

    def error(self, status: int, message: str) -> JsonObject:
        """The body of an error of this status."""
        return error_body(status, message)

    def midstream_error(self, message: str) -> bytes:
        """An error within a stream: the bare object, on several lines."""
        return json.dumps(error_body(503, message), indent=2).replace("\n", "\r\n").encode() + b"\r\n\r\n"

    def conversation(self, body: JsonMapping) -> JsonObject:
        """A request's body read back as OpenAI's chat."""
        system = body.get("systemInstruction", {}).get("parts", ())
        messages = [{"role": "system", "content": part["text"]} for part in system]
        messages += [message for content in body["contents"] for message in _messages(content)]
        return {"messages": messages, **_tools(body), **_parameters(body)}


GEMINI: Final[Api] = Gemini()


def _parts(said: Said, pieces: int) -> list[list[JsonObject]]:
    """The parts of an answer, in the groups in which they leave; texts in up to `pieces` of them."""
    thoughts = [[text(piece, thought=True)] for piece in _cut(said.reasoning, pieces)]
    spoken = [[text(piece)] for piece in _cut(said.text, pieces)]
    return [*thoughts, *spoken, *([function_call(*_called(call), id=call.id)] for call in said.calls)]


def _cut(whole: str, pieces: int) -> list[str]:
    middle = len(whole) // 2 if pieces > 1 else 0
    return [piece for piece in (whole[:middle], whole[middle:]) if piece]


def _called(call: Call) -> tuple[str, JsonMapping]:
    return call.name, call.arguments


def _counts(usage: Usage | None) -> dict[str, int] | None:
    """Token counts as Google counts: thoughts beside the answer, zeros left out."""
    if usage is None:
        return None
    counts = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.completion_tokens - usage.reasoning_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "totalTokenCount": usage.total_tokens,
    }
    return {name: count for name, count in counts.items() if count or name == "promptTokenCount"}


def _messages(content: JsonMapping) -> list[JsonObject]:
    """One turn as messages: results of tools first, then what is said and called."""
    parts: Sequence[JsonMapping] = content["parts"]
    found = [_result(part["functionResponse"]) for part in parts if "functionResponse" in part]
    spoken = [_content(part) for part in parts if "functionResponse" not in part and "functionCall" not in part]
    calls = [_call(part) for part in parts if "functionCall" in part]
    if spoken or calls:
        plain = spoken[0]["text"] if len(spoken) == 1 and spoken[0]["type"] == "text" else spoken or None
        message = {"role": "assistant" if content["role"] == "model" else "user", "content": plain}
        found.append({**message, "tool_calls": calls} if calls else message)
    return found


def _content(part: JsonMapping) -> JsonObject:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    blob = part.get("inlineData")
    url = f"data:{blob['mimeType']};base64,{blob['data']}" if blob else part["fileData"]["fileUri"]
    return {"type": "image_url", "image_url": {"url": url}}


def _call(part: JsonMapping) -> JsonObject:
    called = part["functionCall"]
    function = {"name": called["name"], "arguments": json.dumps(called["args"], separators=(",", ":"))}
    signature = part.get("thoughtSignature")
    kept = {"extra_content": {"google": {"thought_signature": signature}}} if signature else {}
    return {"id": called["id"], "type": "function", "function": function, **kept}


def _result(response: JsonMapping) -> JsonObject:
    value = response["response"]
    output = value["output"] if value.keys() == {"output"} else json.dumps(value, separators=(",", ":"))
    return {"role": "tool", "tool_call_id": response["id"], "content": output}


def _tools(body: JsonMapping) -> JsonObject:
    if "tools" not in body:
        return {}
    declared = body["tools"][0]["functionDeclarations"]
    names = {"name": "name", "description": "description", "parametersJsonSchema": "parameters"}
    tools = [{"type": "function", "function": {names[key]: value for key, value in one.items()}} for one in declared]
    config = body.get("toolConfig", {}).get("functionCallingConfig", {"mode": "AUTO"})
    if "allowedFunctionNames" in config:
        (name,) = config["allowedFunctionNames"]
        return {"tools": tools, "tool_choice": {"type": "function", "function": {"name": name}}}
    choice = {"AUTO": {}, "VALIDATED": {}, "ANY": {"tool_choice": "required"}, "NONE": {"tool_choice": "none"}}
    return {"tools": tools, **choice[config["mode"]]}


def _parameters(body: JsonMapping) -> JsonObject:
    """What `generationConfig` says, under OpenAI's names."""
    names = {
        **{"temperature": "temperature", "topP": "top_p", "topK": "top_k", "seed": "seed", "candidateCount": "n"},
        **{"maxOutputTokens": "max_completion_tokens", "stopSequences": "stop", "responseLogprobs": "logprobs"},
        **{"frequencyPenalty": "frequency_penalty", "presencePenalty": "presence_penalty", "logprobs": "top_logprobs"},
    }
    config = body.get("generationConfig", {})
    found = {names[key]: value for key, value in config.items() if key in names}
    if "responseJsonSchema" in config:
        form = {"name": "output", "schema": config["responseJsonSchema"]}
        found["response_format"] = {"type": "json_schema", "json_schema": form}
    elif config.get("responseMimeType") == "application/json":
        found["response_format"] = {"type": "json_object"}
    return found
