"""Between a unary answer and the events of a stream, both ways."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel_core.dialects.lanes import changed_ends, decomposed, recomposed
from sentinel_core.dialects.openai_responses.decoder import DELTAS, ResponseStreamDecoder
from sentinel_core.dialects.openai_responses.fields import CHANNELS, MEMBERS, item_texts
from sentinel_core.dialects.openai_responses.status import with_status
from sentinel_core.dialects.slots import Path
from sentinel_core.messages import (
    Answer,
    Event,
    Finish,
    Opaque,
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    UsageReport,
)

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_encode = msgspec.json.Encoder().encode
_EVENTS: Mapping[str, type[TextEvent]] = {
    kind.channel: kind for kind in (TextDelta, ReasoningDelta, RefusalDelta, ToolCallDelta)
}
_TOP = ("id", "created_at", "model", "service_tier")
_FAMILIES = {
    "output_text": "response.output_text",
    "refusal": "response.refusal",
    "reasoning_text": "response.reasoning_text",
    "summary_text": "response.reasoning_summary_text",
    "arguments": "response.function_call_arguments",
    "input": "response.custom_tool_call_input",
    "code": "response.code_interpreter_call_code",
}


def decompose(answer: Answer) -> tuple[Event, ...]:
    """Each text as a choice of its own; then one Opaque with every other string; then the ends and the usage."""
    lanes = _lanes(answer)
    return decomposed(answer, lanes, _ends(answer, lanes))


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
    """One answer with the text of every choice, an item each, and the last usage."""
    top: dict[str, Any] = {}
    texts: dict[int, list[TextEvent]] = {}
    opaque: list[Opaque] = []
    usage: UsageReport | None = None
    status = "completed"
    for event in events:
        response = event.frame.body.get("response") if event.frame is not None else None
        if isinstance(response, dict) and not top:
            top = {key: response[key] for key in _TOP if key in response}
        if isinstance(event, TextEvent):
            texts.setdefault(event.choice, []).append(event)
        elif isinstance(event, Finish):
            status = "incomplete" if event.reason in ("length", "content_filter") else status
        elif isinstance(event, UsageReport):
            usage = event
        elif isinstance(event, Opaque) and event.slots:
            opaque.append(event)
    # Choices keep their numbers, so one of which nothing is left is an empty message.
    output = [_item(texts.get(choice, [TextDelta()])) for choice in range(max(texts, default=-1) + 1)]
    body: dict[str, Any] = {
        "id": top.pop("id", None) or "resp_assembled",
        "object": "response",
        "created_at": top.pop("created_at", None) or int(time.time()),
        "status": status,
        "error": None,
        "model": top.pop("model", None) or "",
        "output": output,
        **top,
    }
    if usage is not None:
        counts = usage.usage
        body["usage"] = {
            "input_tokens": counts.prompt_tokens,
            "output_tokens": counts.completion_tokens,
            "total_tokens": counts.total_tokens,
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


def _frames(body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    opening = {**body, "status": "in_progress", "output": []}
    yield {"type": "response.created", "response": opening}
    for index, item in enumerate(body["output"]):
        identifier = item.get("id")
        yield {"type": "response.output_item.added", "output_index": index, "item": _opened(item)}
        for place in item_texts(item, ()):
            at: dict[str, Any] = {"item_id": identifier, "output_index": index}
            if place.kind not in MEMBERS:
                at["summary_index" if place.kind == "summary_text" else "content_index"] = place.part
            family = _FAMILIES[place.kind]
            yield {"type": f"{family}.delta", **at, "delta": place.text}
            yield {"type": f"{family}.done", **at, DELTAS[family][2]: place.text}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    kind = "response.incomplete" if body.get("status") == "incomplete" else "response.completed"
    yield {"type": kind, "response": dict(body)}


def _opened(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as it is announced, without its texts."""
    empty: dict[str, Any] = {"content": [], "summary": [], **dict.fromkeys(MEMBERS, "")}
    return {key: empty.get(key, value) for key, value in item.items()}


def _item(events: Sequence[TextEvent]) -> dict[str, Any]:
    text, channel = "".join(event.text for event in events), events[0].channel
    if channel == "tool_arguments":
        first = events[0]
        name = first.name if isinstance(first, ToolCallDelta) else None
        return {"type": "function_call", "name": name, "arguments": text}
    if channel == "reasoning":
        return {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": text}]}
    part = {"type": "refusal", "refusal": text} if channel == "refusal" else {"type": "output_text", "text": text}
    return {"type": "message", "role": "assistant", "content": [part]}


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
    return [(at.path, _EVENTS[CHANNELS[at.kind]](choice=choice, text=at.text)) for choice, at in enumerate(places)]
