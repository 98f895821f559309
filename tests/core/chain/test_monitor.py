"""A guard that monitors decides nothing: what it would have done is recorded, and nothing of it reaches the caller."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.context import Context
from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from sentinel_core.testing import FakeProvider, chain_of, completion, context
from tests.core.chain.stages import exchange, monitoring, released, stage, verdicts, without_assembly


@pytest.mark.parametrize("decision", ["refuse", "replace", "answer", "nonsense", "fault", "nothing"])
async def test_nothing_that_a_monitoring_guard_does_with_a_request_reaches_the_caller(decision: str) -> None:
    def on_request(self: Stage, ctx: Context) -> Any:  # Any: nonsense is the point
        ctx.headers["x-seen"] = "by the monitor"
        if decision == "refuse":
            raise Refusal("content_policy_violation")
        if decision == "fault":
            raise RuntimeError
        if decision == "replace":
            ctx.request = ctx.request.with_fields(temperature=2)
        return {"answer": completion("no"), "nonsense": "no"}.get(decision)

    ctx = context(stream=True)
    driven = await exchange(stage("guard", on_request, guard=True, config=monitoring()), ctx=ctx)
    assert (driven.error, driven.text) == (None, "Hello")
    assert dict(ctx.headers) == {}
    assert "temperature" not in driven.sent[0].request.body
    expected = {"fault": "error", "nonsense": "error", "nothing": "allowed"}.get(decision, "monitored")
    assert verdicts(driven)["guard", "request"] == expected
    assert released(driven)["guard", "request"] == len("Hello")


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
@pytest.mark.parametrize(
    ("decision", "verdict"),
    [("refuse", "monitored"), ("replace", "monitored"), ("fault", "error"), ("cancel", "error"), ("pass", "allowed")],
)
async def test_a_reply_is_shown_to_a_monitoring_guard_after_the_caller_has_it(
    stream: bool, decision: str, verdict: str
) -> None:
    seen: list[str] = []
    finished: list[str] = []

    def on_response(self: Stage, answer: Answer) -> Answer:
        seen.extend(slot.text for slot in answer.texts() if slot.text == "Hello")
        if decision == "refuse":
            raise Refusal("content_policy_violation")
        if decision in ("fault", "cancel"):
            raise RuntimeError if decision == "fault" else asyncio.CancelledError
        changed = {slot.path: "***" for slot in answer.texts() if slot.text == "Hello"}
        return answer.with_texts(changed) if decision == "replace" else answer

    def on_finish(self: Stage) -> None:
        finished.append(self.name)

    guard = stage("guard", on_response, on_finish, config=monitoring())
    driven = await exchange(guard, reply=("Hel", "lo"), stream=stream)
    assert (driven.error, driven.text) == (None, "Hello")
    assert (seen, finished) == (["Hello"], ["guard"])
    assert verdicts(driven)["guard", "response"] == verdict
    assert released(driven)["guard", "response"] == len("Hello")


async def test_a_monitoring_guard_that_did_not_see_the_end_saw_a_part() -> None:
    def on_response(self: Stage, answer: Answer) -> Answer:
        return answer

    tracker = Tracker()
    chain = chain_of([stage("guard", on_response, config=monitoring())], FakeProvider(("a", "b")), tracker)
    running = Exchange(chain, context(stream=True))
    async with running as reply:
        assert isinstance(reply, Delivery)
        await anext(reply)
    assert running.outcome is not None
    assert [verdict.result for verdict in running.outcome.verdicts] == ["partial"]


@pytest.mark.parametrize("error", [UpstreamError("upstream_invalid_response"), KeyError("index")])
async def test_a_stream_that_is_no_answer_of_its_dialect_is_noted_and_the_finishers_run(
    error: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    finished: list[str] = []

    def on_response(self: Stage, answer: Answer) -> Answer:
        return answer

    async def on_finish(self: Stage) -> None:
        finished.append(self.name)

    without_assembly(monkeypatch, error)
    guards = [stage(name, on_response, config=monitoring()) for name in ("outer", "inner")]
    driven = await exchange(stage("settles", on_finish), *guards)
    assert (driven.error, driven.text, finished) == (None, "Hello", ["settles"])
    assert verdicts(driven) == {("outer", "response"): "error", ("inner", "response"): "error"}
    assert released(driven) == {("outer", "response"): 5, ("inner", "response"): 5}
    assert f"stage inner raised in on_response: {type(error).__name__}" in caplog.text
