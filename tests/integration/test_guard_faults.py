"""A guard that crashes or takes too long, on every route, asked or answering, whole and streamed: what its policy says
happens, the audit says `error`, and nothing looks like success. A stream that is cut is `partial`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import ClassVar

import pytest

from sentinel_core.context import Context
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, TextEvent
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from tests.integration.guarded import (
    API_CHAT,
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    UNSTREAMED,
    Asked,
    Serving,
    ask,
)
from tests.integration.guarded_fields import ASK, INPUT

CANARY = "canary-9d11"
FAULTS = pytest.mark.parametrize("fault", ["crash", "timeout"])
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
POLICY = pytest.mark.parametrize("policy", ["closed", "open"])
ROUTES = (CHAT, COMPLETIONS, RESPONSES, MESSAGES)
COMPLETE = ("[DONE]", "message_stop", "response.completed", '"finish_reason":"stop"')
"""What clients take for the end of a whole stream."""
LINES = ("one ", "two ", "three")


class Fragile(Stage):
    """Fails in one of its phases, as the word in the request's metadata says."""

    name: ClassVar[str] = "fragile"
    guard = True
    fault: ClassVar[str]

    async def fail(self) -> None:
        """As this guard fails."""
        if self.fault == "crash":
            raise RuntimeError(CANARY)
        await asyncio.Event().wait()


class OnRequest(Fragile):
    """Fails before anybody is called."""

    @hookimpl
    async def on_request(self, ctx: Context) -> None:
        """Fail."""
        await self.fail()


class OnStream(Fragile):
    """Fails at the first text, or at a later one."""

    passes: ClassVar[int] = 0

    @hookimpl
    async def on_stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Hand on so many texts, then fail."""
        texts = 0
        async for event in events:
            if isinstance(event, TextEvent) and event.text:
                texts += 1
                if texts > self.passes:
                    await self.fail()
            yield event


class OnResponse(Fragile):
    """Fails on whole answers; streams are collected for it."""

    @hookimpl
    async def on_response(self, answer: Answer) -> Answer:
        """Fail."""
        await self.fail()
        return answer


def failing(kind: type[Fragile], fault: str, **fields: object) -> type[Fragile]:
    return type("Failing", (kind,), {"fault": fault, **fields})


def table(policy: str) -> TomlTable:
    return {"on_fault": policy, "timeout_s": 0.05}


def body_of(path: str, stream: bool) -> JsonObject:
    body = ASK.get(path) or INPUT[path]["user id" if path == EMBEDDINGS else "user"]
    return {**body, **({"stream": True} if stream else {})}


async def asked(path: str, stream: bool, policy: str, stage: type[Fragile], provider: Serving) -> Asked:
    return await ask(path, body_of(path, stream), provider, stage, fragile=table(policy))


def code_of(path: str, found: Asked) -> str:
    error = found.response.json()["error"]
    return str(error["type"] if path.startswith(MESSAGES) else error["code"])


@FAULTS
@STREAM
@pytest.mark.parametrize("path", [*ROUTES, EMBEDDINGS, COUNT_TOKENS, API_CHAT])
async def test_a_guard_that_fails_on_a_request_closes_and_calls_nobody(
    path: str, stream: bool, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    if stream and path in UNSTREAMED:
        return
    found = await asked(path, stream, "closed", failing(OnRequest, fault), Serving(LINES))
    assert (found.response.status_code, found.provider.calls) == (503, [])
    assert code_of(path, found) == ("overloaded_error" if path.startswith(MESSAGES) else "guard_unavailable")
    assert found.verdicts["fragile", "request"] == "error"
    assert (found.record["status"], found.record["error"]) == ("failed", "guard_unavailable")
    assert CANARY not in found.response.text + caplog.text + json.dumps(found.record)


@FAULTS
@STREAM
@pytest.mark.parametrize("path", ROUTES)
async def test_a_guard_that_may_fail_open_lets_the_request_go_and_did_not_allow_it(
    path: str, stream: bool, fault: str
) -> None:
    found = await asked(path, stream, "open", failing(OnRequest, fault), Serving(LINES))
    assert (found.response.status_code, len(found.provider.calls)) == (200, 1)
    assert found.verdicts["fragile", "request"] == "error"


@FAULTS
@STREAM
@POLICY
@pytest.mark.parametrize("path", ROUTES)
async def test_a_guard_that_fails_before_a_reply_leaves_ends_it_and_a_stream_whatever_the_policy(
    path: str, policy: str, stream: bool, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    found = await asked(path, stream, policy, failing(OnStream, fault), Serving(LINES))
    if policy == "closed" or stream:
        assert not any(word in found.response.text for word in (*COMPLETE, *LINES))
        assert (found.record["status"], found.record["error"]) == ("failed", "guard_unavailable")
    else:
        assert found.response.status_code == 200
    assert found.verdicts["fragile", "response"] == "error"
    assert CANARY not in found.response.text + caplog.text + json.dumps(found.record)


@FAULTS
@POLICY
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
async def test_a_guard_that_fails_in_the_middle_of_a_stream_ends_it_with_an_error(
    path: str, policy: str, fault: str
) -> None:
    found = await asked(path, True, policy, failing(OnStream, fault, passes=2), Serving(LINES))
    assert found.response.status_code == 200
    assert "one " in found.response.text
    assert "three" not in found.response.text
    assert not any(word in found.response.text for word in COMPLETE)
    assert "error" in found.response.text
    assert (found.record["status"], found.record["error"]) == ("failed", "guard_unavailable")
    assert found.verdicts["fragile", "response"] == "error"


@FAULTS
@STREAM
@POLICY
@pytest.mark.parametrize("path", ROUTES)
async def test_a_guard_that_fails_on_a_whole_answer_does_what_its_policy_says(
    path: str, policy: str, stream: bool, fault: str
) -> None:
    found = await asked(path, stream, policy, failing(OnResponse, fault), Serving(LINES))
    assert found.verdicts["fragile", "response"] == "error"
    if policy == "closed":
        assert (found.response.status_code, code_of(path, found)) == (
            503,
            "overloaded_error" if path == MESSAGES else "guard_unavailable",
        )
        assert found.record["status"] == "failed"
    else:
        assert found.response.status_code == 200


@pytest.mark.parametrize("guard", ["pii", "secrets"])
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
async def test_of_a_stream_that_is_cut_a_guard_saw_a_part(path: str, guard: str) -> None:
    provider = Serving((*LINES, UpstreamError("upstream_stream_interrupted")))
    found = await ask(path, {**ASK[path], "stream": True}, provider, **{guard: {}})
    assert found.verdicts[guard, "response"] == "partial"
    assert found.record["status"] == "failed"
    assert not any(word in found.response.text for word in COMPLETE)
