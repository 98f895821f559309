"""Acme's answers and streams as OpenAI's: `{"said": …, "ended": "done" | "full", "tokens": {"in": …, "out": …}}`.

A stream has one such object an event, `said` in each, `ended` and `tokens` in the last.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_chat.assembly import usage_object
from sentinel_core.dialects.openai_chat.canonical import opening_event
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, TextDelta, UsageReport
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage

_REASONS = {"done": "stop", "full": "length"}


class AcmeReader:
    """Reads the reply to one call of `model`."""

    def __init__(self, model: str) -> None:
        self._model = model

    def decode_answer(self, raw: bytes) -> Answer:
        """A whole answer. Raises `UpstreamError` for what is none."""
        body = decode_object(raw)
        reason = _reason(body)
        if reason is None:
            raise UpstreamError("upstream_invalid_response")
        message = {"role": "assistant", "content": _said(body)}
        answer = {**head(self._model), "object": "chat.completion", "usage": usage_object(_usage(body))}
        choices = [{"index": 0, "message": message, "finish_reason": reason}]
        return OPENAI_CHAT.answer_from_canonical({**answer, "choices": choices})

    def stream_decoder(self) -> AcmeStream:
        """A decoder for one stream."""
        return AcmeStream(self._model)


class AcmeStream:
    """Decodes one stream, and knows whether it is complete: an end without a reason is a broken answer."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._opened = False
        self.done = False

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one payload."""
        body = decode_object(data)
        events: list[Event] = []
        if not self._opened:
            self._opened = True
            events.append(opening_event(head(self._model)))
        if text := _said(body):
            events.append(TextDelta(text=text))
        if (reason := _reason(body)) is not None:
            self.done = True
            events += [Finish(reason=reason), UsageReport(usage=_usage(body))]
        return events

    def bears_content(self, event: Event) -> bool:
        """False for what opens a stream: until the first words, another target can still take over."""
        return not isinstance(event, Opaque | UsageReport)

    def end(self) -> None:
        """The bytes are over."""
        if not self.done:
            raise UpstreamError("upstream_stream_interrupted")


def head(model: str) -> JsonObject:
    """What an answer and every chunk begin with."""
    return {"id": "acme", "object": "chat.completion.chunk", "created": int(time.time()), "model": model}


def _said(body: JsonMapping) -> str:
    said = body.get("said", "")
    if not isinstance(said, str):
        raise UpstreamError("upstream_invalid_response")
    return said


def _reason(body: JsonMapping) -> str | None:
    ended = body.get("ended")
    return _REASONS.get(ended, "stop") if isinstance(ended, str) else None


def _usage(body: JsonMapping) -> Usage:
    tokens = body.get("tokens")
    spent, made = (tokens.get(key) if isinstance(tokens, dict) else 0 for key in ("in", "out"))
    if not isinstance(spent, int) or not isinstance(made, int):
        raise UpstreamError("upstream_invalid_response")
    return Usage(spent, made, spent + made)
