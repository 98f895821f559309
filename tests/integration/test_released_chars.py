"""What the audit says that left a guard, of texts that are no plain strings of a channel."""

from __future__ import annotations

import pytest

from sentinel_core.json_types import JsonObject
from sentinel_plugins.pii.stage import Pii
from tests.integration.guarded import CHAT, RESPONSES, Asked, Native, ask
from tests.upstream.anthropic import named
from tests.upstream.payloads import completion, response, response_stream

PICTURE: JsonObject = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
PARTS: JsonObject = {"role": "assistant", "content": [{"type": "text", "text": "hello "}, PICTURE]}
CALL: JsonObject = {"id": "c", "type": "function", "function": {"name": "f", "arguments": {"to": "bob@acme.com"}}}
CALLS: JsonObject = {"role": "assistant", "content": None, "tool_calls": [CALL]}


def released(asked: Asked) -> int:
    """Characters of the reply that left the guard."""
    (one,) = [one for one in asked.record["verdicts"] if one["direction"] == "response"]
    left: int = one["released_chars"]
    return left


@pytest.mark.parametrize(("message", "text"), [(PARTS, "hello "), (CALLS, "[EMAIL_ADDRESS]")])
async def test_texts_in_parts_and_arguments_that_are_objects_have_left(message: JsonObject, text: str) -> None:
    whole = completion("")
    body = {**whole, "choices": [{**whole["choices"][0], "message": message}]}
    asked = await ask(CHAT, {"model": "fake", "messages": [{"role": "user", "content": "x"}]}, Native(body, []), Pii)
    assert asked.response.json()["choices"][0]["message"]["role"] == "assistant"
    assert released(asked) >= len(text)


async def test_a_text_that_only_the_last_event_says_has_left() -> None:
    first, *_ = response_stream("")
    last = named({"type": "response.completed", "response": response("to bob@acme.com")})
    body = {"model": "fake", "input": "x", "stream": True}
    asked = await ask(RESPONSES, body, Native({}, [first, last]), Pii)
    assert "to [EMAIL_ADDRESS]" in asked.response.text
    assert released(asked) == len("to [EMAIL_ADDRESS]")
