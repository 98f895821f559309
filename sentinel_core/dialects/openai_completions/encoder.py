"""Events as the client's stream of `text_completion` objects."""

from __future__ import annotations

from typing import ClassVar

from sentinel_core.dialects.openai_chat.encoder import ChatStreamEncoder
from sentinel_core.dialects.openai_chat.place import Place
from sentinel_core.events import Event, Finish, TextDelta, TextEvent
from sentinel_core.json_types import JsonMapping, JsonObject


class CompletionStreamEncoder(ChatStreamEncoder):
    """Encodes one stream; chat's, but for where a choice keeps its text.

    A stage's own event of another channel than the content has no place in this format and is not written.
    """

    _object: ClassVar[str] = "text_completion"
    _prefix: ClassVar[str] = "cmpl"

    __slots__ = ()

    def _synthetic(self, event: Event) -> bytes:
        if isinstance(event, TextEvent) and not isinstance(event, TextDelta):
            return b""
        return super()._synthetic(event)

    def _copied(self, choice: JsonMapping) -> JsonObject:
        return dict(choice)

    def _put_channel(self, choice: JsonObject, place: Place, event: Event | None) -> None:
        choice["text"] = event.text if isinstance(event, TextEvent) else ""
        if (event is None or event.changed) and choice.get("logprobs"):
            choice["logprobs"] = None  # they spell out the text again

    def _choice(self, event: TextEvent | Finish) -> JsonObject:
        text = event.text if isinstance(event, TextEvent) else ""
        reason = event.reason if isinstance(event, Finish) else None
        return {"text": text, "index": event.choice, "logprobs": None, "finish_reason": reason}
