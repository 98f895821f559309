"""A guard writes one half and the compiler derives the other: no reply bypasses it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.chain import Chain, Exchange, Tracker, derive
from sentinel_core.chain.stream import Delivery
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import Refusal, StageFault
from sentinel_core.events import Event, Finish, Opaque, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage, StageConfig, Unscannable
from sentinel_core.testing import (
    FakeProvider,
    chain_of,
    chunk,
    completion,
    content_chunk,
    context,
    encoded,
    finish_chunk,
)
from tests.core.chain.stages import exchange, open_on_fault, stage, verdicts

CALL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"q": "secret"}'}}
LANES = (("content", 0), ("content", 1), ("reasoning", 0), ("refusal", 0), ("tool_arguments", 0))
EVERYTHING = (
    content_chunk("a secret"),
    content_chunk("another secret", choice=1),
    chunk({"reasoning_content": "think secret"}),
    chunk({"refusal": "no secret"}),
    chunk({"tool_calls": [CALL]}),
    finish_chunk("stop", choice=1),
)


def on_response(self: Stage, answer: Answer) -> Answer:
    """Mask one word wherever it stands."""
    return answer.with_texts(
        {slot.path: slot.text.replace("secret", "***") for slot in answer.texts() if "secret" in slot.text}
    )


async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """Mask one word that never straddles events."""
    async for event in events:
        yield event.with_text(event.text.replace("secret", "***")) if isinstance(event, TextEvent) else event


def unary() -> Answer:
    """The same texts in one answer."""
    said = {"role": "assistant", "content": "a secret", "reasoning_content": "think secret", "refusal": "no secret"}
    call = {key: value for key, value in CALL.items() if key != "index"}
    choices = [
        {"index": 0, "message": {**said, "tool_calls": [call]}, "finish_reason": "stop"},
        {"index": 1, "message": {"role": "assistant", "content": "another secret"}, "finish_reason": "stop"},
    ]
    return OPENAI_CHAT.decode_answer(json.dumps({**completion("").body, "choices": choices}).encode())


@pytest.mark.parametrize("half", [on_response, on_stream], ids=["on_response", "on_stream"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_either_half_binds_on_every_channel_and_choice_of_both_kinds_of_reply(half: object, stream: bool) -> None:
    assert callable(half)
    driven = await exchange(stage("guard", half), reply=EVERYTHING if stream else unary(), stream=stream)
    assert driven.error is None
    for channel, choice in LANES:
        assert "***" in driven.lane(channel, choice)
    assert b"secret" not in encoded(driven)
    assert verdicts(driven)["guard", "response"] == "masked"


@given(st.lists(st.text(max_size=5), max_size=6))
async def test_a_collected_stream_that_passes_leaves_byte_for_byte(texts: list[str]) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        return answer

    plain = await exchange(reply=texts)
    guarded = await exchange(stage("guard", on_response), reply=texts)
    assert encoded(guarded) == encoded(plain)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_an_answer_that_is_edited_in_place_lets_nothing_out(stream: bool) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        answer.body["choices"][0]["message"]["content"] = "***"
        return answer

    driven = await exchange(stage("guard", on_response), reply=["a sec", "ret"], stream=stream)
    assert (driven.error, driven.text) == (None, "***")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_of_a_derived_stream_texts_and_ends_are_changed_and_no_other_field(stream: bool) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        return msgspec.structs.replace(answer, body={**answer.body, "model": "other", "own": 1}, raw=None)

    sent = encoded(await exchange(stage("guard", on_response), reply=["Hello"], stream=stream))
    assert (b'"own"' in sent) is (b'"other"' in sent) is not stream


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_a_derived_half_that_refuses_lets_nothing_out(stream: bool) -> None:
    def refuse(self: Stage, answer: Answer) -> Answer:
        raise Refusal("content_policy_violation")

    async def refuse_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextEvent) and event.text:
                raise Refusal("content_policy_violation")
            yield event

    refuse.__name__, refuse_stream.__name__ = "on_response", "on_stream"
    for half in (refuse, refuse_stream):
        driven = await exchange(stage("guard", half), stream=stream)
        assert isinstance(driven.error, Refusal)
        assert driven.text == ""


async def test_more_than_may_be_collected_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "COLLECT_CHARS", 1000)
    texts = ["secret " * 10] * 40
    closed = await exchange(stage("guard", on_response), reply=texts)
    opened = await exchange(stage("guard", on_response, config=open_on_fault()), reply=texts)
    assert isinstance(closed.error, StageFault)
    assert closed.text == ""
    assert (opened.error, opened.text) == (None, "".join(texts))


@pytest.mark.parametrize(("unscannable", "refused"), [("block", True), ("allow", False)])
async def test_strings_outside_the_channels_that_a_guard_did_not_read_follow_unscannable(
    unscannable: Unscannable, refused: bool
) -> None:
    config = StageConfig(unscannable=unscannable)
    odd = (chunk({"content": "fine", "annotation": "unread"}),)
    driven = await exchange(stage("guard", on_stream, config=config), reply=odd)
    assert isinstance(driven.error, Refusal) is refused
    assert verdicts(driven)["guard", "response"] == ("blocked" if refused else "partial")


async def test_strings_outside_the_channels_that_a_guard_read_may_pass() -> None:
    async def reading(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, Opaque):
                event.texts()
            yield event

    reading.__name__ = "on_stream"
    odd = (chunk({"content": "fine", "annotation": "read"}),)
    driven = await exchange(stage("guard", reading, config=StageConfig(unscannable="block")), reply=odd)
    assert driven.error is None
    assert verdicts(driven)["guard", "response"] == "allowed"


async def test_an_event_is_not_taken_for_one_that_has_left_and_was_read() -> None:
    """Frames leave, and the next ones come to lie where they lay."""
    passed: list[str] = []

    async def first_ones(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        left = 40
        async for event in events:
            if isinstance(event, Opaque) and event.slots and left:
                event.texts()
                left -= 1
            yield event

    first_ones.__name__ = "on_stream"
    odd = [chunk({"content": "fine", "annotation": f"note {number}"}) for number in range(80)]
    chain = chain_of(
        (stage("guard", first_ones, config=StageConfig(unscannable="block")),), FakeProvider(odd), Tracker()
    )
    with pytest.raises(Refusal):
        await _annotations(chain, passed)
    assert passed == [f"note {number}" for number in range(40)]


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
@pytest.mark.parametrize("half", ["on_response", "on_stream"])
async def test_an_end_that_either_half_changes_is_changed_on_both_kinds_of_reply(half: str, stream: bool) -> None:
    def filtered(self: Stage, answer: Answer) -> Answer:
        choices = [{**choice, "finish_reason": "content_filter"} for choice in answer.body["choices"]]
        return msgspec.structs.replace(answer, body={**answer.body, "choices": choices}, raw=None)

    async def filtered_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield Finish(choice=event.choice, reason="content_filter") if isinstance(event, Finish) else event

    phase = filtered if half == "on_response" else filtered_stream
    phase.__name__ = half
    driven = await exchange(stage("guard", phase), stream=stream)
    assert encoded(driven).count(b'"finish_reason":"content_filter"') == 1
    assert b'"finish_reason":"stop"' not in encoded(driven)
    assert verdicts(driven)["guard", "response"] == "masked"


async def _annotations(chain: Chain, passed: list[str]) -> None:
    """Note what passes beside the text, and keep nothing else of it."""
    async with Exchange(chain, context(stream=True)) as reply:
        assert isinstance(reply, Delivery)
        async for event in reply:
            if isinstance(event, Opaque):
                passed += [slot.text for slot in event.slots if slot.kind != "key"]
