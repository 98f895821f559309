"""Between a unary message and the events of a stream, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate, count
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.costs import Provisional
from sentinel_core.dialects.anthropic_messages.decoder import MessagesStreamDecoder
from sentinel_core.dialects.anthropic_messages.inputs import sent_input, tool_input
from sentinel_core.dialects.anthropic_messages.wire import call_type, message_start
from sentinel_core.dialects.anthropic_messages.words import (
    CUTS,
    counts,
    finish_reason,
    stop_reason,
    usage_object,
    usage_of,
)
from sentinel_core.dialects.lanes import changed_ends
from sentinel_core.dialects.slots import Path
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage

if TYPE_CHECKING:
    from sentinel_core.dialects.base import Dialect

_encode = msgspec.json.Encoder().encode


def decompose(answer: Answer) -> tuple[Event, ...]:
    """The channels block by block; then one Opaque with every other string; then the end and the usage.

    Text that is spread over several blocks (citations cut it up) is one lane: what a guard looks for may begin in one
    block and end in the next.
    """
    lanes = _lanes(answer.body)
    events: list[Event] = [event for _, event in lanes]
    rest = tuple(slot for slot in answer.texts() if not _covered(slot.path, lanes))
    if rest:
        events.append(Opaque(slots=rest))
    events.append(_end(answer))
    if answer.usage is not None:
        events.append(UsageReport(usage=answer.usage))
    return tuple(events)


def ends(answer: Answer) -> list[Finish]:
    """How the answer ended."""
    return [_end(answer)]


def recompose(answer: Answer, events: Sequence[Event]) -> Answer:
    """Patch into `answer` what came out of a stream stage. What did not come out, text or end, is taken out."""
    came: dict[tuple[int, str, int], list[str]] = {}
    opaque: dict[Path, str] = {}
    for event in events:
        if isinstance(event, TextEvent):
            came.setdefault(event.lane, []).append(event.text)
        elif isinstance(event, Opaque):
            opaque.update({slot.path: slot.text for slot in event.slots})
    lanes = _lanes(answer.body)
    texts: dict[Path, str] = {}
    inputs: dict[int, JsonValue] = {}
    for lane in dict.fromkeys(event.lane for _, event in lanes):
        places = [(path, event.text) for path, event in lanes if event.lane == lane]
        new = "".join(came.get(lane, ()))
        if new == "".join(text for _, text in places):
            continue
        if lane[1] == "tool_arguments":
            at = int(places[0][0][1])
            was_object = isinstance(answer.body["content"][at]["input"], Mapping)
            inputs[at] = tool_input(new) if was_object else sent_input(new)
        else:
            texts |= {path: text for path, text in _spread(places, new) if text is not None}
    for slot in answer.texts():
        if not _covered(slot.path, lanes) and opaque.get(slot.path, "") != slot.text:
            texts[slot.path] = opaque.get(slot.path, "")
    return _patched(answer.with_texts(texts), inputs, changed_ends((_end(answer),), events))


def _patched(answer: Answer, inputs: Mapping[int, JsonValue], ends: Mapping[int, str | None]) -> Answer:
    """The answer with other inputs for the tools at these places, and another end."""
    body = dict(answer.body)
    if inputs:
        blocks = enumerate(body["content"])
        body["content"] = [{**block, "input": inputs[at]} if at in inputs else block for at, block in blocks]
    for reason in ends.values():
        body["stop_reason"] = stop_reason(reason) if reason is not None else None
    return msgspec.structs.replace(answer, body=body, raw=None) if inputs or ends else answer


def _end(answer: Answer) -> Finish:
    return Finish(reason=finish_reason(str(answer.body.get("stop_reason"))))


def assemble(dialect: Dialect, events: Iterable[Event]) -> Answer:
    """One message with the text of every lane in the order in which they began, and the last usage.

    A tool's input that is no JSON object stays a text where the events say only what was sent. In an upstream's own
    frames it makes no answer, unless it was cut off: raises `UpstreamError`.
    """
    top: JsonObject = message_start("msg_assembled", "")["message"]
    blocks: dict[object, JsonObject] = {}
    usage: UsageReport | None = None
    wire_counts: JsonObject = {}
    opaque: list[Opaque] = []
    read: Callable[..., JsonValue] = sent_input
    for event in events:
        frame = event.frame
        if frame is not None and frame.name == "message_start":
            top = {**top, **frame.body["message"], "content": []}
        if isinstance(event, TextEvent):
            _add(blocks, event)
            if frame is not None and isinstance(event, ToolCallDelta):
                read = tool_input
        elif isinstance(event, Finish):
            calls = any(block["type"] == "tool_use" for block in blocks.values())
            top["stop_reason"] = stop_reason(event.reason, calls=calls)
            if frame is not None and not event.changed:
                top |= frame.body["delta"]
        elif isinstance(event, UsageReport):
            usage = event
            if frame is not None:
                wire_counts |= counts(frame.body.get("usage") or frame.body.get("message", {}).get("usage"))
        elif isinstance(event, Opaque):
            _extend(blocks, event)
            if event.slots:
                opaque.append(event)
    cut = top["stop_reason"] is None or finish_reason(str(top["stop_reason"])) in CUTS
    top["content"] = [_whole(block, lambda text: read(text, cut=cut)) for block in blocks.values()]
    counted, top["usage"] = _counted(top["usage"], usage, wire_counts)
    return Answer(dialect=dialect, body=top, usage=counted, opaque=tuple(opaque))


def _counted(
    opening: JsonValue, report: UsageReport | None, wire_counts: JsonMapping
) -> tuple[Usage | None, JsonObject]:
    """The last usage, and the message's own object of it; without the answer's tokens where nobody counted them."""
    found = dict(opening) if isinstance(opening, Mapping) else {}
    if report is None:
        return None, found
    whole = not report.changed and usage_of(wire_counts) == report.usage
    found |= wire_counts if whole else usage_object(report.usage)
    if isinstance(report.usage, Provisional):
        del found["output_tokens"]
        return None, found
    return report.usage, found


def stream_frames(answer: Answer) -> tuple[Event, ...]:
    """The events that a stream of this message would have had."""
    body = answer.body
    opening = {**body, "content": [], "stop_reason": None, "stop_sequence": None}
    frames: list[JsonObject] = [{"type": "message_start", "message": opening}]
    for index, block in enumerate(body["content"]):
        frames += _block_frames(index, block)
    ending = {key: body[key] for key in ("stop_reason", "stop_sequence", "stop_details") if key in body}
    frames.append({"type": "message_delta", "delta": ending, "usage": body.get("usage") or {}})
    frames.append({"type": "message_stop"})
    decoder = MessagesStreamDecoder()
    return tuple(event for frame in frames for event in decoder.events(_encode(frame), frame, frame["type"]))


def _lanes(body: JsonMapping) -> list[tuple[Path, TextEvent]]:
    """Every channel text of a message: where it stands, and as an event. A tool's input is one text, as JSON, or as it
    was sent."""
    found: list[tuple[Path, TextEvent]] = []
    calls, own = count(), count(-1, -1)
    for index, block in enumerate(body["content"]):
        path: Path = ("content", index)
        kind = block["type"]
        if kind == "text" and isinstance(block.get("text"), str):
            found.append(((*path, "text"), TextDelta(text=block["text"])))
        elif kind == "thinking" and isinstance(block.get("thinking"), str):
            found.append(((*path, "thinking"), ReasoningDelta(text=block["thinking"])))
        elif isinstance(block.get("input"), Mapping | str):
            made, number = block["input"], next(calls if kind == "tool_use" else own)
            text = made if isinstance(made, str) else _encode(made).decode()
            call = ToolCallDelta(text=text, index=number, id=_string(block, "id"), name=_string(block, "name"))
            found.append(((*path, "input"), call))
    return found


def _covered(path: Path, lanes: Sequence[tuple[Path, TextEvent]]) -> bool:
    return any(path[: len(lane)] == lane for lane, _ in lanes)


def _spread(places: Sequence[tuple[Path, str]], new: str) -> list[tuple[Path, str | None]]:
    """A lane's new text over the blocks that held its old one: what is the same at both ends stays where it was, what
    replaces the middle goes where the middle began. None where a block's text is as before."""
    old = "".join(text for _, text in places)
    limit = min(len(old), len(new))
    head = next((i for i in range(limit) if old[i] != new[i]), limit)
    tail = next((i for i in range(limit - head) if old[-1 - i] != new[-1 - i]), limit - head)
    ends = list(accumulate(len(text) for _, text in places))
    holder = next((number for number, end in enumerate(ends) if head < end), len(ends) - 1)
    result: list[tuple[Path, str | None]] = []
    for number, (path, text) in enumerate(places):
        begin = ends[number] - len(text)
        kept_head = text[: max(0, head - begin)]
        kept_tail = text[max(0, len(old) - tail - begin) :]
        middle = new[head : len(new) - tail] if number == holder else ""
        changed = kept_head + middle + kept_tail
        result.append((path, changed if changed != text else None))
    return result


def _add(blocks: dict[object, JsonObject], event: TextEvent) -> None:
    if isinstance(event, ToolCallDelta):
        made = {"type": call_type(event), "id": "", "name": "", "input": []}
        if event.frame is not None and event.frame.name == "content_block_start":
            made |= {**event.frame.body["content_block"], "input": []}
        block = blocks.setdefault(("tool", event.index), made)
        block["id"] = block["id"] or event.id or ""
        block["name"] = block["name"] or event.name or ""
        block["input"].append(event.text)
        return
    key = "thinking" if event.channel == "reasoning" else "text"
    place: object = _place(event) or key
    if place in blocks and blocks[place]["type"] != key:
        place = (place, key)  # not what the block was said to hold
    empty = {"signature": ""} if key == "thinking" else {}
    blocks.setdefault(place, {"type": key, key: [], **empty})[key].append(event.text)


def _extend(blocks: dict[object, JsonObject], event: Opaque) -> None:
    """What of a block no channel carries: a signature, a redacted block, a tool's result, citations."""
    frame, place = event.frame, _place(event)
    if frame is None or place is None or event.changed:
        return
    if frame.name == "content_block_start":
        block = frame.body["content_block"]
        if block.get("type") not in ("text", "thinking") and "input" not in block:
            blocks[place] = dict(block)
        return
    delta, known = frame.body.get("delta") or {}, blocks.get(place)
    if known is None:
        return
    said = (known["type"], delta.get("type"))
    if said == ("thinking", "signature_delta"):
        known["signature"] += str(delta.get("signature", ""))
    elif said == ("text", "citations_delta"):
        known["citations"] = [*known.get("citations", ()), delta.get("citation")]


def _place(event: Event) -> tuple[str, int] | None:
    """The upstream's block that an event belongs to, where it has a frame that says so."""
    frame = event.frame
    if frame is None or frame.name not in ("content_block_start", "content_block_delta"):
        return None
    return ("block", frame.body["index"])


def _whole(block: JsonObject, read: Callable[[str], JsonValue]) -> JsonObject:
    """A block whose fragments are joined; `read` makes a tool's input of its own."""
    joined: JsonObject = {key: "".join(block[key]) for key in ("text", "thinking") if isinstance(block.get(key), list)}
    if isinstance(block.get("input"), list):
        joined["input"] = read("".join(block["input"]))
    return {**block, **joined}


def _block_frames(index: int, block: JsonMapping) -> list[JsonObject]:
    """A whole block as its start, its deltas and its end."""
    kind = block["type"]
    start, deltas = dict(block), []
    if kind == "text":
        start |= {"text": ""}
        deltas.append({"type": "text_delta", "text": block.get("text") or ""})
    elif kind == "thinking":
        start |= {"thinking": "", "signature": ""}
        deltas.append({"type": "thinking_delta", "thinking": block.get("thinking") or ""})
        deltas.append({"type": "signature_delta", "signature": block.get("signature") or ""})
    elif kind == "tool_use":
        start |= {"input": {}}
        deltas.append({"type": "input_json_delta", "partial_json": _encode(block["input"]).decode()})
    place = {"index": index}
    return [
        {"type": "content_block_start", **place, "content_block": start},
        *({"type": "content_block_delta", **place, "delta": one} for one in deltas),
        {"type": "content_block_stop", **place},
    ]


def _string(block: JsonMapping, key: str) -> str | None:
    value = block.get(key)
    return value if isinstance(value, str) else None
