"""Cohere's stream of chat events as ours.

Source: `V2ChatStreamResponse` of cohere-ai/cohere-python 7.3.1. An event's `index` numbers content blocks or calls of
tools, never choices: there is one. `tool_calls` and `citations` of an event hold one object, not a list.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from sentinel_core.decoding import EVENT_LIMITS
from sentinel_core.dialects.cohere_chat.calls import OpenCalls
from sentinel_core.dialects.cohere_chat.errors import failure
from sentinel_core.dialects.cohere_chat.extensions import cited, thought
from sentinel_core.dialects.cohere_chat.logprobs import choice_logprobs
from sentinel_core.dialects.cohere_chat.plain_delta import plain_delta
from sentinel_core.dialects.cohere_chat.words import FAILURES, finish_reason, identifier, usage_of
from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_chat.canonical import opening_event
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.dialects.openai_chat.errors import reported_error
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, UsageReport
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue


class CohereStreamDecoder:
    """Decodes one stream: opens it, numbers its calls and citations, and knows whether it is complete."""

    __slots__ = ("_calls", "_citations", "_done", "_finished", "_head", "_model", "_thought")

    def __init__(self, model: str) -> None:
        self._model = model
        self._head: JsonObject = {}  # what every chunk begins with
        self._done = False
        self._finished = False
        self._thought = False
        self._citations = 0
        self._calls = OpenCalls()

    @property
    def done(self) -> bool:
        """`message-end` or `[DONE]` has been seen."""
        return self._done

    def bears_content(self, event: Event) -> bool:
        """False for what opens a stream or marks a thought."""
        return bool(event.slots) if isinstance(event, Opaque) else not isinstance(event, UsageReport)

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one payload; a ping, and an event that is new to us, has none."""
        if self._done or not data:
            return ()
        if self._head:
            event = plain_delta(data)
            if event is not None and (self._thought or isinstance(event, TextDelta)):
                return (event,)
        if data.startswith(b"[DONE]"):
            self._done = True
            return ()
        body = decode_object(data, EVENT_LIMITS)
        kind = body.get("type", name)
        if kind == "error" or (not kind and "message" in body):
            raise reported_error(body)
        read = _READERS.get(kind) if isinstance(kind, str) else None
        return [*self._opening(body), *read(self, body)] if read is not None else ()

    def end(self) -> None:
        """The upstream has ended. Only a finish reason makes an answer complete (U09)."""
        if not self._finished:
            raise UpstreamError("upstream_stream_interrupted")

    def _opening(self, body: JsonMapping) -> list[Event]:
        """The chunk that opens the stream, once."""
        if self._head:
            return []
        self._head = {
            "id": identifier(body),
            "object": "chat.completion.chunk",
            "created": int(time.time()),
            "model": self._model,
        }
        return [opening_event(self._head)]

    def _start(self, body: JsonMapping) -> Sequence[Event]:
        return ()

    def _content(self, body: JsonMapping) -> Sequence[Event]:
        """A fragment of a thought or of the answer, with the log probability of its tokens if there is one."""
        content = _message(body).get("content")
        events: list[Event] = []
        if thinking := _text(content, "thinking"):
            if not self._thought:
                self._thought = True
                events.append(thought(self._head))
            events.append(ReasoningDelta(text=thinking))
        if text := _text(content, "text"):
            events += self._scored(text, body["logprobs"]) if body.get("logprobs") else [TextDelta(text=text)]
        return events

    def _scored(self, text: str, logprobs: JsonValue) -> Sequence[Event]:
        """In a chunk of its own, so that who changes the text drops what spells it out again."""
        choice = {
            "index": 0,
            "delta": {"content": text},
            "logprobs": choice_logprobs([logprobs]),
            "finish_reason": None,
        }
        return ChatStreamDecoder().events(b"", {**self._head, "choices": [choice]})

    def _plan(self, body: JsonMapping) -> Sequence[Event]:
        """What the model says before it calls tools."""
        text = _text(_message(body), "tool_plan")
        return (TextDelta(text=text),) if text else ()

    def _call_start(self, body: JsonMapping) -> Sequence[Event]:
        return self._calls.start(body.get("index"), _message(body).get("tool_calls"))

    def _call_delta(self, body: JsonMapping) -> Sequence[Event]:
        return self._calls.go_on(body.get("index"), _message(body).get("tool_calls"))

    def _call_end(self, body: JsonMapping) -> Sequence[Event]:
        return self._calls.end(body.get("index"))

    def _citation(self, body: JsonMapping) -> Sequence[Event]:
        """Numbered for clients that put deltas together."""
        citation = _message(body).get("citations")
        if not isinstance(citation, dict):
            return ()
        self._citations += 1
        return (cited(self._head, {"index": self._citations - 1, **citation}),)

    def _end(self, body: JsonMapping) -> Sequence[Event]:
        """How the answer ended. An error, also one that is only a reason, is no end."""
        delta = body.get("delta")
        delta = delta if isinstance(delta, dict) else {}
        reason, error = delta.get("finish_reason"), delta.get("error")
        if error or (isinstance(reason, str) and reason in FAILURES):
            raise failure(reason, error)
        self._done = True
        events: list[Event] = [*self._calls.end_all()]
        if isinstance(reason, str):
            self._finished = True
            events.append(Finish(reason=finish_reason(reason)))
        usage = usage_of(delta.get("usage"))
        return [*events, UsageReport(usage=usage)] if usage is not None else events


_READERS: Mapping[str, Callable[[CohereStreamDecoder, JsonMapping], Sequence[Event]]] = {
    "message-start": CohereStreamDecoder._start,
    "content-start": CohereStreamDecoder._content,
    "content-delta": CohereStreamDecoder._content,
    "tool-plan-delta": CohereStreamDecoder._plan,
    "tool-call-start": CohereStreamDecoder._call_start,
    "tool-call-delta": CohereStreamDecoder._call_delta,
    "tool-call-end": CohereStreamDecoder._call_end,
    "citation-start": CohereStreamDecoder._citation,
    "message-end": CohereStreamDecoder._end,
}
"""What reads each type of event. Left alone are those that only end what began, and `debug`: it repeats the prompt."""


def _message(body: JsonMapping) -> JsonMapping:
    """`delta.message` of an event; empty where there is none."""
    delta = body.get("delta")
    message = delta.get("message") if isinstance(delta, dict) else None
    return message if isinstance(message, dict) else {}


def _text(holder: JsonValue, key: str) -> str:
    """The text of a fragment; empty where it has none. Raises `UpstreamError` for what can be no text."""
    if holder is None:
        return ""
    if not isinstance(holder, dict) or not isinstance(holder.get(key), str | None):
        raise UpstreamError("upstream_invalid_response")
    return holder.get(key) or ""
