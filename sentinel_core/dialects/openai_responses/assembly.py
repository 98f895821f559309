"""Between a unary answer and the events of a stream, both ways."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.dialects.lanes import changed_ends, decomposed, recomposed
from sentinel_core.dialects.openai_responses.decoder import ResponseStreamDecoder
from sentinel_core.dialects.openai_responses.fields import MEMBERS, SAID, item_texts, part_text
from sentinel_core.dialects.openai_responses.frames import Spot, ending, item_frame, opening
from sentinel_core.dialects.openai_responses.output import KINDS, part_of
from sentinel_core.dialects.openai_responses.status import with_status
from sentinel_core.dialects.openai_responses.words import CUT, usage_object
from sentinel_core.dialects.slots import Path
from sentinel_core.events import (
    Event,
    Finish,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    ToolInputDelta,
    UsageReport,
)
from sentinel_core.json_types import JsonMapping, JsonObject
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_encode = msgspec.json.Encoder().encode
_EVENTS: Mapping[str, type[TextEvent]] = {
    event.kind: event for event in (TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta, ToolInputDelta)
}
_TOP = ("id", "created_at", "model", "service_tier")


def decompose(answer: Answer) -> tuple[Event, ...]:
    """Each text as a choice of its own; then one Opaque with every other string; then the ends and the usage."""
    lanes = _lanes(answer)
    return decomposed(answer, lanes, _ends(answer, lanes))


def ends(answer: Answer) -> list[Finish]:
    """How each text ended."""
    return _ends(answer, _lanes(answer))


def recompose(answer: Answer, events: Sequence[Event]) -> Answer:
    """Patch into `answer` what came out of a stream stage. Text that did not come out is taken out.

    There is one status for all texts, so an end that did not come out changes nothing.
    """
    lanes = _lanes(answer)
    changed = recomposed(answer, lanes, events)
    ends = {end.choice: end.reason for end in _ends(answer, lanes)}
    other = {choice: reason for choice, reason in changed_ends(_ends(answer, lanes), events).items() if reason}
    if not other:
        return changed
    return msgspec.structs.replace(changed, body=with_status(changed.body, (ends | other).values()), raw=None)


def assemble(dialect: Dialect, events: Sequence[Event]) -> Answer:
    """One answer with the text of every choice, an item each, and the last usage. What the answer says again of its
    request is not among the events that guards saw, and has the values of a request without any."""
    top: JsonObject = {}
    texts: dict[int, list[TextEvent]] = {}
    opaque: list[Opaque] = []
    usage: UsageReport | None = None
    cut = None
    for event in events:
        response = event.frame.body.get("response") if event.frame is not None else None
        if isinstance(response, dict) and not top:
            top = {key: response[key] for key in _TOP if key in response}
        if isinstance(event, TextEvent):
            texts.setdefault(event.choice, []).append(event)
        elif isinstance(event, Finish):
            cut = CUT.get(event.reason, cut)
        elif isinstance(event, UsageReport):
            usage = event
        elif isinstance(event, Opaque) and event.slots:
            opaque.append(event)
    # Choices keep their numbers, so one of which nothing is left is an empty message.
    output = [_item(choice, texts.get(choice, [TextDelta()])) for choice in range(max(texts, default=-1) + 1)]
    body: JsonObject = {
        "id": top.pop("id", None) or "resp_assembled",
        "object": "response",
        "created_at": top.pop("created_at", None) or int(time.time()),
        "status": "incomplete" if cut else "completed",
        "error": None,
        "incomplete_details": {"reason": cut} if cut else None,
        "model": top.pop("model", None) or "",
        "output": output,
        "usage": usage_object(usage.usage if usage else None),
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        **top,
    }
    return Answer(
        dialect=dialect,
        body=body,
        operation=dialect.operation,
        usage=usage.usage if usage else None,
        opaque=tuple(opaque),
    )


def stream_frames(answer: Answer) -> tuple[Event, ...]:
    """Events that say what the answer says: its items with their texts whole, then the answer itself."""
    decoder = ResponseStreamDecoder()
    found: list[Event] = []
    for number, body in enumerate(_frames(answer.body)):
        numbered = {**body, "sequence_number": number}
        found += decoder.events(_encode(numbered), numbered, numbered["type"])
    return tuple(found)


def _frames(body: JsonMapping) -> Iterator[JsonObject]:
    yield from opening(body)
    for index, item in enumerate(body["output"]):
        yield item_frame("added", index, _opened(item))
        yield from _part_frames(index, item)
        for place in item_texts({key: item[key] for key in MEMBERS if key in item}, ()):
            spot = Spot(item.get("id"), index, place.kind)
            yield from (spot.delta(place.text), spot.done(place.text))
        yield item_frame("done", index, item)
    yield ending(body)


def _part_frames(index: int, item: JsonMapping) -> Iterator[JsonObject]:
    """The parts of one item, also those that are no text: clients count them."""
    for key, usual in (("summary", "summary_text"), ("content", "output_text")):
        parts = item.get(key)
        for number, part in enumerate(parts if isinstance(parts, list) else ()):
            place = part_text(part, (), number)
            spot = Spot(item.get("id"), index, place.kind if place is not None else usual, number)
            yield from spot.part_frames("added", part if place is None else {**part, str(place.path[-1]): ""})
            if place is not None:
                yield from (spot.delta(place.text), spot.done(place.text))
            yield from spot.part_frames("done", part)


def _opened(item: JsonMapping) -> JsonObject:
    """An item as it is announced, without its texts."""
    empty: JsonObject = {"content": [], "summary": [], **dict.fromkeys(MEMBERS, "")}
    return {key: empty.get(key, value) for key, value in item.items()}


def _item(choice: int, events: Sequence[TextEvent]) -> JsonObject:
    """An item with this text, of the channel in which it began."""
    first, text = events[0], "".join(event.text for event in events)
    if isinstance(first, ToolCallDelta):
        called = {"call_id": first.id or f"call_{choice}", "name": first.name or "", "arguments": text}
        return {"type": "function_call", "id": f"fc_{choice}", **called, "status": "completed"}
    part = part_of(KINDS[first.channel], text)
    if first.channel == "reasoning":
        return {"type": "reasoning", "id": f"rs_{choice}", "summary": [], "content": [part], "status": "completed"}
    message = {"role": "assistant", "content": [part], "status": "completed"}
    return {"type": "message", "id": f"msg_{choice}", **message}


def _ends(answer: Answer, lanes: Sequence[tuple[Path, TextEvent]]) -> list[Finish]:
    reason = "length" if answer.body.get("status") == "incomplete" else "stop"
    return [Finish(choice=event.choice, reason=reason) for _, event in lanes]


def _lanes(answer: Answer) -> list[tuple[Path, TextEvent]]:
    """Every text: where it stands, and as an event."""
    output = answer.body.get("output")
    places = [
        place
        for number, item in enumerate(output if isinstance(output, list) else ())
        for place in item_texts(item, ("output", number))
    ]
    return [(at.path, _EVENTS[SAID[at.kind]](choice=choice, text=at.text)) for choice, at in enumerate(places)]
