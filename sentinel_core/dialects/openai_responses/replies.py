"""Completions as responses, and canonical events as the stream of a response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.arguments import arguments_text
from sentinel_core.dialects.openai_chat.canonical import EXTENSION
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.openai_chat.place import FUNCTION_CALL
from sentinel_core.dialects.openai_responses.decoder import ResponseStreamDecoder
from sentinel_core.dialects.openai_responses.frames import ending, opening
from sentinel_core.dialects.openai_responses.output import Output
from sentinel_core.dialects.openai_responses.words import CUT, usage_object
from sentinel_core.errors import UpstreamError
from sentinel_core.events import (
    Event,
    Finish,
    Frame,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer, Request
from sentinel_core.usage import Usage

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_ECHOED: JsonMapping = {
    "instructions": None,
    "max_output_tokens": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "reasoning": None,
    "temperature": None,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_p": None,
    "user": None,
}
"""What a response says again of its request; clients read some of it without asking whether it is there."""


class _Response:
    """One response while it comes into being: who answers, what was asked, what is said."""

    def __init__(self, request: Request, head: JsonMapping) -> None:
        asked = request.body
        identifier = str(head.get("id") or "gateway").removeprefix("resp_")
        self.output = Output(identifier)
        self._reason = "stop"
        self._fields = {
            "id": f"resp_{identifier}",
            "object": "response",
            "created_at": head.get("created") or 0,
            "model": head.get("model") or request.model or "",
            "error": None,
            "previous_response_id": None,
            "store": False,
            "truncation": "disabled",
            **{name: default if asked.get(name) is None else asked[name] for name, default in _ECHOED.items()},
        }

    def finish(self, reason: str | None = None) -> list[JsonObject]:
        """Nothing more is said, for this reason."""
        self._reason = reason or self._reason
        return self.output.end(cut=self._reason in CUT)

    def body(self, usage: Usage | None) -> JsonObject:
        """The response as it stands."""
        cut = CUT.get(self._reason)
        return {
            **self._fields,
            "status": "incomplete" if cut else "completed",
            "incomplete_details": {"reason": cut} if cut else None,
            "output": [item.body for item in self.output.items],
            "usage": usage_object(usage),
        }


def answer_of(dialect: Dialect, body: JsonMapping, request: Request) -> Answer:
    """A completion's first choice as a response: the format has one. Raises `UpstreamError` where there is none."""
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, Sequence) and choices else None
    message = choice.get("message") if isinstance(choice, Mapping) else None
    if not isinstance(choice, Mapping) or not isinstance(message, Mapping):
        raise UpstreamError("upstream_invalid_response")
    response = _Response(request, body)
    _said(message, response.output)
    response.finish(str(choice.get("finish_reason")))
    usage = decode_usage(body.get("usage"))
    return Answer(dialect=dialect, body=response.body(usage), operation=dialect.operation, usage=usage)


def _said(message: JsonMapping, output: Output) -> None:
    """What a whole message says, in the order in which a stream would."""
    reasoning = next((message[key] for key in REASONING_KEYS if isinstance(message.get(key), str)), None)
    extension = message.get(EXTENSION)
    if reasoning is not None:
        output.add(ReasoningDelta(text=reasoning))
    first = reasoning is not None or not message.get("content")
    if isinstance(extension, Mapping) and first:
        output.keep(extension)
    for text in _texts(message.get("content")):
        output.add(TextDelta(text=text))
    output.annotate(message.get("annotations"))
    if isinstance(extension, Mapping) and not first:
        output.keep(extension)
    if isinstance(message.get("refusal"), str):
        output.add(RefusalDelta(text=message["refusal"]))
    calls = message.get("tool_calls")
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if not isinstance(call, Mapping) or not isinstance(call.get("function"), Mapping):
            raise UpstreamError("upstream_invalid_response")
        output.add(_call(number, call.get("id"), call["function"]))
    if isinstance(message.get("function_call"), Mapping):
        output.add(_call(FUNCTION_CALL, None, message["function_call"]))
    _keep_calls(message, output)


def _call(number: int, identifier: JsonValue, function: JsonMapping) -> ToolCallDelta:
    name, arguments = function.get("name"), function.get("arguments")
    return ToolCallDelta(
        index=number,
        id=identifier if isinstance(identifier, str) else None,
        name=name if isinstance(name, str) else None,
        text=arguments_text(arguments),
    )


def _texts(content: JsonValue) -> Iterable[str]:
    if isinstance(content, str):
        return (content,)
    parts = content if isinstance(content, list) else ()
    return (part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str))


def _keep_calls(message: JsonMapping, output: Output) -> list[JsonObject]:
    """What only one vendor knows of single calls."""
    calls = message.get("tool_calls")
    frames: list[JsonObject] = []
    for number, call in enumerate(calls if isinstance(calls, list) else ()):
        if isinstance(call, Mapping) and isinstance(call.get(EXTENSION), Mapping):
            index = call.get("index", number)
            frames += output.keep(call[EXTENSION], index if isinstance(index, int) else number)
    return frames


class FromCanonical:
    """Canonical events as the events of a response's stream, each with its frame.

    Frames that repeat a text come from here too, so that the encoder can have them repeat what guards made of it.
    """

    def __init__(self, request: Request) -> None:
        self._request = request
        self._response: _Response | None = None
        self._decoder = ResponseStreamDecoder()
        self._number = 0
        self._reason: str | None = None
        self._usage: Usage | None = None

    def translate(self, event: Event) -> Sequence[Event]:
        """What this event becomes. Other choices than the first have no place in this format."""
        if isinstance(event, TextEvent) and self._response is not None and not event.choice:
            return self._events(self._response.output.add(event))
        if isinstance(event, UsageReport):
            self._usage = event.usage
            return (event,)
        if event.choice:
            return ()
        if isinstance(event, Opaque):
            return self._chunk(event)
        begun, response = self._begun({})
        if isinstance(event, Finish):
            self._reason = event.reason  # some say it with every chunk, and what is said ends but once
            return self._events(begun)
        return self._events([*begun, *response.output.add(event)])

    def end(self) -> Sequence[Event]:
        """What ends the items, and the last event, with the whole response."""
        begun, response = self._begun({})
        left = response.finish(self._reason)
        return self._events([*begun, *left, ending(response.body(self._usage))])

    def _chunk(self, event: Opaque) -> Sequence[Event]:
        """The opening, or an extension."""
        chunk: JsonMapping = event.frame.body if event.frame is not None else {}
        if not chunk.get("choices"):
            return ()
        delta = chunk["choices"][0]["delta"]
        frames, response = self._begun(chunk)
        if isinstance(delta.get(EXTENSION), Mapping):
            frames += response.output.keep(delta[EXTENSION])
        frames += response.output.annotate(delta.get("annotations"))
        return self._events([*frames, *_keep_calls(delta, response.output)])

    def _begun(self, head: JsonMapping) -> tuple[list[JsonObject], _Response]:
        if self._response is not None:
            return [], self._response
        self._response = _Response(self._request, head)
        return opening(self._response.body(None)), self._response

    def _events(self, frames: Iterable[JsonObject]) -> Sequence[Event]:
        found: list[Event] = []
        for body in frames:
            body["sequence_number"] = self._number
            self._number += 1
            kind = body["type"]
            if kind.endswith(".delta"):
                found.append(self._decoder.fragment(Frame(b"", body, name=kind), kind[:-6]))
            else:
                found += self._decoder.events(b"", body, kind)
        return found
