"""Replay 13: a guard that was skipped and audited as success, or that blocked and was billed (litellm #35257, #18261,
#20045, api7/aisix #815).

Every route, whole and streamed, every field of H46 and H48, with guards that block whatever they read.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import httpx
import pytest

from sentinel_core import Gateway, Registry, Stage, hookimpl
from sentinel_core.config import settings_from
from sentinel_core.context import Call, Outcome
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_completions import OPENAI_COMPLETIONS
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Event
from sentinel_core.reply import EventStream, Reply
from sentinel_core.stage import StageConfig
from sentinel_core.testing import FakeProvider
from sentinel_core.testing.fake_provider import Script
from sentinel_core.testing.replies import chunk, completion
from sentinel_server import asgi
from tests.core.dialects.cuts import payloads
from tests.plugins.guarding.guards import verdicts_of
from tests.upstream.payloads import text_completion, text_stream

CANARY = "ssn 123-45-6789"
DENY = {"entities": [], "action": "block", "custom": {"ANYTHING": {"pattern": "(?s).{1,1000}", "max_length": 1000}}}
GUARDS = ("pii", "secrets")


class Watching(Stage):
    """Keeps how every exchange ended, and what the guards said."""

    name = "watching"
    observer = True
    outcomes: list[Outcome]

    def __init__(self, config: StageConfig) -> None:
        super().__init__(config)
        self.outcomes = OUTCOMES

    @hookimpl
    def on_finish(self, outcome: Outcome) -> None:
        """Note one ending."""
        self.outcomes.append(outcome)


OUTCOMES: list[Outcome] = []


class Asked(NamedTuple):
    """What came of one request."""

    response: httpx.Response
    provider: FakeProvider
    verdicts: Mapping[tuple[str, str], str]


@asynccontextmanager
async def client(provider: FakeProvider, **stages: Mapping[str, Any]) -> AsyncIterator[httpx.AsyncClient]:
    registry = Registry()
    registry.register(provider.kind())
    registry.register(Watching)
    tables: dict[str, Any] = {"providers": {"fake": {}}, "stages": {"watching": {}, **stages}}
    async with Gateway(settings_from(tables), registry=registry) as gateway:
        transport = httpx.ASGITransport(app=asgi(gateway))
        async with httpx.AsyncClient(transport=transport, base_url="http://host") as http:
            yield http


async def ask(path: str, body: Mapping[str, Any], script: Script, **stages: Mapping[str, Any]) -> Asked:
    OUTCOMES.clear()
    provider = Serving(script)
    async with client(provider, **stages) as http:
        response = await http.post(path, json=body)
    return Asked(response, provider, verdicts_of(OUTCOMES[-1]))


class Serving(FakeProvider):
    """Serves every operation; what it completes is the canary."""

    operations = frozenset({"chat", "completion", "embedding", "response", "count_tokens"})

    async def call(self, call: Call) -> Reply:
        if call.request.dialect is not OPENAI_COMPLETIONS:
            return await super().call(call)
        self.calls.append(call)
        if call.request.stream:
            return EventStream(_completing())
        return OPENAI_COMPLETIONS.decode_answer(json.dumps(text_completion(CANARY)).encode())


async def _completing() -> AsyncIterator[Event]:
    decoder = OPENAI_COMPLETIONS.stream_decoder()
    for data, _ in payloads(SseParser(), text_stream(CANARY)):
        for event in decoder.decode(data):
            yield event


def chat(**fields: Any) -> dict[str, Any]:
    return {"model": "fake", "messages": [{"role": "user", "content": ""}], **fields}


def tool(**function: Any) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}, **function}}


def call(arguments: str) -> dict[str, Any]:
    return {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}}


def said(*messages: Mapping[str, Any], **fields: Any) -> dict[str, Any]:
    return {"model": "fake", "messages": list(messages), **fields}


CHAT, COMPLETIONS, RESPONSES, MESSAGES = "/v1/chat/completions", "/v1/completions", "/v1/responses", "/v1/messages"
IMAGE = {"type": "image_url", "image_url": {"url": "https://x.test/a.png", "alt": CANARY}}

INPUT: dict[str, tuple[str, dict[str, Any]]] = {
    "chat user": (CHAT, said({"role": "user", "content": CANARY})),
    "chat system": (CHAT, said({"role": "system", "content": CANARY})),
    "chat tool result": (CHAT, said({"role": "tool", "tool_call_id": "c", "content": CANARY})),
    "chat arguments": (CHAT, said({"role": "assistant", "tool_calls": [call(json.dumps({"x": CANARY}))]})),
    "chat name": (CHAT, said({"role": "user", "name": CANARY, "content": ""})),
    "chat part": (CHAT, said({"role": "user", "content": [{"type": "text", "text": CANARY}]})),
    "chat image": (CHAT, said({"role": "user", "content": [IMAGE]})),
    "chat two contents": (CHAT, said({"role": "user", "content": "", "content_blocks": [{"text": CANARY}]})),
    "chat turn before": (CHAT, said({"role": "user", "content": CANARY}, {"role": "user", "content": ""})),
    "chat tool description": (CHAT, chat(tools=[tool(description=CANARY)])),
    "chat tool schema": (CHAT, chat(tools=[tool(parameters={"properties": {"x": {"description": CANARY}}})])),
    "chat unknown field": (CHAT, chat(x_unknown={"deep": [CANARY]})),
    "chat unknown key": (CHAT, chat(x_unknown={CANARY: 1})),
    "chat far in": (CHAT, said({"role": "user", "content": " " * 100_000 + CANARY})),
    "completions prompt": (COMPLETIONS, {"model": "fake", "prompt": CANARY}),
    "completions suffix": (COMPLETIONS, {"model": "fake", "prompt": "", "suffix": CANARY}),
    "responses input": (RESPONSES, {"model": "fake", "input": CANARY}),
    "responses instructions": (RESPONSES, {"model": "fake", "input": "", "instructions": CANARY}),
    "messages user": (MESSAGES, said({"role": "user", "content": CANARY}, max_tokens=9)),
    "messages system": (MESSAGES, said({"role": "user", "content": ""}, max_tokens=9, system=CANARY)),
    "messages tool input": (
        MESSAGES,
        said(
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "f", "input": {"x": CANARY}}]},
            max_tokens=9,
        ),
    ),
    "embeddings input": ("/v1/embeddings", {"model": "fake", "input": CANARY}),
    "count_tokens": ("/v1/messages/count_tokens", said({"role": "user", "content": CANARY})),
}
UNSTREAMED = ("/v1/embeddings", "/v1/messages/count_tokens")


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("name", INPUT)
async def test_h46_what_blocks_a_request_calls_nobody(name: str, stream: bool, guard: str) -> None:
    path, body = INPUT[name]
    if stream and path in UNSTREAMED:
        return
    asked = await ask(path, {**body, "stream": True} if stream else body, ("out",), **{guard: DENY})
    assert asked.response.status_code == 400
    assert asked.provider.calls == []
    assert asked.verdicts[guard, "request"] == "blocked"
    assert "123-45" not in asked.response.text


ASK: dict[str, dict[str, Any]] = {
    CHAT: chat(),
    COMPLETIONS: {"model": "fake", "prompt": "x"},
    RESPONSES: {"model": "fake", "input": "x"},
    MESSAGES: said({"role": "user", "content": "x"}, max_tokens=9),
}
TOOL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": CANARY})}}
DELTAS: dict[str, Mapping[str, Any]] = {
    "content": {"content": CANARY},
    "reasoning": {"reasoning_content": CANARY},
    "refusal": {"refusal": CANARY},
    "arguments": {"tool_calls": [TOOL]},
    "unknown field": {"content": "", "x_note": CANARY},
    "annotations": {"content": "", "annotations": [{"url_citation": {"title": CANARY}}]},
}
RESPONSE_ONLY = {**DENY, "direction": "response"}


def streamed(delta: Mapping[str, Any]) -> Sequence[bytes]:
    return [chunk(dict(delta))]


def whole(delta: Mapping[str, Any]) -> Any:  # an answer
    calls = [{key: value for key, value in TOOL.items() if key != "index"}] if "tool_calls" in delta else None
    message = {"role": "assistant", "content": None, **delta, **({"tool_calls": calls} if calls else {})}
    body = dict(completion("").body)
    body["choices"] = [{"index": 0, "message": message, "finish_reason": "stop"}]
    return OPENAI_CHAT.decode_answer(json.dumps(body).encode())


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", ASK)
@pytest.mark.parametrize("field", DELTAS)
async def test_h48_what_blocks_a_reply_lets_nothing_of_it_out(field: str, path: str, stream: bool, guard: str) -> None:
    delta = DELTAS[field]
    if path != CHAT and field in ("unknown field", "annotations"):
        return  # not translated
    if path == COMPLETIONS and field != "content":
        return  # not translated
    script: Script = streamed(delta) if stream else whole(delta)
    asked = await ask(path, {**ASK[path], "stream": stream}, script, **{guard: RESPONSE_ONLY})
    assert len(asked.provider.calls) == 1
    assert asked.response.status_code == 400
    assert asked.verdicts[guard, "response"] == "blocked"
    assert "123-45" not in asked.response.text
    assert "ssn" not in asked.response.text


@pytest.mark.parametrize("guard", GUARDS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
async def test_h48_second_choices_and_logprobs(stream: bool, guard: str) -> None:
    script: Script = [chunk({"content": ""}), chunk({"content": CANARY}, choice=1), chunk({}, finish="stop", choice=1)]
    if not stream:
        choices = [{"index": n, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                   for n, text in enumerate(("", CANARY))]  # fmt: skip
        script = OPENAI_CHAT.decode_answer(json.dumps({**completion("").body, "choices": choices}).encode())
    asked = await ask(CHAT, {**chat(n=2), "stream": stream}, script, **{guard: RESPONSE_ONLY})
    assert (asked.response.status_code, asked.verdicts[guard, "response"]) == (400, "blocked")
    assert "123-45" not in asked.response.text


@pytest.mark.parametrize("guard", GUARDS)
async def test_h48_the_words_of_an_upstreams_error(guard: str) -> None:
    error = UpstreamError("upstream_error", CANARY, verbatim=True)
    asked = await ask(CHAT, chat(), error, **{guard: RESPONSE_ONLY})
    assert asked.response.status_code == 502
    assert "123-45" not in asked.response.text
