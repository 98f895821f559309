"""A client of OpenAI's Responses: its requests on their way to another API, and what it reads of the replies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise

from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import UpstreamChat, performed, translated_answer, translated_events
from sentinel_core.events import Event
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.messages import Request
from tests.upstream import completion, delta

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
FUNCTION = {"type": "function", "name": "w", "description": "d", "parameters": SCHEMA, "strict": True}


def asked(**fields: JsonValue) -> Request:
    """A request as it reaches a provider that has chats only."""
    request = OPENAI_RESPONSES.decode_request({"model": "m", "input": "hi", **fields})
    operation = performed(request, {"chat"})
    assert operation == "chat"
    return Request(OPENAI_RESPONSES, request.body, operation, request.model, request.stream)


def through(answer: JsonObject, source: UpstreamChat, **fields: JsonValue) -> JsonObject:
    """The response that a client gets of this answer."""
    translated = translated_answer(source.decode_answer(json.dumps(answer).encode()), asked(**fields))
    assert (translated.dialect, translated.operation) == (OPENAI_RESPONSES, "response")
    return dict(translated.body)


def choice(reason: str = "stop", **fields: JsonValue) -> JsonObject:
    """A completion whose message has these members."""
    return completion(choices=[{"index": 0, "message": {"role": "assistant", **fields}, "finish_reason": reason}])


def call_delta(index: int, arguments: str, **first: str) -> JsonObject:
    """A fragment of a call; the first one says which."""
    function = {"arguments": arguments, **({"name": first["name"]} if first else {})}
    named = {"id": first["id"], "type": "function"} if first else {}
    return delta(tool_calls=[{"index": index, **named, "function": function}])


def read(wire: bytes, source: UpstreamChat, cuts: Sequence[int] = (), **fields: JsonValue) -> list[Event]:
    """The events that a client's stream is written from, for these bytes of an upstream, cut into pieces there."""

    async def events() -> AsyncIterator[Event]:
        parser, decoder = SseParser(), source.stream_decoder()
        places = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
        for begin, end in pairwise(places):
            for data, name in parser.feed(wire[begin:end]):
                for event in decoder.decode(data, name):
                    yield event
        decoder.end()

    async def collected() -> list[Event]:
        return [event async for event in translated_events(events(), source, asked(stream=True, **fields))]

    return asyncio.run(collected())


def written(events: Sequence[Event]) -> list[JsonObject]:
    """What the client reads."""
    encoder = OPENAI_RESPONSES.stream_encoder(asked(stream=True))
    wire = b"".join(map(encoder.encode, events)) + encoder.finish()
    frames = SseParser().feed(wire)
    found: list[JsonObject] = [json.loads(data) for data, _ in frames]
    assert [name for _, name in frames] == [frame["type"] for frame in found]
    return found


def check(frames: Sequence[JsonMapping]) -> JsonObject:
    """The last frame's response, after everything that clients rely on in the order of a stream."""
    assert [frame["sequence_number"] for frame in frames] == list(range(len(frames)))
    assert [frame["type"] for frame in frames[:2]] == ["response.created", "response.in_progress"]
    assert frames[-1]["type"] in ("response.completed", "response.incomplete")
    items: list[JsonObject] = []
    parts: dict[tuple[int, int], list[str]] = {}
    done: dict[int, JsonValue] = {}
    for frame in frames[2:-1]:
        index, kind = frame["output_index"], frame["type"]
        if kind == "response.output_item.added":
            assert index == len(items)
            items.append(frame["item"])
            continue
        assert index not in done
        assert frame.get("item_id", items[index]["id"]) == items[index]["id"]
        at = (index, frame.get("content_index", 0))
        if kind == "response.content_part.added" or (at not in parts and kind.endswith("arguments.delta")):
            parts[at] = []
        if kind.endswith(".delta"):
            parts[at].append(frame["delta"])
        elif kind in ("response.output_text.done", "response.reasoning_text.done"):
            assert frame["text"] == "".join(parts[at])
        elif kind == "response.refusal.done":
            assert frame["refusal"] == "".join(parts[at])
        elif kind.endswith("arguments.done"):
            assert frame["arguments"] == "".join(parts[at])
        elif kind == "response.output_item.done":
            done[index] = frame["item"]
            assert {**frame["item"], "status": ""} == {**items[index], **rest_of(frame["item"]), "status": ""}
    response: JsonObject = frames[-1]["response"]
    assert [done[index] for index in range(len(items))] == response["output"]
    assert {frame["response"]["id"] for frame in (*frames[:2], frames[-1])} == {response["id"]}
    return response


def rest_of(item: JsonMapping) -> JsonObject:
    """What an item is announced without."""
    return {key: item[key] for key in ("content", "arguments", "extra_content") if key in item}
