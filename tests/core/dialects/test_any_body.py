"""A client's body, whatever its JSON, is translated or refused, and is never a fault of ours (reliability 2.0)."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.ollama_chat import OllamaChat
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import canonical_request, translated_request
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Request
from sentinel_core.upstream import NativeChat

NATIVES: dict[str, NativeChat] = {"cohere": COHERE_CHAT, "ollama": OllamaChat(), "gemini": GOOGLE_GEMINI}
DIALECTS: dict[str, Dialect] = {"anthropic": ANTHROPIC_MESSAGES, "openai": OPENAI_CHAT}

CHAT: JsonObject = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "be kind"},
        {"role": "user", "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "u"}}]},
        {
            "role": "assistant",
            "content": None,
            "reasoning_content": "hm",
            "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
            "extra_content": {"anthropic": {"thinking_blocks": [{"type": "thinking", "length": 2, "signature": "s"}]}},
        },
        {"role": "tool", "tool_call_id": "c", "content": "done"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "response_format": {"type": "json_schema", "json_schema": {"name": "s", "schema": {}}},
    "stop": ["x"],
    "user": "u",
    "reasoning_effort": "low",
    "temperature": 1,
    "seed": 1,
    "max_tokens": 5,
    "extra_content": {"anthropic": {"container": "c"}, "cohere": {"documents": []}},
}
MESSAGES: JsonObject = {
    "model": "m",
    "max_tokens": 5,
    "system": [{"type": "text", "text": "be kind"}],
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "hi"}]},
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "s"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "done"}]},
    ],
    "tools": [{"name": "f", "input_schema": {"type": "object"}}],
    "tool_choice": {"type": "tool", "name": "f"},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "stop_sequences": ["x"],
    "metadata": {"user_id": "u"},
    "output_config": {"effort": "low"},
}
ABSENT = object()
"""In place of a value: its key is not there either."""
ODD: list[JsonValue] = [
    *(ABSENT, None, True, 0, -1, 1.5, "", "x", [], ["x"], [None], [[]], [{}], {}),
    *({"type": 1}, {"type": "text"}, {"type": "thinking"}, {"type": "tool_use", "input": {}}),
]


def places(value: JsonValue, path: tuple[JsonValue, ...] = ()) -> list[tuple[JsonValue, ...]]:
    """Every place below a value."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, inner in items for place in ((*path, key), *places(inner, (*path, key)))]


def with_value(body: JsonValue, path: tuple[JsonValue, ...], value: JsonValue) -> JsonValue:
    """A copy of the body with another value at one place, or without what was there."""
    if not path:
        return value
    copy = dict(body) if isinstance(body, dict) else list(body)
    if value is ABSENT and len(path) == 1:
        del copy[path[0]]
    else:
        copy[path[0]] = with_value(body[path[0]], path[1:], value)
    return copy


def requests(dialect: Dialect, body: JsonObject) -> st.SearchStrategy[Request | None]:
    """The body with odd values, or nothing, in up to two places; None where the dialect itself refuses that."""

    def made(changes: list[tuple[tuple[JsonValue, ...], JsonValue]]) -> Request | None:
        changed: JsonValue = body
        try:
            for path, value in changes:
                changed = with_value(changed, path, value)
        except (KeyError, IndexError, TypeError):
            return None  # the first change has taken away the second one's place
        try:
            return dialect.decode_request(changed)
        except Refusal:
            return None

    change = st.tuples(st.sampled_from(places(body)), st.sampled_from(ODD))
    return st.lists(change, min_size=1, max_size=2).map(made)


ANY = requests(OPENAI_CHAT, CHAT) | requests(ANTHROPIC_MESSAGES, MESSAGES)


def read_by_all(request_: Request) -> None:
    """Every format is written from it, or it is refused."""
    for native in NATIVES.values():
        with suppress(Refusal):
            native.request_body(canonical_request(request_, "model").body, "model")
    for target in DIALECTS.values():
        if request_.dialect is not target:
            with suppress(Refusal):
                translated_request(request_, target, "claude-opus-4-5")


@pytest.mark.parametrize(("name", "body"), [("openai", CHAT), ("anthropic", MESSAGES)])
def test_h24_no_single_place_may_hold_what_is_a_fault_of_ours(name: str, body: JsonObject) -> None:
    for place in places(body):
        for value in ODD:
            with suppress(Refusal):
                read_by_all(DIALECTS[name].decode_request(with_value(body, place, value)))


@pytest.mark.parametrize("name", NATIVES)
@given(request_=ANY)
def test_h24_a_native_format_takes_any_body_or_refuses_it(name: str, request_: Request | None) -> None:
    if request_ is not None:
        with suppress(Refusal):
            NATIVES[name].request_body(canonical_request(request_, "model").body, "model")


@pytest.mark.parametrize("name", DIALECTS)
@given(request_=ANY)
def test_h24_a_dialect_takes_any_body_of_another_or_refuses_it(name: str, request_: Request | None) -> None:
    if request_ is not None and request_.dialect is not DIALECTS[name]:
        with suppress(Refusal):
            translated_request(request_, DIALECTS[name], "claude-opus-4-5")


@pytest.mark.parametrize("field", ["messages", "system", "max_tokens", "stream", "tools", "model", "stop_sequences"])
def test_h30_no_extension_is_a_second_place_for_what_was_checked(field: str) -> None:
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}], "extra_content": {"anthropic": {field: "x"}}}
    translated, dropped = translated_request(OPENAI_CHAT.decode_request(body), ANTHROPIC_MESSAGES, "claude-opus-4-5")
    assert translated.body.get(field) != "x"
    assert field in dropped
