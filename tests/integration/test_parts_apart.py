"""What the reference of the guards says of texts beside each other: a caller's are read over their borders as well,
each of an answer by itself, streamed or not."""

from __future__ import annotations

import json

import pytest

from sentinel_core.json_types import JsonMapping, JsonObject, JsonValue
from sentinel_core.testing import FakeProvider
from sentinel_plugins.pii.stage import Pii
from tests.integration.guarded import CHAT, MESSAGES, Native, ask

HALVES = ("mail bob@ac", "me.com, or ann@acme.com")
LEFT = ("mail bob@ac", "me.com, or [EMAIL_ADDRESS]")
FIELDS: JsonObject = {"model": "fake", "max_tokens": 9}
ASKED: JsonObject = {**FIELDS, "messages": [{"role": "user", "content": "Hello"}]}


def parts(texts: tuple[str, str]) -> list[JsonValue]:
    return [{"type": "text", "text": text} for text in texts]


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_h45_a_value_over_two_parts_of_a_message_reaches_no_model(path: str) -> None:
    body: JsonObject = {**FIELDS, "messages": [{"role": "user", "content": parts(HALVES)}]}
    asked = await ask(path, body, FakeProvider(), Pii)
    sent = parts(("mail [EMAIL_ADDRESS]", "[EMAIL_ADDRESS], or [EMAIL_ADDRESS]"))
    assert asked.provider.calls[-1].request.body["messages"][0]["content"] == sent


def frames() -> list[bytes]:
    """A stream of Anthropic's with a text block for each half."""
    message: JsonObject = {"id": "m", "type": "message", "role": "assistant", "model": "m", "content": []}
    events: list[JsonMapping] = [{"type": "message_start", "message": {**message, "usage": {"input_tokens": 1}}}]
    for index, text in enumerate(HALVES):
        events += [
            {"type": "content_block_start", "index": index, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}},
            {"type": "content_block_stop", "index": index},
        ]
    events += [
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 9}},
        {"type": "message_stop"},
    ]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


async def test_each_block_of_an_answer_is_read_by_itself_streamed_or_not() -> None:
    whole: JsonObject = {
        **{"id": "m", "type": "message", "role": "assistant", "model": "m", "stop_reason": "end_turn"},
        **{"usage": {"input_tokens": 1, "output_tokens": 9}, "content": parts(HALVES)},
    }
    asked = await ask(MESSAGES, ASKED, Native(whole, []), Pii)
    assert asked.response.json()["content"] == parts(LEFT)
    streamed = await ask(MESSAGES, {**ASKED, "stream": True}, Native({}, frames()), Pii)
    told = [json.loads(line[6:]) for line in streamed.response.text.splitlines() if line.startswith("data: ")]
    deltas = [(event["index"], event["delta"]["text"]) for event in told if event["type"] == "content_block_delta"]
    assert tuple("".join(text for at, text in deltas if at == index) for index in (0, 1)) == LEFT


async def test_parts_of_a_chat_answer_are_one_text() -> None:
    choice: JsonObject = {"index": 0, "finish_reason": "stop"}
    message: JsonObject = {"role": "assistant", "content": parts(HALVES)}
    body: JsonObject = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
    asked = await ask(CHAT, ASKED, Native({**body, "choices": [{**choice, "message": message}]}, []), Pii)
    content = asked.response.json()["choices"][0]["message"]["content"]
    assert content == "mail [EMAIL_ADDRESS], or [EMAIL_ADDRESS]"
