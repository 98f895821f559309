"""Translated requests for OpenAI's strict mode: what it takes, and what goes without it."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.openai_chat.strict import is_strict
from sentinel_core.dialects.translation import canonical_request
from sentinel_core.json_types import JsonObject
from tests.core.dialects.messages_client import asked, to_openai

TEXT = {"type": "string"}
BOUND = {"type": "object", "properties": {"a": TEXT}, "required": ["a"], "additionalProperties": False}
OPTIONAL = {**BOUND, "properties": {"a": TEXT, "b": TEXT}}
OPEN = {key: value for key, value in BOUND.items() if key != "additionalProperties"}


def form(schema: JsonObject) -> JsonObject:
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


@pytest.mark.parametrize("schema", [OPTIONAL, OPEN], ids=["optional", "open"])
def test_a_messages_schema_that_openai_cannot_hold_to_is_told_and_named(schema: JsonObject) -> None:
    body, dropped = to_openai(**form(schema))
    told = {"name": "output", "schema": schema, "strict": False}
    assert body["response_format"] == {"type": "json_schema", "json_schema": told}
    assert dropped == ("response_format.json_schema.strict",)


def test_a_messages_schema_that_openai_holds_to_is_strict() -> None:
    body, dropped = to_openai(**form(BOUND))
    assert body["response_format"]["json_schema"]["strict"] is True
    assert dropped == ()


def test_a_strict_tool_with_such_a_schema_is_offered_as_one_that_is_not() -> None:
    schemas = {"bound": BOUND, "optional": OPTIONAL}
    body, dropped = to_openai(
        tools=[{"name": name, "strict": True, "input_schema": schema} for name, schema in schemas.items()]
    )
    assert [tool["function"]["strict"] for tool in body["tools"]] == [True, False]
    assert [tool["function"]["parameters"] for tool in body["tools"]] == [BOUND, OPTIONAL]
    assert dropped == ("tools.strict",)


def test_a_tool_that_need_not_be_strict_stays_as_it_is() -> None:
    body, dropped = to_openai(tools=[{"name": "w", "input_schema": OPTIONAL}])
    assert body["tools"] == [{"type": "function", "function": {"name": "w", "parameters": OPTIONAL}}]
    assert dropped == ()


def test_gemini_holds_to_it_all_the_same() -> None:
    tool = {"name": "w", "strict": True, "input_schema": OPTIONAL}
    canonical, lost = canonical_request(asked(tools=[tool]), "m")
    body, dropped = GOOGLE_GEMINI.request_body(canonical, "gemini-2.5-pro")
    assert body["toolConfig"]["functionCallingConfig"]["mode"] == "VALIDATED"
    assert (lost, dropped) == ((), ())


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (BOUND, True),
        (TEXT, True),
        ({**BOUND, "properties": {"a": {"type": "array", "items": BOUND}}}, True),
        ({**BOUND, "$defs": {"x": BOUND}, "properties": {"a": {"$ref": "#/$defs/x"}}}, True),
        ({**BOUND, "properties": {"a": {"anyOf": [BOUND, {"type": "null"}]}}}, True),
        ({"type": "object", "properties": {}, "additionalProperties": False}, True),
        ({"type": "object", "additionalProperties": False}, True),
        (OPTIONAL, False),
        (OPEN, False),
        ({"type": "object"}, False),
        ({"type": ["object", "null"]}, False),
        ({**BOUND, "required": None}, False),
        ({**BOUND, "additionalProperties": TEXT}, False),
        ({**BOUND, "properties": {"a": OPEN}}, False),
        ({**BOUND, "properties": {"a": {"type": "array", "items": OPTIONAL}}}, False),
        ({**BOUND, "properties": {"a": {"anyOf": [OPEN]}}}, False),
        ({**BOUND, "$defs": {"x": OPEN}}, False),
        ({**BOUND, "properties": {"a": {"oneOf": [TEXT]}}}, False),
        ({**BOUND, "allOf": [BOUND]}, False),
        ({**BOUND, "properties": {"a": True}}, True),
        ({**BOUND, "properties": None, "required": []}, True),
        ({**BOUND, "required": 3}, False),
        ({**BOUND, "required": [["a"]]}, False),
    ],
)
def test_what_the_strict_mode_takes(schema: JsonObject, strict: bool) -> None:
    assert is_strict(schema) is strict
