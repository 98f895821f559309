"""OpenAI's chat, as its upstream speaks it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.upstream.api import Call, Said, Wire
from tests.upstream.payloads import DONE, chunk, completion, delta, encoded, halves, sse

CONVERSATION = (
    "messages",
    "tools",
    "tool_choice",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "stop",
)
"""The members of a request that say what is asked, and how."""


class OpenAI:
    """OpenAI's own; hosts that speak with an accent derive from it."""

    name = "openai"
    content_type = "text/event-stream"

    def path(self, *, stream: bool) -> str:
        """The same for both."""
        return "/v1/chat/completions"

    def answer(self, said: Said) -> JsonObject:
        """A completion with one choice."""
        message: JsonObject = {"role": "assistant", **self.reasoned(said.text or None, said.reasoning)}
        if said.calls:
            message["tool_calls"] = [called(call) for call in said.calls]
        choice = {"index": 0, "message": message, "finish_reason": said.finish}
        body = completion(choices=[choice])
        del body["usage"]
        return {**body, **self.counted(said.usage)}

    def stream(self, said: Said) -> Wire:
        """Role, texts by halves, each call's head and then its arguments by halves, the finish, the counts."""
        content = [
            *(delta(**self.reasoned(None, half)) for half in halves(said.reasoning)),
            *(delta(**self.reasoned(half, "")) for half in halves(said.text)),
            *(part for index, call in enumerate(said.calls) for part in _call(index, call)),
        ]
        ending = [*map(sse, self.end(said)), DONE]
        return Wire([sse(delta("", role="assistant"))], [*map(sse, content)], ending)

    def error(self, status: int, message: str) -> JsonValue:
        """The object that every SDK reads."""
        kind = "invalid_request_error" if status < 500 else "server_error"
        return {"error": {"message": message, "type": kind, "param": None, "code": None}}

    def midstream_error(self, message: str) -> bytes:
        """The same object in a chunk's place."""
        return sse(self.error(500, message))

    def conversation(self, body: JsonMapping) -> JsonObject:
        """As it is."""
        return {key: body[key] for key in CONVERSATION if key in body}

    # -- what hosts say otherwise ---------------------------------------------------------------------------------

    def reasoned(self, text: str | None, reasoning: str) -> JsonObject:
        """The members of a message or a delta that hold text and reasoning."""
        members: JsonObject = {} if text is None and reasoning else {"content": text}
        return {**members, "reasoning_content": reasoning} if reasoning else members

    def end(self, said: Said) -> Sequence[JsonObject]:
        """The chunks that end a stream: the finish, then the counts."""
        counts = [chunk([], **self.counted(said.usage))] if said.usage is not None else []
        return [delta(finish=said.finish), *counts]

    def counted(self, usage: Usage | None) -> JsonObject:
        """The member that holds the counts, if there are any."""
        if usage is None:
            return {}
        return {
            "usage": {
                "prompt_tokens": usage.prompt_tokens,
                "completion_tokens": usage.completion_tokens,
                "total_tokens": usage.total_tokens,
                "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
            }
        }


def called(call: Call) -> JsonObject:
    """A call as it stands in a message."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": json.dumps(call.arguments)}}


def _call(index: int, call: Call) -> Sequence[JsonObject]:
    """A call as deltas: its head, then its arguments."""
    head = {"index": index, **called(call), "function": {"name": call.name, "arguments": ""}}
    parts = halves(encoded(call.arguments).decode())
    rest = [{"index": index, "function": {"arguments": part}} for part in parts]
    return [delta(tool_calls=[part]) for part in (head, *rest)]


OPENAI = OpenAI()
