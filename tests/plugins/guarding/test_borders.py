"""H45: a value that a caller wrote over the border of two texts is found, and each of its parts is replaced."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.messages import Path, TextSlot
from sentinel_core.testing import FakeProvider
from sentinel_plugins.guarding.borders import NEAR, parted
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.views import Reader
from tests.plugins.guarding.guards import guards

READER = Reader(Scanner((*structured_pii(), *secrets())))
VALUES = ("ann@acme.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLQ", "10.20.30.40")
PIECES = st.lists(st.integers(1, 60), max_size=4, unique=True)


def part(text: str) -> JsonValue:
    return {"type": "text", "text": text}


def user(*texts: str) -> JsonObject:
    return {"role": "user", "content": [part(text) for text in texts]}


def slots(*messages: JsonObject) -> Sequence[TextSlot]:
    return OPENAI_CHAT.decode_request({"model": "m", "messages": list(messages)}).texts()


def cut(text: str, places: Sequence[int]) -> list[str]:
    at = [0, *sorted(place for place in places if place < len(text)), len(text)]
    return [text[start:end] for start, end in pairwise(at)]


@given(st.sampled_from(VALUES), PIECES)
def test_h45_a_value_over_parts_of_a_message_is_found_wherever_it_is_cut(value: str, places: Sequence[int]) -> None:
    texts = cut(f"See {value} for more.", places)
    found = parted(slots(user(*texts)), READER)
    (start,) = [one.start for one in READER.find(f"See {value} for more.")]
    inside = [place for place in places if start < place < start + len(value)]
    if not inside:
        assert found == []
        return
    for one in found:
        by_path: dict[Path, str] = {
            ("messages", 0, "content", number, "text"): text for number, text in enumerate(texts)
        }
        assert "".join(by_path[path][begin:end] for path, begin, end in one.fragments) == one.value
    alone = [text for text in texts if READER.find(text)]
    assert alone or [one.value for one in found] == [value]


def test_h45_a_value_over_messages_of_one_author_is_found_and_over_those_of_two_is_none() -> None:
    first, second = {"role": "user", "content": "ann@ac"}, {"role": "user", "content": "me.com"}
    assert [one.value for one in parted(slots(first, second), READER)] == ["ann@acme.com"]
    assert parted(slots(first, {**second, "role": "assistant"}), READER) == []


def test_a_value_over_the_whole_of_a_short_part_has_a_fragment_there() -> None:
    (found,) = parted(slots(user("ann@a", "cm", "e.com")), READER)
    assert [end - start for _, start, end in found.fragments] == [5, 2, 5]


def test_what_goes_on_behind_a_value_is_no_part_of_it() -> None:
    assert parted(slots(user("Write to bob@acme.com", "Hello")), READER) == []


def test_of_long_texts_the_ends_are_looked_at() -> None:
    long = "x " * NEAR
    found = parted(slots(user(f"{long}ann@ac", f"me.com {long}ann@ac", "me.com")), READER)
    assert [one.fragments[0].start for one in found] == [len(long), len("me.com ") + len(long)]
    assert parted(slots(user(f"ann@{long}", f"{long}acme.com")), READER) == []


def test_prompts_of_a_list_are_no_texts_behind_each_other() -> None:
    texts = [TextSlot(("prompt", number), text, kind="content") for number, text in enumerate(("ann@ac", "me.com"))]
    assert parted(texts, READER) == []


ALL: TomlTable = {}
BLOCKING: TomlTable = {"action": "block"}


@pytest.mark.parametrize("order", [("pii", "secrets"), ("secrets", "pii")])
async def test_each_part_is_replaced_by_the_guard_whose_value_it_is(order: tuple[str, str]) -> None:
    async with guards(FakeProvider(("hi",)), **dict.fromkeys(order, ALL)) as chain:
        messages: list[JsonValue] = [user("mail ann@ac", "me.com, key AKIAIOSF", "ODNN7EXAMPLQ.")]
        sent = (await chain.ask(messages=messages)).sent[-1].request
    texts = [slot.text for slot in sent.texts()]
    assert texts == ["mail [EMAIL_ADDRESS]", "[EMAIL_ADDRESS], key [AWS_ACCESS_KEY]", "[AWS_ACCESS_KEY]."]


async def test_one_that_blocks_blocks() -> None:
    async with guards(FakeProvider(("hi",)), pii=BLOCKING) as chain:
        driven = await chain.ask(messages=[user("ann@ac", "me.com")])
        assert driven.error is not None
        assert not driven.sent
        assert (await chain.ask(messages=[user("ann@", "home.")])).error is None
