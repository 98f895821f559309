"""How a message ended, for clients of other formats: the same whole and streamed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_answer, translated_events
from sentinel_core.events import Event, Finish, Opaque, RefusalDelta
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Request
from tests.upstream.anthropic import message, named, opening, text_block

EXPLAINED = {"type": "refusal", "category": "cyber", "explanation": "It is dangerous."}
STOPS = pytest.mark.parametrize(
    "stop",
    [
        {"stop_reason": "end_turn", "stop_sequence": None},
        {"stop_reason": "max_tokens", "stop_sequence": None},
        {"stop_reason": "stop_sequence", "stop_sequence": "END"},
        {"stop_reason": "pause_turn", "stop_sequence": None},
        {"stop_reason": "a_new_reason"},
        {"stop_reason": "refusal", "stop_sequence": None, "stop_details": EXPLAINED},
        {"stop_reason": "refusal", "stop_sequence": None, "stop_details": None},
        {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"explanation": 3}},
        {"stop_reason": "end_turn", "stop_sequence": None, "stop_details": EXPLAINED},
    ],
    ids=repr,
)


def asked(client: Dialect, *, stream: bool) -> Request:
    hello: JsonObject = {"messages": [{"role": "user", "content": "hi"}]}
    return client.decode_request(
        {"model": "m", "stream": stream, **({"input": "hi"} if client is OPENAI_RESPONSES else hello)}
    )


def whole(client: Dialect, stop: JsonObject) -> JsonObject:
    answer = ANTHROPIC_MESSAGES.decode_answer(json.dumps(message("part", **stop)).encode())
    return dict(translated_answer(answer, asked(client, stream=False)).body)


def kept(holder: JsonObject) -> JsonObject:
    """What only Anthropic says of the end."""
    own = holder.get("extra_content", {}).get("anthropic", {})
    return {name: own[name] for name in ("stop_reason", "stop_sequence") if name in own}


def test_a_reason_that_only_anthropic_knows_is_all_that_it_keeps() -> None:
    body = whole(OPENAI_CHAT, {"stop_reason": "pause_turn", "stop_sequence": None})
    said = body["choices"][0]["message"]["extra_content"]
    assert said == {"anthropic": {"stop_reason": "pause_turn", "stop_sequence": None}}


async def streamed(client: Dialect, stop: JsonObject) -> list[Event]:
    async def events() -> Any:  # of the message
        decoder = ANTHROPIC_MESSAGES.stream_decoder()
        end = {"type": "message_delta", "delta": stop, "usage": {"output_tokens": 2}}
        wire = b"".join([opening(), *text_block(0, "part"), named(end), named({"type": "message_stop"})])
        for data, name in SseParser().feed(wire):
            for event in decoder.decode(data, name):
                yield event

    return [event async for event in translated_events(events(), ANTHROPIC_MESSAGES, asked(client, stream=True))]


@STOPS
async def test_a_chats_client_hears_how_a_message_ended(stop: JsonObject) -> None:
    events = await streamed(OPENAI_CHAT, stop)
    encoder = OPENAI_CHAT.stream_encoder(asked(OPENAI_CHAT, stream=True))
    wire = b"".join(map(encoder.encode, events)) + encoder.finish()
    choices = [json.loads(data)["choices"][0] for data, _ in SseParser().feed(wire) if data != b"[DONE]"]
    (expected,) = whole(OPENAI_CHAT, stop)["choices"]
    message = expected["message"]
    assert choices[-1]["finish_reason"] == expected["finish_reason"]
    for name in ("content", "refusal"):
        assert "".join(choice["delta"].get(name) or "" for choice in choices) == (message.get(name) or "")
    said = [kept(choice["delta"]) for choice in choices if kept(choice["delta"])]
    assert said == ([kept(message)] if kept(message) else [])


@STOPS
async def test_a_client_of_responses_hears_how_a_message_ended(stop: JsonObject) -> None:
    frames = [event.frame.body for event in await streamed(OPENAI_RESPONSES, stop) if event.frame is not None]
    response, expected = frames[-1]["response"], whole(OPENAI_RESPONSES, stop)
    assert response["status"] == expected["status"]
    assert [item["content"] for item in response["output"]] == [item["content"] for item in expected["output"]]
    assert [kept(item) for item in response["output"]] == [kept(item) for item in expected["output"]]


async def test_guards_read_them_before_the_end() -> None:
    events = await streamed(OPENAI_CHAT, {"stop_reason": "refusal", "stop_details": EXPLAINED})
    (refusal,) = (at for at, event in enumerate(events) if isinstance(event, RefusalDelta))
    (end,) = (at for at, event in enumerate(events) if isinstance(event, Finish))
    assert refusal < end
    events = await streamed(OPENAI_CHAT, {"stop_reason": "stop_sequence", "stop_sequence": "END"})
    read = {slot.text for event in events if isinstance(event, Opaque) for slot in event.slots}
    assert "END" in read


async def test_a_message_that_begins_with_its_end_is_opened() -> None:
    end = {"type": "message_delta", "delta": {"stop_reason": "pause_turn"}}

    async def events() -> Any:  # of the message
        for event in ANTHROPIC_MESSAGES.stream_decoder().decode(json.dumps(end).encode()):
            yield event

    found = [e async for e in translated_events(events(), ANTHROPIC_MESSAGES, asked(OPENAI_CHAT, stream=True))]
    assert [isinstance(event, Opaque) for event in found] == [True, True, False]
    assert isinstance(found[-1], Finish)
