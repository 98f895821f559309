"""JSON schemas for Anthropic: closed, without bounds that it refuses, and named where they bind to less."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages.schemas import taken
from sentinel_core.json_types import JsonObject
from tests.core.dialects.test_messages_requests import to_anthropic

OPUS = "claude-opus-4-5"
OPEN = {"type": "object", "properties": {"n": {"type": "integer", "minimum": 0, "maximum": 10}}}
CLOSED = {
    "type": "object",
    "properties": {"n": {"type": "integer", "description": "(minimum: 0, maximum: 10)"}},
    "additionalProperties": False,
}


def test_an_answers_schema_is_closed_and_its_bounds_are_told_in_words() -> None:
    form = {"type": "json_schema", "json_schema": {"name": "o", "schema": OPEN}}
    body, dropped = to_anthropic(OPUS, response_format=form)
    assert body["output_config"]["format"] == {"type": "json_schema", "schema": CLOSED}
    assert dropped == ("response_format",)


def test_only_a_strict_tool_is_bound_to_its_schema() -> None:
    tools = [
        {"type": "function", "function": {"name": name, "parameters": OPEN, "strict": strict}}
        for name, strict in (("a", True), ("b", False))
    ]
    body, dropped = to_anthropic(OPUS, tools=tools)
    assert [tool["input_schema"] for tool in body["tools"]] == [CLOSED, OPEN]
    assert dropped == ("tools.function.parameters",)


@pytest.mark.parametrize(
    ("schema", "expected", "exact"),
    [
        ({"type": "object", "properties": {}, "additionalProperties": False}, {}, True),
        ({"type": "object", "properties": {"a": {}}}, {"additionalProperties": False}, True),
        ({"properties": {"a": {}}}, {"additionalProperties": False}, True),
        ({"type": ["object", "null"], "properties": {"a": {}}}, {"additionalProperties": False}, True),
        ({"type": "object"}, {"additionalProperties": False}, False),
        ({"type": "object", "additionalProperties": {"type": "string"}}, {"additionalProperties": False}, False),
        ({"type": "string", "format": "uuid", "pattern": "^a$"}, {}, True),
        ({"type": "array", "minItems": 1, "items": {"type": "string"}}, {}, True),
        ({"enum": [{"minimum": 1}], "default": {"type": "object"}}, {}, True),
        ({"type": "object", "properties": {"minimum": True}}, {"additionalProperties": False}, True),
    ],
)
def test_what_a_schema_gets(schema: JsonObject, expected: JsonObject, exact: bool) -> None:
    assert taken(schema) == ({**schema, **expected}, exact)


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {"type": "string", "description": "d", "format": "regex"},
            {"type": "string", "description": 'd (format: "regex")'},
        ),
        ({"type": "array", "minItems": 2}, {"type": "array", "description": "(minItems: 2)"}),
        ({"oneOf": [{"type": "null"}, OPEN]}, {"anyOf": [{"type": "null"}, CLOSED]}),
        ({"anyOf": [OPEN]}, {"anyOf": [CLOSED]}),
        ({"type": "array", "items": OPEN}, {"type": "array", "items": CLOSED}),
        ({"$ref": "#/$defs/x", "$defs": {"x": OPEN}}, {"$ref": "#/$defs/x", "$defs": {"x": CLOSED}}),
    ],
)
def test_what_a_schema_loses_is_told_in_words(schema: JsonObject, expected: JsonObject) -> None:
    assert taken(schema) == (expected, False)


keywords = st.sampled_from(
    ["type", "properties", "items", "anyOf", "oneOf", "minimum", "format", "additionalProperties"]
)
schemas = st.recursive(
    st.none() | st.booleans() | st.sampled_from(["object", "array", "string", "uuid"]),
    lambda below: st.lists(below, max_size=2) | st.dictionaries(keywords, below, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(keywords, schemas, max_size=4))
def test_a_schema_that_was_taken_stays_as_it_is(schema: JsonObject) -> None:
    once = taken(schema).schema
    assert taken(once).schema == once
