"""Walking and patching JSON: no string is missed, and only what was named is changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat.fields import IDENTIFIERS, KNOWN_KEYS, request_slots
from sentinel_core.dialects.slots import KEY, Path, json_slot, patched, string_slots
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values

KEYS = st.sampled_from(["a", "b", "", "$key", "id", "\x00", "0"]) | st.text(max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
JSON = json_values(LEAVES, KEYS, levels=3, width=3)
BODIES = st.dictionaries(KEYS, JSON, max_size=3)


def strings(
    value: JsonValue,
    skip: frozenset[str] = frozenset(),
    known: frozenset[str] = frozenset(),
) -> Iterator[str]:
    """Every string and unknown key below `value`, the plain way; below known keys only, without those under `skip`."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            if key not in known:
                yield key
            if not (key in skip and isinstance(inner, str)):
                yield from strings(inner, skip if key in known else frozenset(), known)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner, skip, known)


@given(BODIES)
def test_every_string_and_every_key_is_a_slot(body: JsonObject) -> None:
    slots = string_slots(body)
    assert sorted(slot.text for slot in slots) == sorted(strings(body))
    assert len({slot.path for slot in slots}) == len(slots)


@given(BODIES)
def test_only_strings_under_a_declared_identifier_are_left_out(body: JsonObject) -> None:
    skip, known = frozenset({"id", "a"}), frozenset({"a", "b"})
    found = string_slots(body, skip=skip, known=known)
    assert sorted(slot.text for slot in found) == sorted(strings(body, skip, known))


OWNERS = [
    ("metadata",),
    ("customer",),
    ("tools", 0, "function", "parameters", "properties", "of", "default"),
    ("messages", 0, "tool_calls", 0, "function", "arguments"),
    ("messages", 0, "annotations", 0, "source"),
]


@pytest.mark.parametrize("path", OWNERS, ids=str)
@pytest.mark.parametrize("name", ["id", "type", "role", "model", "object"])
def test_below_keys_that_callers_choose_no_name_is_an_identifiers(path: Path, name: str) -> None:
    body: JsonValue = {name: "ann@acme.com"}
    for key in reversed(path):
        body = {key: body} if isinstance(key, str) else [body]
    assert any("ann@acme.com" in slot.text for slot in request_slots(body))


def test_types_of_schemas_are_no_texts() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "default": "x"}}}
    body = {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]}
    texts = [slot.text for slot in string_slots(body, skip=IDENTIFIERS, known=KNOWN_KEYS)]
    assert texts == ["f", "properties", "a", "default", "x"]


@given(BODIES)
def test_replacing_every_slot_with_itself_changes_nothing(body: JsonObject) -> None:
    before = deepcopy(body)
    result = patched(body, {slot.path: slot.text for slot in string_slots(body)})
    assert repr(result) == repr(before)
    assert body == before


@given(BODIES, st.data())
def test_patching_one_slot_changes_that_slot_only(body: dict[str, Any], data: st.DataObject) -> None:  # any JSON
    slots = string_slots(body)
    if not slots:
        return
    chosen = data.draw(st.sampled_from(slots))
    result = patched(body, {chosen.path: "\U0001f512"})
    expected = ["\U0001f512" if slot == chosen else slot.text for slot in slots]
    assert [slot.text for slot in string_slots(result)] == expected


@given(BODIES)
def test_patching_every_slot_leaves_none_of_the_old_strings(body: JsonObject) -> None:
    slots = string_slots(body)
    result = patched(body, {slot.path: f"<{number}>" for number, slot in enumerate(slots)})
    assert sorted(strings(result)) == sorted(f"<{number}>" for number in range(len(slots)))


@pytest.mark.parametrize(
    "path", [("b",), ("a", 2), ("a", "x"), ("s", 0), ("a", 0, 0), (KEY, "b"), ("a", KEY, "x"), ("s", KEY, "a")]
)
def test_a_path_that_is_not_there_raises_key_error(path: Path) -> None:
    with pytest.raises(KeyError):
        patched({"a": ["x", "y"], "s": "abc"}, {path: "new"})


def test_renamed_keys_keep_their_order_and_may_swap() -> None:
    result = patched({"a": 1, "b": 2, "c": 3}, {(KEY, "a"): "b", (KEY, "b"): "a"})
    assert list(result.items()) == [("b", 1), ("a", 2), ("c", 3)]


def test_a_key_and_the_value_below_it_change_together() -> None:
    body = {"mail": {"x@y": ["x@y"]}}
    paths: dict[Path, str] = {("mail", KEY, "x@y"): "k", ("mail", "x@y", 0): "v", (KEY, "mail"): "m"}
    assert patched(body, paths) == {"m": {"k": ["v"]}}


def test_of_names_that_become_equal_the_last_counts() -> None:
    assert patched({"a": 1, "b": 2}, {(KEY, "a"): "x", (KEY, "b"): "x"}) == {"x": 2}


def test_a_callers_key_cannot_pose_as_the_mark_of_a_key() -> None:
    """A body with a key of any name is patched where the string stands, not at a key elsewhere."""
    body = {"$key": {"model": "secret"}, "model": "m"}
    slot = next(slot for slot in string_slots(body) if slot.text == "secret")
    assert patched(body, {slot.path: "***"}) == {"$key": {"model": "***"}, "model": "m"}


def test_untouched_branches_are_shared() -> None:
    body = {"a": {"x": "1"}, "b": {"y": "2"}}
    result = patched(body, {("a", "x"): "3"})
    assert result["b"] is body["b"]
    assert body["a"] == {"x": "1"}


@given(BODIES)
def test_a_value_that_is_read_as_json_is_put_back_as_it_was(body: JsonObject) -> None:
    slots = json_slot(body, ("input",))
    assert [json.loads(slot.text) for slot in slots] == ([body] if body else [])
    assert patched({"input": body}, {slot.path: slot.text for slot in slots}) == {"input": body}


def test_what_is_written_into_the_json_of_a_value_changes_the_value() -> None:
    body = {"input": {"card": 4111111111111111, "n": [1]}, "name": "pay"}
    (slot,) = json_slot(body["input"], ("input",))
    changed = patched(body, {slot.path: slot.text.replace("4111111111111111", '"gone"')})
    assert changed == {"input": {"card": "gone", "n": [1]}, "name": "pay"}


def test_what_is_no_json_any_more_stays_a_text() -> None:
    (slot,) = json_slot(["secret"], ("input",))
    assert patched({"input": ["secret"]}, {slot.path: "[gone"}) == {"input": "[gone"}


def test_of_a_value_that_was_taken_out_an_empty_object_is_left() -> None:
    (slot,) = json_slot({"q": "secret"}, ("input",))
    assert patched({"input": {"q": "secret"}}, {slot.path: ""}) == {"input": {}}


def test_a_value_that_has_no_json_is_read_string_by_string() -> None:
    """In process a string may hold half of a surrogate pair, which no encoding has."""
    slots = json_slot({"a": "\ud83d"}, ("input",))
    assert [slot.path for slot in slots] == [("input", KEY, "a"), ("input", "a")]


@pytest.mark.parametrize(("value", "texts"), [("text", ["text"]), (7, []), (None, []), ({}, []), ([], [])])
def test_a_value_without_parts_is_read_as_it_is(value: Any, texts: list[str]) -> None:  # any JSON
    assert [slot.text for slot in json_slot(value, ("input",))] == texts
