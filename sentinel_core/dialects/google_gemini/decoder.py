"""Streams of `streamGenerateContent?alt=sse` as events of OpenAI's chat.

Each event of the stream is a `Reply` with the next pieces; there is no end marker. Source:
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sentinel_core.dialects.google_gemini import wire
from sentinel_core.dialects.google_gemini.answer import head_of, kept_beside
from sentinel_core.dialects.google_gemini.calls import seed_of, tool_call
from sentinel_core.dialects.google_gemini.logprobs import logprobs_of
from sentinel_core.dialects.google_gemini.parts import image_of
from sentinel_core.dialects.google_gemini.refusals import blocked, no_answer
from sentinel_core.dialects.google_gemini.wire import Candidate, FunctionCall, Part, Reply
from sentinel_core.dialects.google_gemini.words import finish_reason, finished, has_failed, usage_of
from sentinel_core.dialects.openai_chat.canonical import chunk_body, chunk_event, opening_event
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Frame, Opaque, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.usage import Usage


class _Choice:
    """What is to be known of one candidate between chunks."""

    __slots__ = ("calls", "finished", "images", "index", "signature")

    def __init__(self, index: int) -> None:
        self.index = index
        self.calls = 0
        self.images = 0
        self.signature: str | None = None
        self.finished = False


class GeminiStreamDecoder:
    """Decodes one stream: numbers its calls across chunks, keeps the last token counts, and knows whether every
    candidate has said why it ended.

    What only Google knows comes as chunks of OpenAI's form: a call with its signature, and at the end of a choice the
    signature of its text. Chunks with images or log probabilities are decoded as those of an OpenAI upstream are, so
    that guards see their strings.
    """

    done: Final = False
    """The stream is over when its bytes are."""

    __slots__ = ("_choices", "_head", "_model", "_seed", "_spoke", "_usage")

    def __init__(self, model: str) -> None:
        self._model = model
        self._choices: dict[int, _Choice] = {}
        self._head: JsonObject = {}
        self._seed = ""
        self._spoke = False
        self._usage: Usage | None = None

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one chunk. Raises `UpstreamError`: what it reports, a blocked prompt, or that it is none."""
        if not data:
            return ()
        reply = wire.decode(data)
        events: list[Event] = []
        for position, candidate in enumerate(reply.candidates or ()):
            self._candidate(candidate, position, reply, events)
        if not reply.candidates and (error := blocked(reply)) is not None:
            raise error
        usage = usage_of(reply.usage_metadata)
        if usage is not None and usage != self._usage:
            self._usage = usage
            events.append(UsageReport(usage=usage))
        return events

    def bears_content(self, event: Event) -> bool:
        """False for what opens a choice, for signatures, and for running token counts."""
        return bool(event.slots) if isinstance(event, Opaque) else not isinstance(event, UsageReport)

    def end(self) -> None:
        """The bytes are over. Only a finish reason of every candidate makes an answer complete (U09)."""
        if not self._choices or not all(choice.finished for choice in self._choices.values()):
            raise UpstreamError("upstream_stream_interrupted")

    def _candidate(self, candidate: Candidate, position: int, reply: Reply, events: list[Event]) -> None:
        index = position if candidate.index is None else candidate.index
        choice = self._choices.get(index)
        if choice is None:
            choice = self._open(index, reply, events)
        before = len(events)
        for part in candidate.parts:
            self._part(part, choice, events)
        self._spoke = self._spoke or len(events) > before
        if candidate.logprobs_result is not None:
            events += self._chunk({}, index, logprobs=logprobs_of(candidate.logprobs_result))
        reason = finished(candidate.finish_reason)
        if reason is not None and not choice.finished:
            self._finish(choice, reason, events)

    def _open(self, index: int, reply: Reply, events: list[Event]) -> _Choice:
        if not self._head:
            self._head = head_of(reply, self._model, "chat.completion.chunk")
            self._seed = seed_of(reply.response_id)
        events.append(opening_event(self._head, index))
        choice = self._choices[index] = _Choice(index)
        return choice

    def _part(self, part: Part, choice: _Choice, events: list[Event]) -> None:
        if part.text:
            kind = ReasoningDelta if part.thought else TextDelta
            events.append(kind(choice=choice.index, text=part.text))
        if part.function_call is not None:
            events.append(self._call(part.function_call, part.thought_signature, choice))
            return
        if part.image is not None:
            images = [image_of(part.image, choice.images)]
            choice.images += 1
            events += self._chunk({"images": images}, choice.index)
        choice.signature = part.thought_signature or choice.signature

    def _call(self, called: FunctionCall, signature: str | None, choice: _Choice) -> ToolCallDelta:
        """A whole call. One that is signed has a chunk: clients take the signature with its first fragment."""
        call = tool_call(called, signature, self._seed, choice.index, choice.calls)
        event = ToolCallDelta(
            choice=choice.index,
            text=call["function"]["arguments"],
            index=choice.calls,
            id=call["id"],
            name=called.name,
            frame=self._call_frame(call, choice) if signature else None,
        )
        choice.calls += 1
        return event

    def _call_frame(self, call: JsonObject, choice: _Choice) -> Frame:
        body = chunk_body(self._head, {"tool_calls": [{"index": choice.calls, **call}]}, choice.index)
        return Frame(b"", body, (Place("tool_calls"),))

    def _finish(self, choice: _Choice, reason: str, events: list[Event]) -> None:
        if has_failed(reason) and not self._spoke:
            raise no_answer(reason)
        choice.finished = True
        kept = kept_beside(choice.signature, reason)
        if kept:
            events.append(chunk_event(self._head, kept, choice=choice.index))
        events.append(Finish(choice=choice.index, reason=finish_reason(reason, calls=choice.calls > 0)))

    def _chunk(self, delta: JsonObject, choice: int, **more: JsonValue) -> Sequence[Event]:
        return ChatStreamDecoder().events(b"", chunk_body(self._head, delta, choice, **more))
