"""Content that is a list of parts, whole or in deltas: its texts are the answer's, for guards and for every client."""

from __future__ import annotations

import pytest
from msgspec import json
from openai.types.chat import ChatCompletionChunk

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Finish, Opaque, ReasoningDelta, TextDelta, TextEvent
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from tests.core.dialects.chat_chunks import choice, chunk, decode, encode
from tests.core.dialects.messages_client import translated
from tests.core.dialects.responses_client import check, read, written
from tests.upstream import payloads, sse

HELLO: list[JsonValue] = [{"type": "text", "text": "hel"}, {"type": "text", "text": "lo"}]
THOUGHT: list[JsonValue] = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, *HELLO]
OPENING: JsonObject = {"index": 0, "delta": {"role": "assistant", "content": HELLO}, "finish_reason": None}
CHUNKS = [payloads.chunk([OPENING]), payloads.delta(finish="stop")]


def of(content: JsonValue, **fields: JsonValue) -> bytes:
    return chunk(choice({"role": "assistant", "content": content, **fields}))


def test_guards_read_the_texts_of_parts_in_the_channel_that_they_are_of() -> None:
    (said,) = decode(of(HELLO))
    assert isinstance(said, TextDelta)
    assert said.text == "hello"
    reasoning, text = sorted(decode(of(THOUGHT)), key=lambda event: isinstance(event, TextDelta))
    assert isinstance(reasoning, ReasoningDelta)
    assert isinstance(text, TextDelta)
    assert (reasoning.text, text.text) == ("hm", "hello")


def test_clients_of_chat_get_one_text_and_what_a_guard_made_of_it() -> None:
    (said,) = decode(of(HELLO))
    assert isinstance(said, TextDelta)
    assert encode([said])[0]["choices"][0]["delta"] == {"role": "assistant", "content": "hello"}
    assert encode([said.with_text("bye")])[0]["choices"][0]["delta"]["content"] == "bye"


async def test_clients_of_messages_get_it() -> None:
    assert [event.text for event in await translated(*CHUNKS) if isinstance(event, TextDelta)] == ["hello"]


def test_clients_of_responses_get_it() -> None:
    response = check(written(read(b"".join(map(sse, CHUNKS)), OPENAI_CHAT)))
    assert response["output"][0]["content"][0]["text"] == "hello"


def test_parts_without_any_text_only_open_an_answer() -> None:
    decoder = OPENAI_CHAT.stream_decoder()
    (event,) = decoder.decode(of([{"type": "text", "text": ""}]))
    assert not decoder.bears_content(event)


@pytest.mark.parametrize("content", [[], ["a"], [{"type": "image_url", "image_url": {"url": "https://a.test"}}]])
def test_a_list_that_says_neither_leaves_as_it_came(content: JsonValue) -> None:
    events = decode(of(content))
    assert not any(isinstance(event, TextDelta) for event in events)
    assert encode(events)[0]["choices"][0]["delta"]["content"] == content


def test_reasoning_that_its_channel_carries_stays() -> None:
    events = decode(of(THOUGHT, reasoning_content="why"))
    assert [event.text for event in events if isinstance(event, ReasoningDelta)] == ["why"]
    assert not any(isinstance(event, Opaque) for event in events)


def test_a_whole_answer_of_parts_streams_its_texts() -> None:
    message = {"role": "assistant", "content": HELLO}
    answer = OPENAI_CHAT.decode_answer(chunk({"index": 0, "message": message, "finish_reason": "stop"}))
    assert [event.text for event in OPENAI_CHAT.stream_frames(answer) if isinstance(event, TextDelta)] == ["hello"]


def whole(content: JsonValue) -> Answer:
    message = {"role": "assistant", "content": content}
    return OPENAI_CHAT.decode_answer(chunk({"index": 0, "message": message, "finish_reason": "stop"}))


def test_a_whole_answer_of_parts_is_one_text_with_its_thoughts_beside_it() -> None:
    answer = whole(THOUGHT)
    said = {type(event): event.text for event in OPENAI_CHAT.decompose(answer) if isinstance(event, TextEvent)}
    assert said == {TextDelta: "hello", ReasoningDelta: "hm"}
    body = json.decode(OPENAI_CHAT.encode_answer(answer))
    message = {"role": "assistant", "content": "hello", "reasoning_content": "hm"}
    assert body["choices"] == [{"index": 0, "message": message, "finish_reason": "stop"}]


PICTURE: JsonValue = {"type": "image_url", "image_url": {"url": "https://a.test"}}


@pytest.mark.parametrize("content", ["text", None, [], [PICTURE], [*HELLO, PICTURE]])
def test_a_whole_answer_of_anything_else_leaves_as_it_came(content: JsonValue) -> None:
    answer = whole(content)
    assert OPENAI_CHAT.encode_answer(answer) == answer.raw
    assert json.decode(answer.raw or b"")["choices"][0]["message"] == {"role": "assistant", "content": content}


REFERENCE: JsonValue = {"type": "reference", "reference_ids": [1]}


def test_a_part_beside_texts_in_a_stream_stands_beside_their_one_text() -> None:
    events = decode(chunk(choice({"role": "assistant", "content": [*HELLO, PICTURE]}, finish="stop")))
    assert [event.text for event in events if isinstance(event, TextDelta)] == ["hello"]
    assert isinstance(events[-1], Finish)
    (told,) = encode(events)
    delta = {"role": "assistant", "content": "hello", "content_parts": [PICTURE]}
    assert told["choices"] == [choice(delta, finish="stop")]


def test_guards_read_the_other_parts_as_well() -> None:
    events = decode(of([*HELLO, {"type": "reference", "title": "a@b.co"}]))
    assert "a@b.co" in [slot.text for event in events if isinstance(event, Opaque) for slot in event.slots]


def test_openais_client_joins_the_texts_around_such_a_part() -> None:
    chunks = [of([*HELLO, REFERENCE]), chunk(choice({"content": " you"}))]
    told = [ChatCompletionChunk.model_validate(one) for one in encode(decode(*chunks))]
    assert "".join(one.choices[0].delta.content or "" for one in told) == "hello you"
