"""The upstream's stream of `text_completion` objects as events."""

from __future__ import annotations

from sentinel_core.dialects.openai_chat.decoder import MAX_MISSES, ChatStreamDecoder, outer_slots
from sentinel_core.dialects.openai_chat.fields import REASONING_KEYS
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.dialects.openai_completions.fields import rest_slots
from sentinel_core.dialects.slots import TextSlot
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Frame, TextDelta
from sentinel_core.json_types import JsonObject

_PLAIN_CHOICE = frozenset({"text", "index", "logprobs", "finish_reason"})


class CompletionStreamDecoder(ChatStreamDecoder):
    """Decodes one stream, and knows which of its choices are complete. All but its choices is chat's."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__()
        self._misses = MAX_MISSES  # chat's plain chunks are none of this format

    def _slots(self, body: JsonObject, choices: list[JsonObject]) -> tuple[TextSlot, ...]:
        return tuple(outer_slots(body, choices, _PLAIN_CHOICE, rest_slots, "text"))

    def _is_fragment(self, slot: TextSlot, choices: list[JsonObject]) -> bool:
        return len(slot.path) == 3 and slot.path[2] in REASONING_KEYS

    def _choice(
        self, choice: JsonObject, position: int, frame: Frame, events: list[Event], places: list[Place]
    ) -> None:
        index, text = choice.get("index", position), choice.get("text")
        if not (isinstance(index, int) and isinstance(text, str | None)):
            raise UpstreamError("upstream_invalid_response")
        self._seen.add(index)
        if text:
            events.append(TextDelta(choice=index, frame=frame, part=len(places), text=text))
            places.append(Place("text", position))
