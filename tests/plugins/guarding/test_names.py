"""Names of members in which values were replaced keep what they name, also where they are equal by then."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.slots import KEY
from sentinel_core.json_types import JsonObject
from sentinel_core.messages import Path, TextSlot
from sentinel_core.testing import FakeProvider
from sentinel_plugins.guarding.names import apart, names_apart
from sentinel_plugins.pii.stage import Pii
from tests.integration.guarded import MESSAGES, Native, ask
from tests.plugins.guarding.growth import MOST, growth
from tests.plugins.guarding.guards import PII, guards

TWO = {"ann@acme.com": 1, "bob@acme.com": 2}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('{"a":1,"b":2}', '{"a":1,"b":2}'),
        ('{"a":1, "a" : 2,"a":{"a":3}}', '{"a":1, "a_2" : 2,"a_3":{"a":3}}'),
        ('{"a":"a","b":["a","a"],"c":{"a":1}}', '{"a":"a","b":["a","a"],"c":{"a":1}}'),
        ('{"a_2":1,"a":2,"a":3}', '{"a_2":1,"a":2,"a_3":3}'),
        ('{"a":1,"a":2,"a_3":3,"a":4,"a_2":5,"a":6}', '{"a":1,"a_2":2,"a_3":3,"a_4":4,"a_2_2":5,"a_5":6}'),
        ('{"\\u0061":1,"a":2}', '{"\\u0061":1,"a_2":2}'),
        ('{"\\":{":1,"\\":{":2}', '{"\\":{":1,"\\":{_2":2}'),
        ('{"\\ud800":1,"\\ud800":2}', '{"\\ud800":1,"\\\\ud800_2":2}'),
        ('}}"a":1,"a":{"a":1,"a', '}}"a":1,"a":{"a":1,"a'),
        ('{"a":1,"a":"{\\"a\\":1,\\"a\\":', '{"a":1,"a_2":"{\\"a\\":1,\\"a\\":'),
        ('{"a":1,"a":"\\', '{"a":1,"a_2":"\\'),
    ],
)
def test_equal_names_of_one_object_are_numbered(text: str, named: str) -> None:
    assert names_apart(text) == named
    assert names_apart(named) == named


@pytest.mark.parametrize("unit", ['\\"', '\\"a\\": 1, ', "\\\\", "a", "\n", "{", '"', '"a" ', '{"a":'])
@pytest.mark.parametrize("before", ['{"a":1,"a":"', '{"a":1,'], ids=["in a string", "in an object"])
def test_arguments_that_were_cut_off_are_numbered_in_linear_time(before: str, unit: str) -> None:
    assert growth(lambda text: names_apart(before + text), unit) <= MOST


@pytest.mark.parametrize("unit", ['"a":1,', '"a":1,"a_2":2,', '"a":{"b":1,"b":2},'])
def test_equal_names_are_numbered_in_linear_time(unit: str) -> None:
    assert growth(lambda text: names_apart("{" + text), unit) <= MOST


def test_names_of_a_body_that_become_equal_are_numbered_in_linear_time() -> None:
    def work(text: str) -> object:
        body: JsonObject = {"metadata": dict.fromkeys(map(str, range(len(text) // 8)))}
        slots = [TextSlot(("metadata", KEY, name), name, kind="key") for name in body["metadata"]]
        return apart(body, slots, {slot.path: "[A]" for slot in slots})

    assert growth(work, "a") <= MOST


objects = st.recursive(
    st.one_of(st.integers(), st.text(max_size=3), st.booleans()),
    lambda below: st.one_of(st.lists(below, max_size=3), st.lists(st.tuples(st.text("ab_2", max_size=2), below))),
    max_leaves=12,
)


def written(value: object) -> str:
    """JSON; a list of pairs is an object whose names may be equal."""
    if isinstance(value, list) and value and all(isinstance(one, tuple) for one in value):
        return "{" + ",".join(f"{json.dumps(name)}:{written(below)}" for name, below in value) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(written, value)) + "]"
    return json.dumps(value)


def leaves(value: object) -> list[object]:
    if isinstance(value, dict):
        value = list(value.values())
    return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]


@given(objects)
def test_no_value_is_lost(value: object) -> None:
    pairs = json.loads(written(value), object_pairs_hook=lambda pairs: [below for _, below in pairs])
    assert leaves(json.loads(names_apart(written(value)))) == leaves(pairs)


def test_a_name_that_stays_keeps_itself() -> None:
    body: JsonObject = {"metadata": {"x": 1, "y": 2, "[A]": 3, "[A]_2": 4}}
    request = OPENAI_CHAT.decode_request({"model": "m", "messages": [{"role": "user", "content": "Hi"}], **body})
    changes: dict[Path, str] = {("metadata", KEY, name): "[A]" for name in ("x", "y")}
    changed = request.with_texts(apart(request.body, request.texts(), changes))
    assert changed.body["metadata"] == {"[A]_3": 1, "[A]_4": 2, "[A]": 3, "[A]_2": 4}


async def test_no_member_of_a_request_is_lost() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps(TWO)}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(messages=messages, metadata=dict(TWO))
    body = driven.sent[-1].request.body
    assert body["metadata"] == {"[OWN_MAIL]": 1, "[OWN_MAIL]_2": 2}
    assert json.loads(body["messages"][1]["tool_calls"][0]["function"]["arguments"]) == body["metadata"]


async def test_what_a_schema_requires_is_named_as_its_properties_are() -> None:
    below = {"properties": {"bob@acme.com": {}, "ann@acme.com": {}}, "required": ["ann@acme.com", "bob@acme.com"]}
    schema = {"required": ["x", *TWO, "ceo@acme.com"], "properties": {**dict.fromkeys(TWO, below), "x": {}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(messages=[{"role": "user", "content": "Hi"}], tools=[tool])
    sent = driven.sent[-1].request.body["tools"][0]["function"]["parameters"]
    assert sent["required"] == ["x", "[OWN_MAIL]", "[OWN_MAIL]_2", "[OWN_MAIL]"]
    below = {"properties": {"[OWN_MAIL]": {}, "[OWN_MAIL]_2": {}}, "required": ["[OWN_MAIL]_2", "[OWN_MAIL]"]}
    assert sent["properties"] == {"[OWN_MAIL]": below, "[OWN_MAIL]_2": below, "x": {}}


async def test_equal_names_that_a_client_wrote_are_its_own() -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"a":1,"a":"ann@acme.com"}'}}
    messages = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": None, "tool_calls": [call]}]
    async with guards(FakeProvider(), pii=PII) as chain:
        driven = await chain.ask(messages=messages)
    said = driven.sent[-1].request.body["messages"][1]["tool_calls"][0]["function"]["arguments"]
    assert said == '{"a":1,"a":"[OWN_MAIL]"}'


async def test_no_member_of_an_answer_is_lost() -> None:
    block = {"type": "tool_use", "id": "t", "name": "f", "input": dict(TWO)}
    answer: JsonObject = {"type": "message", "role": "assistant", "content": [block], "stop_reason": "tool_use"}
    request = {"model": "fake", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
    asked = await ask(MESSAGES, request, Native(answer, []), Pii)
    assert asked.response.json()["content"][0]["input"] == {"[EMAIL_ADDRESS]": 1, "[EMAIL_ADDRESS]_2": 2}
