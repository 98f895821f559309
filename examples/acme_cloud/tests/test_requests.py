"""What of a chat Acme is told, and that the rest is named."""

from __future__ import annotations

from typing import Any

import pytest
from acme_cloud.requests import acme_request

CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def request(*messages: dict[str, Any], **more: Any) -> dict[str, Any]:  # JSON
    return {"model": "acme-1", "messages": list(messages), **more}


@pytest.mark.parametrize(
    ("message", "dropped"),
    [
        ({"role": "assistant", "content": None, "tool_calls": [CALL]}, ("messages.tool_calls",)),
        ({"role": "user", "name": "Bob", "content": "hi"}, ("messages.name",)),
        ({"role": "assistant", "content": "hi", "refusal": None, "tool_calls": None}, ()),
        ({"role": "tool", "tool_call_id": "1", "content": "seen"}, ("messages.tool",)),
        ({"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}, ("messages.image_url",)),
    ],
)
def test_what_a_message_says_besides_its_text_is_named(
    message: dict[str, Any],  # JSON
    dropped: tuple[str, ...],
) -> None:
    assert acme_request(request(message), "acme-1").dropped == dropped


def test_what_is_null_was_not_said() -> None:
    hi = {"role": "user", "content": "hi"}
    said = acme_request(request(hi, max_tokens=None, max_completion_tokens=7, temperature=None, seed=None), "acme-1")
    assert said.body == {"voice": "acme-1", "turns": [{"by": "guest", "says": "hi"}], "live": False, "at_most": 7}
    assert said.dropped == ()
