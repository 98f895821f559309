"""Bodies and stream events as Anthropic's Messages API writes them."""

from __future__ import annotations

from collections.abc import Sequence

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.upstream.anthropic_turns import conversation
from tests.upstream.api import Said, Wire
from tests.upstream.payloads import encoded, halves

MESSAGE_USAGE = {"input_tokens": 3, "output_tokens": 2}


def message(*blocks: JsonObject | str, **fields: JsonValue) -> JsonObject:
    """A complete unary answer; strings are blocks of text. `fields` replace or add top-level members."""
    content = [{"type": "text", "text": block} if isinstance(block, str) else block for block in blocks or ("hello",)]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-upstream",
        "content": content,
        "stop_reason": "tool_use" if any(block["type"] == "tool_use" for block in content) else "end_turn",
        "stop_sequence": None,
        "usage": MESSAGE_USAGE,
        **fields,
    }


def named(body: JsonObject) -> bytes:
    """One event of a stream, under its type as a name."""
    return b"event: " + str(body["type"]).encode() + b"\ndata: " + encoded(body) + b"\n\n"


def block(index: int, start: JsonObject, *deltas: JsonObject) -> list[bytes]:
    """One content block of a stream: its start, its deltas, its end."""
    return [
        named({"type": "content_block_start", "index": index, "content_block": start}),
        *(named({"type": "content_block_delta", "index": index, "delta": delta}) for delta in deltas),
        named({"type": "content_block_stop", "index": index}),
    ]


def text_block(index: int, *texts: str) -> list[bytes]:
    """A block of text."""
    return block(index, {"type": "text", "text": ""}, *({"type": "text_delta", "text": text} for text in texts))


def thinking_block(index: int, *texts: str, signature: str = "sig") -> list[bytes]:
    """A block of thinking, with its signature at the end."""
    deltas = [{"type": "thinking_delta", "thinking": text} for text in texts]
    start = {"type": "thinking", "thinking": "", "signature": ""}
    return block(index, start, *deltas, {"type": "signature_delta", "signature": signature})


def tool_block(index: int, identifier: str, name: str, *fragments: str) -> list[bytes]:
    """A block that calls a tool; the fragments are its input's JSON."""
    start = {"type": "tool_use", "id": identifier, "name": name, "input": {}}
    return block(index, start, *({"type": "input_json_delta", "partial_json": part} for part in fragments))


def opening(**usage: JsonValue) -> bytes:
    """The event that opens a stream."""
    return _opening({"input_tokens": 3, "output_tokens": 1, **usage})


def _opening(usage: JsonMapping) -> bytes:
    body = message(content=[], stop_reason=None, usage=usage)
    return named({"type": "message_start", "message": body})


def ending(reason: str | None = "end_turn", **usage: JsonValue) -> list[bytes]:
    """The two events that end a stream."""
    delta = {"stop_reason": reason, "stop_sequence": None}
    return [
        named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 2, **usage}}),
        named({"type": "message_stop"}),
    ]


def message_stream(*texts: str, blocks: Sequence[Sequence[bytes]] = (), reason: str = "end_turn") -> list[bytes]:
    """A whole stream, one SSE event an item: one block of text, or these blocks."""
    body = [event for part in blocks or (text_block(0, *(texts or ("hello",))),) for event in part]
    return [opening(), named({"type": "ping"}), *body, *ending(reason)]


STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Anthropic:
    """Anthropic's Messages, as its upstream speaks it."""

    name = "anthropic"
    content_type = "text/event-stream"

    def path(self, *, stream: bool) -> str:
        """The same for both."""
        return "/v1/messages"

    def answer(self, said: Said) -> JsonObject:
        """A message: thinking, text, calls."""
        blocks: list[JsonObject] = []
        if said.reasoning:
            blocks.append({"type": "thinking", "thinking": said.reasoning, "signature": "sig"})
        if said.text:
            blocks.append({"type": "text", "text": said.text})
        blocks += [
            {"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments} for call in said.calls
        ]
        body = message(content=blocks, stop_reason=STOP_REASONS[said.finish], usage=_usage(said.usage))
        return body if said.usage is not None else _without_usage(body)

    def stream(self, said: Said) -> Wire:
        """A block for thinking, one for text, one for each call; texts by halves. The counts so far come twice."""
        blocks = [thinking_block(0, *halves(said.reasoning))] if said.reasoning else []
        if said.text:
            blocks.append(text_block(len(blocks), *halves(said.text)))
        for call in said.calls:
            fragments = halves(encoded(call.arguments).decode()) if call.arguments else ()
            blocks.append(tool_block(len(blocks), call.id, call.name, *fragments))
        counts = _usage(said.usage)
        end: JsonObject = {"stop_reason": STOP_REASONS[said.finish], "stop_sequence": None}
        closing = {"type": "message_delta", "delta": end, **({"usage": counts} if counts else {})}
        start = [_opening({**counts, "output_tokens": 1} if counts else {}), named({"type": "ping"})]
        content = [event for made in blocks for event in made]
        return Wire(start, content, [named(closing), named({"type": "message_stop"})])

    def error(self, status: int, message: str) -> JsonValue:
        """The object that Anthropic's SDKs read."""
        return {"type": "error", "error": {"type": ERROR_TYPES.get(status, "api_error"), "message": message}}

    def midstream_error(self, message: str) -> bytes:
        """An event of its own name."""
        return named(self.error(500, message))

    def conversation(self, body: JsonMapping) -> JsonObject:
        """The turns as messages."""
        return conversation(body)


def _usage(usage: Usage | None) -> JsonObject:
    """Of the prompt, Anthropic counts apart what came from its cache."""
    if usage is None:
        return {}
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }


def _without_usage(body: JsonObject) -> JsonObject:
    return {key: value for key, value in body.items() if key != "usage"}


ANTHROPIC = Anthropic()
