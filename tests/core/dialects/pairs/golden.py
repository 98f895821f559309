"""Golden vectors: for each client's dialect and each API, one request and one answer in every form that they take.

Written by `python -m tests.core.dialects.pairs.golden`; whoever changes one reads the difference.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import msgspec

from sentinel_core.context import Call as ProviderCall
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.keys import Target
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage
from tests.core.dialects.pairs.conversations import CLIENTS, body_by, request_of
from tests.plugins.providers.calls import Nobody, drained
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.spoken import provider_at
from tests.upstream.api import Call, Said
from tests.upstream.apis import APIS, Spoken
from tests.upstream.payloads import encoded

FOLDER = Path(__file__).with_name("golden")
COMMAND = "python -m tests.core.dialects.pairs.golden"
NOW = 1_700_000_000.0
IDS = frozenset({"id", "tool_call_id", "tool_use_id", "call_id", "item_id"})

WEATHER = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
REQUEST: JsonMapping = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather "}, {"type": "text", "text": "in Röm?"}]},
        {
            "role": "assistant",
            "content": "One moment.",
            "tool_calls": [
                {"id": "call00001", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Röm"}'}}
            ],
        },
        {"role": "tool", "tool_call_id": "call00001", "content": "sunny"},
        {"role": "user", "content": "And tomorrow?"},
    ],
    "max_tokens": 50,
    "temperature": 0.5,
    "stop": ["END"],
    "tools": [
        {"type": "function", "function": {"name": "weather", "description": "Looks out.", "parameters": WEATHER}}
    ],
    "tool_choice": "required",
}
SAID = Said(
    "Let me see.",
    "They ask again.",
    (Call("call00002", "weather", {"city": "Röm"}), Call("call00003", "now", {})),
    "tool_calls",
    Usage(30, 20, 50, 7, 9),
)


async def vector(spoken: Spoken, client: Dialect) -> JsonObject:
    """All forms of the one request and the one answer; ids that the gateway made are numbered."""
    body = body_by(client, REQUEST)
    whole, wire = spoken.api.answer(SAID), spoken.api.stream(SAID)
    with mock.patch("time.time", return_value=NOW):
        fed = Fed([encoded(whole)])
        answer = await reply(spoken, client, body, fed)
        assert isinstance(answer, Answer)
        streamed = await written(spoken, client, body, Fed(wire.whole, spoken.api.content_type))
    inputs = {"request": body, "answer": whole, "stream": [event.decode() for event in wire.whole]}
    outputs = {"sent": fed.sent, "dropped": [*answer.dropped], "shown": answer.body, "streamed": streamed}
    return inputs | numbered(outputs, json.dumps(inputs))


async def reply(spoken: Spoken, client: Dialect, body: Mapping[str, Any], fed: Fed) -> Any:  # a reply
    call = ProviderCall(request_of(client, body), Target("up", "m"), Nobody(), attempt=1)
    async with provider_at(spoken, "http://upstream.test", pools=fed) as provider:
        return await provider.call(call)


async def written(spoken: Spoken, client: Dialect, body: JsonMapping, fed: Fed) -> list[JsonValue]:
    """The events that a streaming client reads, each with its name if it has one."""
    asked = {**body, "stream": True, **({"stream_options": {"include_usage": True}} if client is OPENAI_CHAT else {})}
    events, error = await drained(await reply(spoken, client, asked, fed))
    assert error is None
    encoder = client.stream_encoder(client.decode_request(asked))
    sse = b"".join(map(encoder.encode, events)) + encoder.finish()
    return [
        {"event": name, "data": msgspec.json.decode(data)} if name else _plain(data)
        for data, name in SseParser().feed(sse)
    ]


def _plain(data: bytes) -> JsonValue:
    return "[DONE]" if data == b"[DONE]" else msgspec.json.decode(data)


def numbered(outputs: JsonObject, inputs: str) -> JsonObject:
    """The same, with numbers for the ids that no input has."""
    made: dict[str, str] = {}

    def walk(value: JsonValue, key: str = "") -> JsonValue:
        if isinstance(value, dict):
            return {name: walk(item, name) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [walk(item) for item in value]
        if key in IDS and isinstance(value, str) and json.dumps(value) not in inputs:
            return made.setdefault(value, f"<made {len(made) + 1}>")
        return value

    walked: JsonObject = walk(outputs)
    return walked


def file_of(spoken: Spoken, client: str) -> Path:
    """Where the vector of a pair is."""
    return FOLDER / f"{client}_{spoken.api.name}.json"


def text_of(made: JsonMapping) -> str:
    """A vector as it is written: two levels of it line by line, so that a difference is short to read."""
    return "{\n" + ",\n".join(f" {json.dumps(name)}: {_lines(value)}" for name, value in made.items()) + "\n}\n"


def _lines(value: JsonValue) -> str:
    def one(item: JsonValue) -> str:
        return json.dumps(item, ensure_ascii=False)

    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"  {one(name)}: {one(item)}" for name, item in value.items()) + "\n }"
    return "[\n" + ",\n".join(f"  {one(item)}" for item in value) + "\n ]" if value else "[]"


async def main() -> None:
    """Write every vector."""
    for spoken in APIS:
        for name, client in CLIENTS.items():
            file_of(spoken, name).write_text(text_of(await vector(spoken, client)), "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
