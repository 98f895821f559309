"""The work of a decoder or an encoder is linear in its stream, whatever an upstream puts into it."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from sentinel_core.dialects.anthropic_messages.decoder import MessagesStreamDecoder
from sentinel_core.dialects.openai_chat.call_indexes import CallIndexes
from sentinel_core.dialects.openai_chat.held_logprobs import HeldLogprobs
from sentinel_core.dialects.openai_responses.decoder import ResponseStreamDecoder
from sentinel_core.json_types import JsonMapping
from tests.long_form import long_form
from tests.plugins.guarding.growth import MOST, growth


def calls_without_indexes(text: str) -> None:
    indexes = CallIndexes()
    for number, _ in enumerate(text):
        assert indexes.of(None, f"call_{number}", "f") == number


def held_logprobs(text: str) -> None:
    held = HeldLogprobs()
    for character in text:
        assert held.said(0, {"content": [{"token": character}]}, "") is None
    left = held.said(0, None, text)
    assert left is not None
    assert len(left["content"]) == len(text)


def payload(body: JsonMapping) -> bytes:
    return json.dumps(body).encode()


def blocks_of_a_message(text: str) -> None:
    decoder = MessagesStreamDecoder()
    for number in range(len(text) // 4):
        block = {"type": "tool_use", "id": f"toolu_{number}", "name": "f", "input": {}}
        decoder.decode(payload({"type": "content_block_start", "index": number, "content_block": block}))
        if number % 2:  # the others stay open
            decoder.decode(payload({"type": "content_block_stop", "index": number}))


def items_of_a_response(text: str) -> None:
    decoder = ResponseStreamDecoder()
    for number in range(len(text) // 4):
        said = {"type": "response.output_text.delta", "output_index": number, "content_index": 0, "delta": "x"}
        decoder.decode(payload(said))
        item = {"type": "message", "id": f"msg_{number}", "role": "assistant", "content": []}
        decoder.decode(payload({"type": "response.output_item.done", "output_index": number, "item": item}))


@long_form
@pytest.mark.parametrize("work", [calls_without_indexes, held_logprobs, blocks_of_a_message, items_of_a_response])
def test_twice_the_stream_takes_twice_the_time(work: Callable[[str], None]) -> None:
    assert growth(work, "x") <= MOST
