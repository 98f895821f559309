"""The upstream's stream of `text_completion` objects as events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sentinel_core.dialects.openai_chat.answer import decode_usage
from sentinel_core.dialects.openai_chat.decoder import MAX_MISSES, PLAIN_CHUNK, ChatStreamDecoder, plain_top
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.dialects.openai_completions.fields import rest_slots
from sentinel_core.dialects.slots import TextSlot
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Event, Finish, Frame, Opaque, TextDelta, UsageReport

_PLAIN_CHOICE = frozenset({"text", "index", "logprobs", "finish_reason"})


class CompletionStreamDecoder(ChatStreamDecoder):
    """Decodes one stream, and knows which of its choices are complete. End marker, errors and pings are chat's."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self._misses = MAX_MISSES  # chat's plain chunks are none of this format

    def events(self, data: bytes, body: dict[str, Any]) -> Sequence[Event]:
        """The events of one decoded chunk; `data` is its payload. Raises as `decode`."""
        choices = body.get("choices")
        if choices is None:
            choices = body["choices"] = []  # clients read `choices` of every chunk
            data = b""
        if not isinstance(choices, list):
            raise UpstreamError("upstream_invalid_response")
        frame = Frame(data, body)
        events: list[Event] = []
        places: list[Place] = []
        slots: list[TextSlot] = []
        for position, choice in enumerate(choices):
            if not isinstance(choice, dict):
                raise UpstreamError("upstream_invalid_response")
            self._text(choice, position, frame, events, places)
            if not _PLAIN_CHOICE.issuperset(choice) or choice.get("logprobs"):
                slots += rest_slots(choice, ("choices", position), "text")
        if not (PLAIN_CHUNK.issuperset(body) and plain_top(body)):
            slots += rest_slots(body, (), "choices")
        usage = decode_usage(body["usage"]) if body.get("usage") else None
        if slots or not (events or usage):
            events.append(Opaque(frame=frame, part=len(places), slots=tuple(slots)))
            places.append(Place("$opaque", paths=tuple(slot.path for slot in slots)))
        if usage is not None:
            events.append(UsageReport(frame=frame, part=len(places), usage=usage))
            places.append(Place("usage"))
        frame.places = places
        frame.size = len(places)
        return events

    def _text(
        self, choice: dict[str, Any], position: int, frame: Frame, events: list[Event], places: list[Place]
    ) -> None:
        index, text, reason = choice.get("index", position), choice.get("text"), choice.get("finish_reason")
        if not (isinstance(index, int) and isinstance(text, str | None) and isinstance(reason, str | None)):
            raise UpstreamError("upstream_invalid_response")
        self._seen.add(index)
        if text:
            events.append(TextDelta(choice=index, frame=frame, part=len(places), text=text))
            places.append(Place("text", position))
        if reason:
            self._finished.add(index)
            events.append(Finish(choice=index, frame=frame, part=len(places), reason=reason))
            places.append(Place("finish_reason", position))
