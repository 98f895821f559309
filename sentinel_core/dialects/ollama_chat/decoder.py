"""The upstream's stream of lines as canonical events."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sentinel_core.decoding import EVENT_LIMITS
from sentinel_core.dialects.ollama_chat.answer import head_of
from sentinel_core.dialects.ollama_chat.errors import reported_error
from sentinel_core.dialects.ollama_chat.message import calls_of, message_of, text_of
from sentinel_core.dialects.ollama_chat.words import finish_reason, logprobs_of, usage_of
from sentinel_core.dialects.openai_chat.answer import decode_object
from sentinel_core.dialects.openai_chat.canonical import opening_event
from sentinel_core.dialects.openai_chat.decoder import ChatStreamDecoder
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonMapping, JsonObject


class OllamaStreamDecoder:
    """Decodes one stream: numbers its calls of tools over all lines, and knows whether it is complete.

    The first line brings OpenAI's opening chunk before its own events. Texts, calls, the end and the counts have no
    frame; a line with probabilities is made a chunk, for nothing else could carry them.
    """

    __slots__ = ("_answer_id", "_calls", "_done", "_head", "_model")

    def __init__(self, model: str, answer_id: str) -> None:
        self._model = model
        self._answer_id = answer_id
        self._head: JsonObject = {}
        self._calls = 0
        self._done = False

    @property
    def done(self) -> bool:
        """A line has said so."""
        return self._done

    def bears_content(self, event: Event) -> bool:
        """False for what opens a stream."""
        return bool(event.slots) if isinstance(event, Opaque) else not isinstance(event, UsageReport)

    def decode(self, data: bytes, name: str = "") -> Sequence[Event]:
        """The events of one line. Raises `UpstreamError`: the error that it is, or for what is no line of this API."""
        if self._done or not data:
            return ()
        body = decode_object(data, EVENT_LIMITS, reported_error)
        return [*self._opening(body), *self._said(body, message_of(body)), *self._end(body)]

    def end(self) -> None:
        """The upstream has ended. Only a line that says `done` makes an answer complete (U09)."""
        if not self._done:
            raise UpstreamError("upstream_stream_interrupted")

    def _opening(self, body: JsonMapping) -> Iterator[Event]:
        if not self._head:
            self._head = head_of(body, self._model, self._answer_id, "chat.completion.chunk")
            yield opening_event(self._head)

    def _said(self, body: JsonMapping, message: JsonMapping) -> Iterator[Event]:
        thought, text = text_of(message, "thinking"), text_of(message, "content")
        logprobs = logprobs_of(body.get("logprobs")) if "logprobs" in body else None
        if logprobs is not None:
            yield from self._chunk(thought, text, logprobs)
        else:
            if thought:
                yield ReasoningDelta(text=thought)
            if text:
                yield TextDelta(text=text)
        if message.get("tool_calls"):
            for call in calls_of(message, self._answer_id, self._calls):
                yield ToolCallDelta(text=call.arguments, index=self._calls, id=call.id, name=call.name)
                self._calls += 1

    def _chunk(self, thought: str, text: str, logprobs: JsonMapping) -> Sequence[Event]:
        """A line with probabilities as a chunk, so that guards see its tokens and a changed text loses them."""
        delta = {**({"reasoning_content": thought} if thought else {}), **({"content": text} if text else {})}
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": None}
        return ChatStreamDecoder().events(b"", {**self._head, "choices": [choice]})

    def _end(self, body: JsonMapping) -> Iterator[Event]:
        if body.get("done") is not True:
            return
        self._done = True
        yield Finish(reason=finish_reason(body.get("done_reason"), calls=self._calls > 0))
        usage = usage_of(body)
        if usage is not None:
            yield UsageReport(usage=usage)
