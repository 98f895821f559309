"""Which call a fragment of a chat's stream belongs to, where the upstream does not say it as the format wants it."""

from __future__ import annotations

from typing import TypeAlias

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.events import ToolCallDelta
from sentinel_core.json_types import JsonObject
from tests.core.dialects.chat_chunks import choice, chunk, decode, encode, payloads

Fragment: TypeAlias = JsonObject
Calls: TypeAlias = list[tuple[str | None, str | None, str]]
"""Id, name and arguments of each."""


def part(text: str, index: int | None = None, /, **known: str) -> Fragment:
    """A fragment of a call, with what of `id` and `name` is known."""
    named = {"name": known.pop("name")} if "name" in known else {}
    numbered = {"index": index} if index is not None else {}
    return {**numbered, **known, "type": "function", "function": {**named, "arguments": text}}


def read(*chunks: list[Fragment]) -> Calls:
    """The calls that a client puts together by their indexes, which count from 0, of what such a stream becomes."""
    events = decode(*(chunk(choice({"tool_calls": fragments})) for fragments in chunks))
    calls: dict[int, Fragment] = {}
    for body in encode(events):
        for fragment in body["choices"][0]["delta"]["tool_calls"]:
            call = calls.setdefault(fragment["index"], {"id": None, "name": None, "arguments": ""})
            call["id"] = call["id"] or fragment.get("id")
            call["name"] = call["name"] or fragment["function"].get("name")
            call["arguments"] += fragment["function"]["arguments"]
    made = [(call["id"], call["name"], call["arguments"]) for _, call in sorted(calls.items())]
    assembled = OPENAI_CHAT.assemble(events).body["choices"][0]["message"]["tool_calls"]
    assert [(call["id"], call["function"]["name"], call["function"]["arguments"]) for call in assembled] == made
    assert sorted(calls) == list(range(len(calls)))
    return made


A, B, C = {"id": "a", "name": "f"}, {"id": "b", "name": "g"}, {"id": "c", "name": "f"}
STREAMS: dict[str, tuple[list[list[Fragment]], Calls]] = {
    "whole, without an index": (
        [[part("1", **A)], [part("2", **B)], [part("3", **C)]],
        [("a", "f", "1"), ("b", "g", "2"), ("c", "f", "3")],
    ),
    "whole, without an index, two at a time": (
        [[part("1", **A), part("2", **B)], [part("3", **C)]],
        [("a", "f", "1"), ("b", "g", "2"), ("c", "f", "3")],
    ),
    "whole, without index and id": (
        [[part("1", name="f"), part("2", name="f")], [part("3", name="g")]],
        [(None, "f", "1"), (None, "f", "2"), (None, "g", "3")],
    ),
    "whole, all with index 0": ([[part("1", 0, **A)], [part("2", 0, **B)]], [("a", "f", "1"), ("b", "g", "2")]),
    "cut up, all with index 0, an empty id goes on": (
        [[part("", 0, **A)], [part("1", 0, id="")], [part("", 0, **B)], [part("2", 0, id="")]],
        [("a", "f", "1"), ("b", "g", "2")],
    ),
    "cut up, all with index 0, the id in every fragment": (
        [
            [part("", 0, **A)],
            [part("1", 0, id="a")],
            [part("", 0, **B)],
            [part("2", 0, id="b")],
            [part("1", 0, id="a")],
        ],
        [("a", "f", "11"), ("b", "g", "2")],
    ),
    "cut up, without an index": (
        [[part("", **A)], [part("1")], [part("1")], [part("", **B)], [part("2")]],
        [("a", "f", "11"), ("b", "g", "2")],
    ),
    "an index only where the call goes on": ([[part("", **A)], [part("1", 0)]], [("a", "f", "1")]),
    "an index only where the call begins": ([[part("", 0, **A)], [part("1")]], [("a", "f", "1")]),
    "another id with each fragment": (
        [[part("", 0, **A)], [part("1", 0, id="x")], [part("1", 0, id="y")], [part("2", 1, **B)]],
        [("a", "f", "11"), ("b", "g", "2")],
    ),
    "an id that comes late": ([[part("", 0, name="f")], [part("1", 0, **A)]], [("a", "f", "1")]),
    "the name in every fragment": (
        [[part("", 0, **A)], [part("1", 0, **A)], [part("1", 0, name="f")]],
        [("a", "f", "11")],
    ),
    "the same id for different calls": (
        [[part("1", 0, **A), part("2", 1, **A)], [part("2", 1, id="a")]],
        [("a", "f", "1"), ("a", "f", "22")],
    ),
    "an index that another call has got meanwhile": (
        [[part("1", 0, **A)], [part("2", 0, **B)], [part("3", 1, **C)], [part("2", 0)], [part("3", 1)]],
        [("a", "f", "1"), ("b", "g", "22"), ("c", "f", "33")],
    ),
}


@pytest.mark.parametrize(("chunks", "calls"), STREAMS.values(), ids=STREAMS)
def test_u28_each_call_is_one(chunks: list[list[Fragment]], calls: Calls) -> None:
    assert read(*chunks) == calls


def test_u28_each_choice_numbers_its_own_calls() -> None:
    stream = [
        chunk(choice({"tool_calls": [part("1", 0, **A)]}), choice({"tool_calls": [part("2", 0, **B)]}, index=1)),
        chunk(choice({"tool_calls": [part("3", 0, **C)]}), choice({"tool_calls": [part("2", 0)]}, index=1)),
    ]
    calls = [(event.choice, event.index, event.text) for event in decode(*stream) if isinstance(event, ToolCallDelta)]
    assert calls == [(0, 0, "1"), (1, 0, "2"), (0, 1, "3"), (1, 0, "2")]


def test_a_chunk_is_written_anew_only_where_an_index_was_missing_or_wrong() -> None:
    stream = [chunk(choice({"tool_calls": [part("1", 0, **A)]})), chunk(choice({"tool_calls": [part("2", **B)]}))]
    as_it_came, anew = payloads(decode(*stream))
    assert as_it_came == stream[0]
    assert msgspec.json.decode(anew)["choices"][0]["delta"]["tool_calls"] == [part("2", 1, **B)]


@given(st.lists(st.lists(st.text("ab", max_size=2), min_size=1, max_size=3), min_size=1, max_size=4), st.data())
def test_u28_calls_that_come_one_after_the_other_are_told_apart_however_they_are_numbered(
    texts: list[list[str]], data: st.DataObject
) -> None:
    numbered, identified = data.draw(st.sampled_from(["right", "zero", "none"])), data.draw(st.booleans())
    chunks = []
    for number, fragments in enumerate(texts):
        index = {"right": number, "zero": 0, "none": None}[numbered]
        for at, text in enumerate(fragments):
            known = {"id": f"c{number}"} if identified or not at else {}
            chunks.append([part(text, index, **known, **({} if at else {"name": "f"}))])
    assert read(*chunks) == [(f"c{number}", "f", "".join(fragments)) for number, fragments in enumerate(texts)]
