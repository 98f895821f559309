"""A stage that fails open on a reply leaves what it was given, and nothing else, behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from sentinel_core.context import Context
from sentinel_core.errors import ERRORS, UpstreamError
from sentinel_core.keys import Key
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import context
from tests.core.chain.stages import exchange, open_on_fault, released, stage, verdicts

NOTE: Key[str] = Key("note")


@pytest.mark.parametrize("how", ["raises", "cancels itself", "gives no answer"])
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
async def test_facts_and_headers_are_as_they_were(stream: bool, how: str) -> None:
    def before(self: Stage, answer: Answer, ctx: Context) -> Answer:
        ctx[NOTE] = ctx.headers["x-note"] = "of the stage inside"
        return answer

    def on_response(self: Stage, answer: Answer, ctx: Context) -> Any:  # Any: no answer
        ctx[NOTE] = ctx.headers["x-note"] = ctx.headers["x-left"] = "behind"
        if how != "gives no answer":
            raise asyncio.CancelledError if how == "cancels itself" else RuntimeError

    before.__name__ = "on_response"
    ctx = context(stream=stream)
    stages = stage("broken", on_response, config=open_on_fault()), stage("inside", before)
    driven = await exchange(*stages, ctx=ctx)
    assert (driven.error, driven.text) == (None, "Hello")
    assert (ctx[NOTE], dict(ctx.headers)) == ("of the stage inside", {"x-note": "of the stage inside"})
    assert verdicts(driven)["broken", "response"] == "error"
    assert released(driven)["broken", "response"] == len("Hello")


@pytest.mark.parametrize(("config", "left"), [(open_on_fault(), len("Hello")), (None, 0)], ids=["open", "closed"])
async def test_a_request_that_goes_on_past_a_fault_has_left_the_guard(config: StageConfig | None, left: int) -> None:
    def on_request(self: Stage, ctx: Context) -> None:
        raise RuntimeError

    driven = await exchange(stage("guard", on_request, guard=True, config=config))
    assert verdicts(driven)["guard", "request"] == "error"
    assert released(driven)["guard", "request"] == left


async def test_headers_that_have_left_are_not_taken_back() -> None:
    """A stream that is collected for long enough has a head while its guards are still to fail."""

    def on_request(self: Stage, ctx: Context) -> None:
        ctx.headers["x-note"] = "early"

    def on_response(self: Stage, ctx: Context) -> Answer:
        ctx.headers.committed = True
        raise RuntimeError

    ctx = context(stream=True)
    driven = await exchange(stage("broken", on_request, on_response, config=open_on_fault()), ctx=ctx)
    assert (driven.error, dict(ctx.headers)) == (None, {"x-note": "early"})


async def test_headers_are_as_they_were_where_it_read_an_upstreams_own_words() -> None:
    def on_response(self: Stage, ctx: Context) -> Answer:
        ctx.headers["x-left"] = "behind"
        raise RuntimeError

    ctx, error = context(), UpstreamError("upstream_error", "quota of org-42", verbatim=True)
    driven = await exchange(stage("guard", on_response, config=open_on_fault()), reply=error, ctx=ctx)
    assert driven.error is error
    assert (error.message, dict(ctx.headers)) == (ERRORS["upstream_error"].message, {})
