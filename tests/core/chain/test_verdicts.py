"""A verdict says what a guard did and saw: `allowed` only where it saw the end, per guard and per direction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TypeGuard

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.chain.same_text import SameText
from sentinel_core.context import Context
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.events import Event, Opaque, TextDelta, TextEvent
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from sentinel_core.testing import FakeProvider, chain_of, completion, context, settle
from tests.core.chain.stages import exchange, monitoring, stage, verdicts

STREAM = pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])


async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    """See everything, change nothing."""
    async for event in events:
        yield event


def on_response(self: Stage, answer: Answer) -> Answer:
    """See everything, change nothing."""
    return answer


@pytest.mark.parametrize(
    ("action", "result", "released"),
    [("pass", "allowed", 5), ("mask", "masked", 3), ("refuse", "blocked", 0), ("fail", "error", 0)],
)
async def test_a_verdict_on_a_request_says_what_was_done_and_how_much_went_on(
    action: str, result: str, released: int
) -> None:
    def on_request(self: Stage, ctx: Context) -> None:
        if action == "refuse":
            raise Refusal("content_policy_violation")
        if action == "fail":
            raise RuntimeError
        if action == "mask":
            ctx.request = ctx.request.with_texts({("messages", 0, "content"): "***"})

    driven = await exchange(stage("guard", on_request, guard=True))
    assert driven.outcome is not None
    (verdict,) = driven.outcome.verdicts
    assert (verdict.direction, verdict.result, verdict.released_chars) == ("request", result, released)


@STREAM
@pytest.mark.parametrize(
    ("action", "result", "released"),
    [("pass", "allowed", 5), ("mask", "masked", 3), ("refuse", "blocked", 0), ("fail", "error", 0)],
)
async def test_a_verdict_on_a_reply_says_what_was_done_and_how_much_was_released(
    stream: bool, action: str, result: str, released: int
) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextEvent) and action == "refuse":
                raise Refusal("content_policy_violation")
            if isinstance(event, TextEvent) and action == "fail":
                raise RuntimeError
            masks = isinstance(event, TextEvent) and action == "mask"
            yield event.with_text("***") if masks and isinstance(event, TextEvent) else event

    driven = await exchange(stage("guard", on_stream), stream=stream)
    assert driven.outcome is not None
    (verdict,) = driven.outcome.verdicts
    assert (verdict.direction, verdict.result, verdict.released_chars) == ("response", result, released)


@pytest.mark.parametrize(
    ("after", "result", "released"), [("cut", "partial", 2), ("refusal", "blocked", 2), ("fault", "error", 2)]
)
async def test_what_was_released_before_a_stream_broke_is_counted(after: str, result: str, released: int) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, TextEvent) and event.text == "!":
                raise Refusal("content_policy_violation") if after == "refusal" else RuntimeError
            yield event

    last = UpstreamError("upstream_stream_interrupted") if after == "cut" else "!"
    driven = await exchange(stage("guard", on_stream), reply=("ab", last))
    assert driven.outcome is not None
    assert [(verdict.result, verdict.released_chars) for verdict in driven.outcome.verdicts] == [(result, released)]


@pytest.mark.parametrize("half", [on_stream, on_response], ids=["on_stream", "on_response"])
async def test_a_guard_whose_caller_left_early_saw_a_part(half: object) -> None:
    assert callable(half)
    tracker = Tracker()
    gate = asyncio.Event()
    outer = stage("outer", on_stream)
    running = Exchange(
        chain_of([outer, stage("guard", half)], FakeProvider(("ab", gate, "c")), tracker), context(stream=True)
    )
    async with running as reply:
        assert isinstance(reply, Delivery)
        reading = asyncio.create_task(anext(reply))
        await settle()
    await asyncio.wait([reading])
    assert running.outcome is not None
    assert [verdict.result for verdict in running.outcome.verdicts] == ["partial", "partial"]


@STREAM
@pytest.mark.parametrize(("noted", "other"), [("request", "response"), ("response", "request")])
async def test_a_finding_that_was_let_pass_counts_as_monitored_in_its_own_direction(
    stream: bool, noted: str, other: str
) -> None:
    def on_request(self: Stage, ctx: Context) -> None:
        if noted == "request":
            ctx.note_finding(self.name)

    def on_response(self: Stage, ctx: Context, answer: Answer) -> Answer:
        if noted == "response":
            ctx.note_finding(self.name)
        return answer

    driven = await exchange(stage("guard", on_request, on_response), stage("other", on_response), stream=stream)
    found = verdicts(driven)
    assert (found["guard", noted], found["guard", other]) == ("monitored", "allowed")
    assert found["other", "response"] == ("monitored" if noted == "response" else "allowed")


async def test_a_finding_of_a_guard_that_masks_or_monitors_hides_nothing() -> None:
    def on_request(self: Stage, ctx: Context) -> None:
        ctx.note_finding(self.name)
        ctx.request = ctx.request.with_texts({("messages", 0, "content"): "***"})

    masking = stage("masking", on_request, on_response)
    watching = stage("watching", on_request, on_response, config=monitoring())
    found = verdicts(await exchange(masking, watching))
    assert (found["masking", "request"], found["masking", "response"]) == ("masked", "allowed")
    assert (found["watching", "request"], found["watching", "response"]) == ("monitored", "allowed")


@STREAM
@pytest.mark.parametrize(
    ("reads", "result"), [("everything", "allowed"), ("the channels", "partial"), ("the first event", "partial")]
)
async def test_a_guard_that_handed_on_what_it_did_not_read_or_did_not_see_the_end_saw_a_part(
    stream: bool, reads: str, result: str
) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, Opaque) and reads == "everything":
                event.texts()
            yield event
            if reads == "the first event":
                return

    note = {"annotation": "outside the channels"} if reads != "the first event" else {}
    driven = await exchange(stage("guard", on_stream), reply=completion("", **note), stream=stream)
    assert driven.error is None
    assert verdicts(driven)["guard", "response"] == result


@STREAM
@pytest.mark.parametrize(("reads", "unread"), [("everything", False), ("the channels", True)])
async def test_of_a_guard_that_replaced_something_it_is_said_that_it_did_not_read_everything(
    stream: bool, reads: str, unread: bool
) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            if isinstance(event, Opaque) and reads == "everything":
                event.texts()
            yield event.with_text("***") if isinstance(event, TextEvent) else event

    reply = completion("secret", annotation="outside the channels")
    watching = stage("watching", on_stream, config=monitoring())
    driven = await exchange(stage("masking", on_stream), watching, reply=reply, stream=stream)
    assert driven.outcome is not None
    masking, watched = driven.outcome.verdicts
    assert (masking.result, masking.unread) == ("masked", unread)
    assert watched.result == "monitored"


@STREAM
async def test_what_another_stage_replaced_outside_of_texts_is_not_this_ones_doing(stream: bool) -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            found = {slot.path: "***" for slot in event.texts() if "outside" in slot.text} if read(event) else {}
            yield event.with_texts(found) if isinstance(event, Opaque) and found else event

    def read(event: Event) -> TypeGuard[Opaque]:
        return isinstance(event, Opaque)

    guards = [stage(name, on_stream) for name in ("later", "first")]
    driven = await exchange(*guards, reply=completion("", annotation="outside the channels"), stream=stream)
    found = verdicts(driven)
    assert (found["first", "response"], found["later", "response"]) == ("masked", "allowed")


@STREAM
async def test_what_is_partial_is_unread_and_what_is_allowed_is_not(stream: bool) -> None:
    async def to_the_first(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event
            return

    to_the_first.__name__ = "on_stream"
    driven = await exchange(stage("whole", on_response), stage("part", to_the_first), reply=("a", "b"), stream=stream)
    assert driven.outcome is not None
    assert [(one.result, one.unread) for one in driven.outcome.verdicts] == [("allowed", False), ("partial", True)]


@STREAM
async def test_guards_that_were_not_asked_did_not_evaluate(stream: bool) -> None:
    def on_request(self: Stage) -> Answer | None:
        if self.name == "refuses":
            raise Refusal("content_policy_violation")
        return completion("at once") if self.name == "answers" else None

    for decides, first in (("refuses", "not_evaluated"), ("answers", "allowed")):
        guards = [stage(name, on_request, on_response, guard=True) for name in ("first", decides, "last")]
        found = verdicts(await exchange(*guards, stream=stream))
        assert (found["first", "request"], found["first", "response"]) == ("allowed", first)
        assert found[decides, "response"] == "not_evaluated"
        assert (found["last", "request"], found["last", "response"]) == ("not_evaluated", "not_evaluated")


@given(st.lists(st.text(min_size=1, max_size=4), min_size=1, max_size=5), st.data())
async def test_text_that_leaves_in_other_fragments_is_not_masked_and_other_text_is(
    texts: list[str], data: st.DataObject
) -> None:
    whole = "".join(texts)
    cut = data.draw(st.integers(0, len(whole)))
    said = data.draw(st.sampled_from([whole, whole[::-1]]))

    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        held = [event async for event in events]
        yield TextDelta(text=said[:cut])
        yield TextDelta(text=said[cut:])
        for event in held:
            if not isinstance(event, TextEvent):
                yield event

    driven = await exchange(stage("guard", on_stream), reply=texts)
    assert driven.text == said
    assert verdicts(driven)["guard", "response"] == ("allowed" if said == whole else "masked")


@given(st.lists(st.tuples(st.integers(0, 2), st.text("ab", max_size=3)), max_size=8), st.data())
def test_only_the_text_of_each_lane_counts_not_its_fragments_nor_the_order_of_lanes(
    came: list[tuple[int, str]], data: st.DataObject
) -> None:
    left = data.draw(st.permutations(came))
    same = SameText()
    for choice, text in came:
        same.came(TextDelta(choice=choice, text=text))
    for choice, text in left:
        same.left(TextDelta(choice=choice, text=text))
    lanes = [["".join(text for at, text in events if at == choice) for choice in range(3)] for events in (came, left)]
    assert same.altered is (lanes[0] != lanes[1])
