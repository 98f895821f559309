"""Between a unary answer and the events of a stream, both ways."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.dialects.lanes import changed_ends, decomposed, recomposed
from sentinel_core.dialects.openai_chat import assembly as chat
from sentinel_core.dialects.openai_completions.decoder import CompletionStreamDecoder
from sentinel_core.dialects.slots import Path
from sentinel_core.events import Event, Finish, TextDelta, TextEvent
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_encode = msgspec.json.Encoder().encode


class _Choice(chat.Choice):
    """One choice while it is put together. Other channels than the content have no place in this format."""

    def body(self, index: int) -> JsonObject:
        """The choice as it stands in a unary answer."""
        text = "".join(self.texts.get("content", ()))
        return {"text": text, "index": index, "logprobs": None, "finish_reason": self.reason}


_FORM = chat.Form("text_completion", "cmpl-assembled", _Choice)


def decompose(answer: Answer) -> tuple[Event, ...]:
    """The text of each choice; then one Opaque with every other string; then the ends and the usage."""
    return decomposed(answer, _lanes(answer), chat.ends_of(answer.body))


def ends(answer: Answer) -> list[Finish]:
    """How each choice ended."""
    return chat.ends_of(answer.body)


def recompose(answer: Answer, events: Sequence[Event]) -> Answer:
    """Patch into `answer` what came out of a stream stage. What did not come out, text or end, is taken out."""
    changed = recomposed(answer, _lanes(answer), events)
    return chat.with_ends(changed, changed_ends(chat.ends_of(answer.body), events))


def assemble(dialect: Dialect, events: Sequence[Event]) -> Answer:
    """One answer with the text of every choice, the last usage, and the stream's own fields."""
    return chat.assemble(dialect, events, _FORM)


def stream_frames(answer: Answer) -> tuple[Event, ...]:
    """Chunks that say what the answer says: per choice one with its text, one with its end; then the usage."""
    body = answer.body
    top = {key: value for key, value in body.items() if key not in ("choices", "usage")}
    decoder = CompletionStreamDecoder()
    chunks: list[JsonObject] = []
    for index, choice in _choices(answer):
        reason = choice.get("finish_reason") or "stop"
        chunks.append({**top, "choices": [{**choice, "index": index, "finish_reason": None}]})
        chunks.append({**top, "choices": [{"text": "", "index": index, "logprobs": None, "finish_reason": reason}]})
    if body.get("usage") is not None:
        chunks.append({**top, "choices": [], "usage": body["usage"]})
    return tuple(event for chunk in chunks for event in decoder.events(_encode(chunk), chunk))


def _choices(answer: Answer) -> list[tuple[int, JsonMapping]]:
    return chat.numbered(answer.body)


def _lanes(answer: Answer) -> list[tuple[Path, TextEvent]]:
    """Every choice's text: where it stands, and as an event."""
    return [
        (("choices", position, "text"), TextDelta(choice=index, text=choice["text"]))
        for position, (index, choice) in enumerate(_choices(answer))
        if isinstance(choice.get("text"), str)
    ]
