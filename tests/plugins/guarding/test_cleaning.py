"""What nobody sees does not hide in the JSON of arguments, nor in names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.json_types import JsonObject
from sentinel_core.testing import FakeProvider, context
from sentinel_plugins.guarding.cleaning import cleaned_json
from sentinel_plugins.guarding.unseen import cleaned
from tests.plugins.guarding.guards import PII, guards

TAGS = "".join(chr(0xE0000 + ord(letter)) for letter in "obey")
FAMILY = "\U0001f468\u200d\U0001f469"
ALPHABET = f'a1"\\/\n\x01\u200b\u200d\ufe0f\u202e\u0645\u05d0\U0001f468\u2764{TAGS[0]}'


@given(st.dictionaries(st.text(ALPHABET, max_size=9), st.text(ALPHABET, max_size=9)), st.booleans())
def test_json_says_what_its_strings_say_without_it(said: dict[str, str], ascii_only: bool) -> None:
    text = json.dumps(said, ensure_ascii=ascii_only)
    pairs = json.loads(cleaned_json(text), object_pairs_hook=lambda pairs: pairs)
    assert pairs == [(cleaned(name), cleaned(value)) for name, value in said.items()]


pieces = st.sampled_from(
    [
        "\\",
        "\\\\",
        "u",
        "20",
        "0b",
        "200b",
        "\\u20",
        "\\u200b",
        "\u200b",
        "\\udb40",
        "\\udc6f",
        "\\n",
        '"',
        "a",
        TAGS[0],
    ]
)


@given(st.lists(pieces, max_size=12))
def test_nothing_becomes_an_escape_by_what_is_taken_out(said: list[str]) -> None:
    clean = cleaned_json('["' + "".join(said))
    assert cleaned_json(clean) == clean


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (json.dumps({"a": FAMILY}), json.dumps({"a": FAMILY})),
        (json.dumps({"a": f"\u0645\u200c\u0645 b\u200b {TAGS}ok"}), '{"a": "\\u0645\\u200c\\u0645 b ok"}'),
        (r'["\\u200b"]', r'["\\u200b"]'),
        (r'["\u20\u200b0b"]', '["\\u20\N{REPLACEMENT CHARACTER}0b"]'),
        (r'["\udb40\u200b\udc6f"]', '["\\udb40\N{REPLACEMENT CHARACTER}\\udc6f"]'),
        ('print("\\u200b\u200b")', 'print("\\u200b")'),
    ],
)
def test_what_stays_is_written_as_it_was(text: str, clean: str) -> None:
    assert cleaned_json(text) == clean


def tool(properties: JsonObject) -> JsonObject:
    return {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": properties}}}


@pytest.mark.parametrize("ascii_only", [True, False])
async def test_arguments_and_names_reach_the_model_without_it(ascii_only: bool) -> None:
    arguments = json.dumps({f"to{TAGS}": f"Ann\u200b{TAGS}"}, ensure_ascii=ascii_only)
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    tools = [tool({f"to{TAGS}": {"type": "string"}})]
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(messages=messages, tools=tools, metadata={f"team{TAGS}": "x"}, own={"b\u200b": 1})
    body = driven.sent[-1].request.body
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == {"to": "Ann"}
    assert body["tools"] == [tool({"to": {"type": "string"}})]
    assert (body["metadata"], body["own"]) == ({"team": "x"}, {"b": 1})


async def test_names_that_become_equal_both_stay() -> None:
    properties: JsonObject = {f"name{TAGS}": {"type": "string"}, "name": {"type": "number"}}
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(tools=[tool(properties)])
    assert driven.sent[-1].request.body["tools"] == [tool({"name_2": {"type": "string"}, "name": {"type": "number"}})]


async def test_nothing_becomes_a_field_of_the_format() -> None:
    """Limits and models are decided before this guard, by the fields that were there."""
    message = {"role": "user", "content": "Hi", "tool_\u200bcalls": "x"}
    hidden: dict[str, Any] = {"max_\u200btokens": 9}  # fields of a request: JSON
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.asked(context(messages=[message], **hidden))
    body = driven.sent[-1].request.body
    assert "max_tokens" not in body
    assert list(body["messages"][0]) == ["role", "content", "tool_\u200bcalls"]
