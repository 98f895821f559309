"""A decision is not a fault: what each kind of exception does, by phase and policy."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from sentinel_core.context import Call, CallNext, Context, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import ERRORS, Refusal, StageFault, UpstreamError
from sentinel_core.events import Event
from sentinel_core.keys import Key
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import context
from sentinel_core.transform import Transformed
from tests.core.chain.stages import Method, exchange, open_on_fault, stage, verdicts

NOTE: Key[str] = Key("note")
SECRET = "4111 1111 1111 1111"
TIMEOUT_S = 0.1


class Tag:
    """A restoration that marks every text."""

    def answer(self, answer: Answer) -> Answer:
        return answer.with_texts({slot.path: "tagged" for slot in answer.texts()})

    def event(self, event: Any) -> Any:  # any text event, the same kind back
        return event.with_text("tagged")

    def rest(self, choice: int | None = None) -> tuple[()]:
        return ()


def on_request(self: Stage, ctx: Context) -> None:
    """Touch everything, then fail."""
    ctx[NOTE] = "left behind"
    ctx.headers["x-left"] = "behind"
    ctx.request = ctx.request.with_fields(temperature=2)
    ctx.restore_with(Tag())
    raise RuntimeError(SECRET)


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_a_fault_refuses_the_request_and_says_nothing_of_its_cause(
    stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    driven = await exchange(stage("broken", on_request), stream=stream)
    assert isinstance(driven.error, StageFault)
    assert driven.error.message == ERRORS["internal_error"].message
    assert driven.sent == []
    assert "stage broken raised in on_request: RuntimeError" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_a_stage_that_fails_open_leaves_request_facts_headers_and_restorations_as_they_were(stream: bool) -> None:
    ctx = context(stream=stream)
    driven = await exchange(stage("broken", on_request, config=open_on_fault()), ctx=ctx)
    assert (driven.error, driven.text) == (None, "Hello")
    assert NOTE not in ctx
    assert dict(ctx.headers) == {}
    assert ctx.restorations == []
    assert "temperature" not in driven.sent[0].request.body


async def test_a_refusal_of_a_stage_that_fails_open_is_honoured() -> None:
    def on_request(self: Stage) -> None:
        raise Refusal("content_policy_violation")

    driven = await exchange(stage("guard", on_request, config=open_on_fault()))
    assert isinstance(driven.error, Refusal)


async def test_a_cancellation_that_nobody_asked_for_is_a_fault() -> None:
    async def on_request(self: Stage) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        task.cancel()
        await task

    driven = await exchange(stage("broken", on_request))
    assert isinstance(driven.error, StageFault)


@pytest.mark.parametrize("on_fault", ["closed", "open"])
async def test_dispatch_fails_open_only_before_call_next(on_fault: Any) -> None:  # Any: a Literal
    async def before(self: Stage, call: Call, call_next: CallNext) -> Reply:
        raise RuntimeError(SECRET)

    async def after(self: Stage, call: Call, call_next: CallNext) -> Reply:
        await call_next(call)
        raise RuntimeError(SECRET)

    before.__name__ = after.__name__ = "dispatch"
    config = StageConfig(on_fault=on_fault)
    early = await exchange(stage("early", before, config=config))
    late = await exchange(stage("late", after, config=config))
    assert (early.error is None) is (on_fault == "open")
    assert isinstance(late.error, StageFault)


async def test_an_upstream_error_passes_dispatch_unblamed() -> None:
    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        reply: Reply = await call_next(call)
        return reply

    error = UpstreamError("upstream_timeout")
    assert (await exchange(stage("passes", dispatch), reply=error)).error is error


async def test_a_fault_in_on_stream_ends_the_reply_whatever_the_policy() -> None:
    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            yield event
            raise RuntimeError(SECRET)

    driven = await exchange(stage("broken", on_stream, config=open_on_fault()))
    assert isinstance(driven.error, StageFault)
    assert driven.error.code == "guard_unavailable"


@pytest.mark.parametrize("how", ["raised", "took too long"])
async def test_a_collected_stream_is_emitted_again_if_its_guard_fails_open_and_it_is_not_called_allowed(
    how: str,
) -> None:
    async def on_response(self: Stage, answer: Answer) -> Answer:
        if how == "raised":
            raise RuntimeError(SECRET)
        await asyncio.Event().wait()
        return answer

    closed = await exchange(stage("guard", on_response, config=StageConfig(timeout_s=TIMEOUT_S)), reply=("a", "b"))
    config = StageConfig(on_fault="open", timeout_s=TIMEOUT_S)
    opened = await exchange(stage("guard", on_response, config=config), reply=("a", "b"))
    assert isinstance(closed.error, StageFault)
    assert closed.error.reason == how
    assert (closed.text, opened.error, opened.text) == ("", None, "ab")
    assert verdicts(closed)["guard", "response"] == verdicts(opened)["guard", "response"] == "error"


async def _nones(events: AsyncIterator[Event]) -> AsyncIterator[Any]:  # Any: what no stage may hand on
    async for event in events:
        yield None
        yield event


class Wrong:
    """A transform that gives something that is no event, or nothing that could be gone through."""

    def __init__(self, given: Any) -> None:  # Any: what no transform may give
        self._given = given

    def event(self, event: Event) -> Any:  # as above
        return self._given

    def end(self) -> tuple[()]:
        return ()


@pytest.mark.parametrize("given", ["yields", (None,), None], ids=["a generator", "a transform", "no sequence"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_what_is_no_event_is_the_fault_of_the_stage_that_hands_it_on(
    given: Any,  # Any: what no stage may hand on
    stream: bool,
) -> None:
    def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        return _nones(events) if given == "yields" else Transformed(Wrong(given), events)

    driven = await exchange(stage("wrong", on_stream), stage("bystander"), stream=stream)
    assert isinstance(driven.error, StageFault)
    assert (driven.error.stage, driven.error.code) == ("wrong", "guard_unavailable")
    assert verdicts(driven)["wrong", "response"] == "error"


async def test_a_finisher_that_fails_is_logged_and_the_others_run(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[str] = []

    def on_finish(self: Stage, outcome: Outcome) -> None:
        ran.append(self.name)
        if self.name == "second":
            raise asyncio.CancelledError(SECRET)

    driven = await exchange(*(stage(name, on_finish) for name in ("first", "second", "third")), stream=False)
    assert (driven.error, ran) == (None, ["third", "second", "first"])
    assert "stage second raised in on_finish" in caplog.text
    assert SECRET not in caplog.text


@pytest.mark.parametrize("phase", ["on_request", "dispatch", "on_response", "on_stream"])
async def test_a_stage_that_takes_too_long_is_a_fault(phase: str) -> None:
    async def on_request(self: Stage) -> None:
        await asyncio.Event().wait()

    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Any:  # never a reply
        await asyncio.Event().wait()

    async def on_response(self: Stage, answer: Answer) -> Any:  # never an answer
        await asyncio.Event().wait()

    async def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        async for event in events:
            await asyncio.Event().wait()
            yield event

    phases: dict[str, Method] = {
        "on_request": on_request,
        "dispatch": dispatch,
        "on_response": on_response,
        "on_stream": on_stream,
    }
    config = StageConfig(timeout_s=TIMEOUT_S)
    driven = await exchange(stage("slow", phases[phase], config=config), stream=phase != "on_response")
    assert isinstance(driven.error, StageFault)
    assert driven.error.reason == "took too long"


@pytest.mark.parametrize("on_fault", ["closed", "open"])
async def test_a_stream_that_a_stage_answers_with_too_late_is_closed(on_fault: Any) -> None:  # Any: a Literal
    closed: list[str] = []

    async def close() -> None:
        closed.append("stream")

    async def nothing() -> AsyncIterator[Event]:
        return
        yield

    async def on_request(self: Stage) -> EventStream:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return EventStream(nothing(), close, dialect=OPENAI_CHAT)
        raise AssertionError

    driven = await exchange(stage("late", on_request, config=StageConfig(timeout_s=TIMEOUT_S, on_fault=on_fault)))
    assert (driven.error is None, driven.text) == ((True, "Hello") if on_fault == "open" else (False, ""))
    assert closed == ["stream"]


async def test_a_timeout_does_not_run_while_a_stage_waits_for_the_upstream_from_two_legs() -> None:
    async def dispatch(self: Stage, call: Call, call_next: CallNext) -> Reply:
        legs = [asyncio.create_task(call_next(call)) for _ in range(2)]
        await asyncio.wait(legs)
        discarded: Reply = legs[1].result()
        assert isinstance(discarded, Answer)
        reply: Reply = legs[0].result()
        return reply

    async def slow(self: Stage, call: Call, call_next: CallNext) -> Reply:
        await asyncio.sleep(3 * TIMEOUT_S)
        reply: Reply = await call_next(call)
        return reply

    slow.__name__ = "dispatch"
    ctx = context(stream=False)
    driven = await exchange(
        stage("hedge", dispatch, config=StageConfig(timeout_s=TIMEOUT_S)), stage("slow", slow), ctx=ctx
    )
    assert driven.error is None
    assert 0 <= ctx.timings["hedge"] < TIMEOUT_S
    assert ctx.timings["slow"] >= 2 * TIMEOUT_S


@pytest.mark.parametrize(
    ("decides", "shown"),
    [("passes", "quota of org-42"), ("masks", "quota of ***"), ("refuses", None), ("fails", None), ("cancels", None)],
)
async def test_an_upstreams_own_words_pass_the_guards_before_the_caller_sees_them(
    decides: str, shown: str | None
) -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        if decides == "refuses":
            raise Refusal("content_policy_violation")
        if decides in ("fails", "cancels"):
            raise RuntimeError(SECRET) if decides == "fails" else asyncio.CancelledError
        changed = {slot.path: slot.text.replace("org-42", "***") for slot in answer.texts() if "org-42" in slot.text}
        return answer.with_texts(changed) if decides == "masks" else answer

    error = UpstreamError("upstream_error", "quota of org-42", verbatim=True)
    driven = await exchange(stage("guard", on_response), reply=error)
    assert driven.error is error
    assert driven.error.message == (shown or ERRORS["upstream_error"].message)


async def test_a_guard_that_fails_open_did_not_evaluate_in_truth() -> None:
    driven = await exchange(stage("guard", on_request, guard=True, config=open_on_fault()))
    assert verdicts(driven)["guard", "request"] == "error"
