"""Which text an event of a stream is about, and what it says of it outside of fragments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sentinel_core.dialects.openai_responses.fields import Place, item_texts, part_text
from sentinel_core.dialects.openai_responses.frames import Spot
from sentinel_core.errors import UpstreamError
from sentinel_core.events import (
    ReasoningDelta,
    RefusalDelta,
    TextDelta,
    TextEvent,
    ToolCallDelta,
    ToolInputDelta,
)
from sentinel_core.json_types import JsonObject, JsonValue

DELTAS: Mapping[str, tuple[type[TextEvent], str, str]] = {
    "response.output_text": (TextDelta, "output_text", "text"),
    "response.refusal": (RefusalDelta, "refusal", "refusal"),
    "response.reasoning_text": (ReasoningDelta, "reasoning_text", "text"),
    "response.reasoning_summary_text": (ReasoningDelta, "summary_text", "text"),
    "response.function_call_arguments": (ToolCallDelta, "arguments", "arguments"),
    "response.mcp_call_arguments": (ToolCallDelta, "arguments", "arguments"),
    "response.custom_tool_call_input": (ToolInputDelta, "input", "input"),
    "response.code_interpreter_call_code": (ToolInputDelta, "code", "code"),
}
"""What a text's `.delta` events become, its kind, and the member of its `.done` event that says it all again."""
Lane = tuple[int | str | None, str, int]
"""A text's identity on the wire: the item's number, or its id where it has none; the text's kind, its part's number."""


class Told(NamedTuple):
    """A text that no `.delta` says: where it stands, and by which names its lane may be known."""

    place: Place
    lanes: tuple[Lane, ...]


def told_by(body: JsonObject, family: str) -> Iterator[Told]:
    """Every text of a frame but a fragment."""
    item_id = item_id_of(body)
    if family in DELTAS:
        _, kind, member = DELTAS[family]
        if isinstance(body.get(member), str):
            key = key_of(body, kind)
            yield Told(Place((member,), body[member], kind, key[2]), names_of(key, item_id))
    part = part_text(body.get("part"), ("part",), 0)
    if part is not None:
        key = key_of(body, part.kind)
        yield Told(part._replace(part=key[2]), names_of(key, item_id))
    for place in item_texts(body.get("item"), ("item",)):
        yield Told(place, names_of((key_of(body, place.kind)[0], place.kind, place.part), item_id))
    response = body.get("response")
    output = response.get("output") if isinstance(response, dict) else None
    for number, item in enumerate(output if isinstance(output, list) else ()):
        for place in item_texts(item, ("response", "output", number)):
            yield Told(place, names_of((number, place.kind, place.part), item_id_of({"item": item})))


def names_of(key: Lane, item_id: str | None) -> tuple[Lane, ...]:
    """The names of a text: by the number of its item, and by its id."""
    own = key if item_id is None else (item_id, *key[1:])
    return (key,) if own == key else (key, own)


def fragment_of(body: JsonValue, place: Place, lanes: tuple[Lane, ...]) -> JsonObject:
    """A fragment of a text that an opening frame says the first of, empty."""
    number, item_id = lanes[0][0], lanes[-1][0]
    found = Spot(
        item_id if isinstance(item_id, str) else None,
        number if isinstance(number, int) else None,
        place.kind,
        place.part,
    ).delta("")
    for step in place.path[:-1]:
        body = body[step]
    if body.get("type") == "mcp_call":
        found["type"] = "response.mcp_call_arguments.delta"
    return {name: value for name, value in found.items() if value is not None}


def key_of(body: JsonObject, kind: str) -> Lane:
    """Which text of this kind a frame is about. Raises `UpstreamError` for numbers that are none."""
    item, number = body.get("output_index"), body.get("content_index", body.get("summary_index", 0))
    if not isinstance(item, int | None) or not isinstance(number, int):
        raise UpstreamError("upstream_invalid_response")
    return (item_of(body), kind, number)


def item_of(body: JsonObject) -> int | str | None:
    """Which item a frame is about: its number, or its id where it has none, as with llama.cpp."""
    number = body.get("output_index")
    return number if isinstance(number, int) else item_id_of(body)


def item_id_of(body: JsonObject) -> str | None:
    """The id of the item that a frame is about, or holds."""
    item = body.get("item")
    found = item.get("id") if isinstance(item, dict) else body.get("item_id")
    return found if isinstance(found, str) and found else None
