"""JSON may repeat a key, and readers differ in which value they take: a guard's must be the caller's too."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import Event
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from sentinel_core.testing import encoded
from tests.core.chain.stages import Method, exchange, monitoring, stage

MESSAGES = {
    "content": b'{"index":0,"message":{"content":"evil","content":"fine","role":"assistant"},"finish_reason":"stop"}',
    "message": b'{"message":{"content":"evil"},"message":{"content":"fine"},"index":0,"finish_reason":"stop"}',
    "logprobs": b'{"message":{"content":"fine"},"logprobs":["evil"],"logprobs":null,"finish_reason":"stop"}',
}
CHUNKS = {
    "content": b'{"id":"1","choices":[{"index":0,"delta":{"content":"evil","content":"fine"}}]}',
    "delta": b'{"id":"1","choices":[{"index":0,"delta":{"content":"evil"},"delta":{"content":"fine"}}]}',
    "choices": b'{"choices":[{"delta":{"content":"evil"}}],"choices":[{"delta":{"content":"fine"}}]}',
    "extra": b'{"choices":[{"index":0,"delta":{"content":"fine","note":"evil","note":"well"}}]}',
    "escaped": b'{"choices":[{"index":0,"delta":{"\\u0063ontent":"evil","content":"fine"}}]}',
    "usage": b'{"choices":[{"delta":{"content":"fine"}}],"usage":{"note":"evil"},"usage":null}',
}


def on_response(self: Stage, answer: Answer) -> Answer:
    """See everything, change nothing."""
    return answer


async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """See everything, change nothing."""
    async for event in events:
        yield event


HALVES = pytest.mark.parametrize("half", [on_response, on_stream], ids=["on_response", "on_stream"])


def body(repeated: str) -> bytes:
    return b'{"id":"evil","id":"1","choices":[' + MESSAGES[repeated] + b"]}"


def payloads(sent: bytes) -> list[Any]:  # decoded chunks
    """The chunks of a stream, read by somebody who takes the first value of a repeated key."""
    lines = [line.removeprefix(b"data: ") for line in sent.split(b"\n\n") if line]
    return [json.loads(line, object_pairs_hook=lambda pairs: dict(reversed(pairs))) for line in lines[:-1]]


@HALVES
@pytest.mark.parametrize("repeated", MESSAGES)
async def test_an_answer_leaves_a_guard_with_the_values_that_the_guard_saw(half: Method, repeated: str) -> None:
    driven = await exchange(stage("guard", half), reply=OPENAI_CHAT.decode_answer(body(repeated)), stream=False)
    assert driven.text == "fine"
    assert b"evil" not in encoded(driven)


@HALVES
@pytest.mark.parametrize("repeated", MESSAGES)
async def test_an_answer_that_leaves_a_guard_as_a_stream_has_the_values_that_the_guard_saw(
    half: Method, repeated: str
) -> None:
    driven = await exchange(stage("guard", half), reply=OPENAI_CHAT.decode_answer(body(repeated)), stream=True)
    assert driven.text == "fine"
    assert b"evil" not in encoded(driven)


@HALVES
@pytest.mark.parametrize("repeated", CHUNKS)
async def test_a_chunk_leaves_a_guard_with_the_values_that_the_guard_saw(half: Method, repeated: str) -> None:
    driven = await exchange(stage("guard", half), reply=("so ", CHUNKS[repeated]))
    assert driven.text == "so fine"
    assert b"evil" not in encoded(driven)
    texts = [choice["delta"].get("content") for chunk in payloads(encoded(driven)) for choice in chunk["choices"]]
    assert "".join(text or "" for text in texts) == "so fine"


@pytest.mark.parametrize("repeated", MESSAGES)
@pytest.mark.parametrize("guards", [(), (stage("watching", on_response, config=monitoring()),)], ids=["none", "watch"])
async def test_without_an_enforcing_guard_an_answer_leaves_byte_for_byte(
    guards: tuple[Stage, ...], repeated: str
) -> None:
    driven = await exchange(*guards, reply=OPENAI_CHAT.decode_answer(body(repeated)), stream=False)
    assert encoded(driven) == body(repeated)


@pytest.mark.parametrize("repeated", sorted(CHUNKS.keys() - {"usage"}))
async def test_without_an_enforcing_guard_a_chunk_leaves_byte_for_byte(repeated: str) -> None:
    driven = await exchange(reply=(CHUNKS[repeated],))
    assert b"data: " + CHUNKS[repeated] + b"\n\n" in encoded(driven)
