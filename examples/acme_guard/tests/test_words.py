"""What the guard is for, and that it keeps what every stage must keep."""

from __future__ import annotations

import asyncio
import json
from itertools import pairwise

import pytest
from acme_guard import AcmeWords
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import ConfigError
from sentinel_core.testing import StageConformance, chunk, drive, encoded

WORDS = {"words": ["Rosebud", "Xanadu"], "mask": "***"}
REPLY = "rosebud, he said, not rose buds, in XANADU"
MASKED = "***, he said, not rose buds, in ***"


class TestAcmeWords(StageConformance):
    stage = AcmeWords
    config = WORDS
    minimum = {"words": ["Rosebud"]}  # noqa: RUF012 - as the kit declares it
    prompts = ("Where is Rosebud?", "Where?")
    replies = (REPLY, "nothing to hide", "ends with a rose", "RosebudXanadu")


@given(cuts=st.sets(st.integers(1, len(REPLY) - 1)))
def test_a_stream_is_masked_wherever_it_is_cut(cuts: set[int]) -> None:
    edges = [0, *sorted(cuts), len(REPLY)]
    pieces = [REPLY[start:end] for start, end in pairwise(edges)]
    assert asyncio.run(drive(AcmeWords, WORDS, reply=pieces)).text == MASKED


async def test_a_whole_answer_is_masked_by_the_same_code() -> None:
    assert (await drive(AcmeWords, WORDS, reply=[REPLY], stream=False)).text == MASKED


async def test_the_model_does_not_see_the_words_either() -> None:
    driven = await drive(AcmeWords, WORDS, "Where is Rosebud?")
    (call,) = driven.sent
    assert call.request.body["messages"] == [{"role": "user", "content": "Where is ***?"}]


async def test_choices_and_tool_calls_are_masked_each_on_their_own() -> None:
    def call(index: int, arguments: str, **head: str) -> bytes:
        name = {"function": {"arguments": arguments, **({"name": "find"} if head else {})}}
        return chunk({"tool_calls": [{"index": index, **head, **name}]})

    script = [
        chunk({"content": "Rose"}),
        chunk({"content": "Rose"}, choice=1),
        call(0, '{"for": "Xan', id="call_0", type="function"),
        call(1, '{"for": "Xan', id="call_1", type="function"),
        call(0, 'adu"}'),
        call(1, 'thic"}'),
        chunk({"content": "bud"}),
        chunk({"content": "s"}, choice=1),
        chunk({}, finish="stop", choice=1),
    ]
    driven = await drive(AcmeWords, WORDS, reply=script)
    assert (driven.lane(), driven.lane(choice=1)) == ("***", "Roses")
    assert driven.lane("tool_arguments", index=0) == '{"for": "***"}'
    assert driven.lane("tool_arguments", index=1) == '{"for": "Xanthic"}'


async def test_held_text_comes_before_the_finish_reason() -> None:
    driven = await drive(AcmeWords, WORDS, reply=["a rose"])
    events = [json.loads(line[6:]) for line in encoded(driven).split(b"\n\n") if line.startswith(b"data: {")]
    choices = [choice for event in events for choice in event["choices"]]
    assert [choice["delta"].get("content") for choice in choices][-2:] == ["rose", None]
    assert [choice["finish_reason"] for choice in choices][-2:] == [None, "stop"]


async def test_fields_that_the_guard_does_not_know_are_masked_too() -> None:
    driven = await drive(AcmeWords, WORDS, reply=[chunk({"content": "hi", "annotation": "see Xanadu"})])
    assert b"Xanadu" not in encoded(driven)
    assert b'"annotation":"see ***"' in encoded(driven)


async def test_what_is_not_masked_leaves_as_it_came() -> None:
    plain = chunk({"content": "nothing here"}, system_fingerprint="fp_1")
    assert b"data: " + plain + b"\n\n" in encoded(await drive(AcmeWords, WORDS, reply=[plain]))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"wrods": ["Rosebud"]}, "words"),
        ({}, "words"),
        ({"words": [""]}, "words"),
        ({"words": ["f***"], "mask": "*"}, "shares a character"),
    ],
)
async def test_a_mistake_in_the_table_is_refused_at_start(table: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        await drive(AcmeWords, table)
