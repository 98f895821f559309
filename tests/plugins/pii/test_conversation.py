"""How a conversation begins is the same in all its turns, in every API."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_plugins.pii.conversation import opening


def said(role: str, content: JsonValue) -> JsonObject:
    return {"role": role, "content": content}


FIRST, SECOND = said("user", "one"), [said("assistant", "two"), said("user", "three")]
PARTS = said("user", [{"type": "text", "text": "one"}])
SYSTEM = said("system", "be kind")
CALL = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
RESULT = {"type": "function_call_output", "call_id": "c", "output": "four"}
TURNS: dict[str, tuple[Dialect, list[JsonObject], list[str]]] = {
    "chat": (
        OPENAI_CHAT,
        [{"messages": [SYSTEM, FIRST]}, {"messages": [SYSTEM, PARTS, *SECOND], "tools": [], "user": "u"}],
        ["be kind", "one"],
    ),
    "chat, greeted": (
        OPENAI_CHAT,
        [{"messages": [said("assistant", "hi"), FIRST]}, {"messages": [said("assistant", "hi"), FIRST, *SECOND]}],
        ["hi", "one"],
    ),
    "messages": (
        ANTHROPIC_MESSAGES,
        [
            {"system": "be kind", "messages": [FIRST], "max_tokens": 9},
            {"system": "be kind", "messages": [PARTS, *SECOND], "max_tokens": 9, "metadata": {"user_id": "u"}},
        ],
        ["be kind", "one"],
    ),
    "responses": (
        OPENAI_RESPONSES,
        [
            {"instructions": "be kind", "input": "one"},
            {"instructions": "be kind", "input": [FIRST, CALL, RESULT, *SECOND]},
        ],
        ["be kind", "one"],
    ),
    "completions": (
        OPENAI_COMPLETIONS,
        [{"prompt": "User: one\nAssistant:"}, {"prompt": "User: one\nAssistant: two\nUser: three\nAssistant:"}],
        ["User: one"],
    ),
}


@pytest.mark.parametrize("name", TURNS)
def test_all_turns_begin_alike(name: str) -> None:
    dialect, bodies, begins = TURNS[name]
    for body in bodies:
        assert list(opening(dialect.decode_request({"model": "m", **body}))) == begins
