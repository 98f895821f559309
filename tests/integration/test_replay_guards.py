"""Replay 13: a guard that was skipped and audited as success, or that blocked and was billed (litellm #35257, #18261,
#20045, api7/aisix #815).

Every route, whole and streamed, every field of H46 and H48, with guards that block whatever they read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonMapping
from sentinel_core.testing.fake_provider import Script
from sentinel_core.testing.replies import chunk, completion
from tests.integration.guarded import (
    API_CHAT,
    CANARY,
    CHAT,
    COMPLETIONS,
    DENY,
    MESSAGES,
    RESPONSES,
    UNSTREAMED,
    Asked,
    Native,
    Serving,
    ask,
    asking,
)
from tests.integration.guarded_fields import ASK, INPUT, chat
from tests.upstream import sse
from tests.upstream.anthropic import block, ending, message, named, opening
from tests.upstream.payloads import DONE, response, response_stream

GUARDS = ("pii", "secrets")
STREAM = pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
GUARD = pytest.mark.parametrize("guard", GUARDS)
RESPONSE_ONLY = {**DENY, "direction": "response"}


@GUARD
@STREAM
@pytest.mark.parametrize("path", INPUT)
async def test_h46_h47_replay_13_what_blocks_a_request_calls_nobody(path: str, stream: bool, guard: str) -> None:
    if stream and path in UNSTREAMED:
        return
    provider, passed = Serving(("out",)), {}
    async with asking(provider, **{guard: DENY}) as send:
        for name, body in INPUT[path].items():
            asked = await send(path, {**body, "stream": True} if stream else body)
            if not blocked(asked, guard):
                passed[name] = (asked.response.status_code, asked.verdicts)
    assert (passed, provider.calls) == ({}, [])


def blocked(asked: Asked, guard: str) -> bool:
    """The request was refused, the audit says so, and the payload is nowhere."""
    record = asked.record
    truly = asked.verdicts[guard, "request"] == "blocked" and (record["status"], record["attempts"]) == ("refused", 0)
    shown = "123-45" in asked.response.text + json.dumps(record)
    return asked.response.status_code == 400 and truly and not shown


def nothing_left(asked: Asked, guard: str) -> None:
    """The reply came, was looked at and blocked, and no payload byte of it reached the caller."""
    assert len(asked.provider.calls) == 1
    assert asked.response.status_code == 400
    assert asked.verdicts[guard, "response"] == "blocked"
    assert asked.record["status"] == "refused"
    assert "123-45" not in asked.response.text + json.dumps(asked.record)
    assert "ssn" not in asked.response.text


TOOL = {"index": 0, "id": "c", "type": "function", "function": {"name": "f", "arguments": json.dumps({"x": CANARY})}}
DELTAS: dict[str, JsonMapping] = {
    "content": {"content": CANARY},
    "reasoning": {"reasoning_content": CANARY},
    "refusal": {"refusal": CANARY},
    "arguments": {"tool_calls": [TOOL]},
    "unknown field": {"content": "", "x_note": CANARY},
    "unknown key": {"content": "", "x_note": {CANARY: 1}},
    "annotations": {"content": "", "annotations": [{"url_citation": {"title": CANARY}}]},
    "audio transcript": {"content": "", "audio": {"id": "a", "transcript": CANARY}},
}
TRANSLATED = ("content", "reasoning", "refusal", "arguments")


def streamed(delta: JsonMapping) -> Sequence[bytes]:
    return [chunk(dict(delta))]


def whole(delta: Mapping[str, Any]) -> Any:  # an answer
    calls = [{key: value for key, value in TOOL.items() if key != "index"}] if "tool_calls" in delta else None
    said = {"role": "assistant", "content": None, **delta, **({"tool_calls": calls} if calls else {})}
    body = dict(completion("").body)
    body["choices"] = [{"index": 0, "message": said, "finish_reason": "stop"}]
    return OPENAI_CHAT.decode_answer(json.dumps(body).encode())


@GUARD
@STREAM
@pytest.mark.parametrize("path", ASK)
@pytest.mark.parametrize("field", DELTAS)
async def test_h48_what_blocks_a_reply_lets_nothing_of_it_out(field: str, path: str, stream: bool, guard: str) -> None:
    delta = DELTAS[field]
    if (path not in (CHAT, API_CHAT) and field not in TRANSLATED) or (path == COMPLETIONS and field != "content"):
        return  # not translated
    if stream and path in UNSTREAMED:
        return
    script: Script = streamed(delta) if stream else whole(delta)
    body = {**ASK[path], **({"stream": True} if stream else {})}
    nothing_left(await ask(path, body, Serving(script), **{guard: RESPONSE_ONLY}), guard)


@GUARD
@STREAM
async def test_h48_second_choices(stream: bool, guard: str) -> None:
    script: Script = [chunk({"content": ""}), chunk({"content": CANARY}, choice=1), chunk({}, finish="stop", choice=1)]
    if not stream:
        choices = [{"index": n, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
                   for n, text in enumerate(("", CANARY))]  # fmt: skip
        script = OPENAI_CHAT.decode_answer(json.dumps({**completion("").body, "choices": choices}).encode())
    nothing_left(await ask(CHAT, {**chat(n=2), "stream": stream}, Serving(script), **{guard: RESPONSE_ONLY}), guard)


LOGPROBS = {"content": [{"token": CANARY, "logprob": -0.1, "bytes": None, "top_logprobs": []}]}


@GUARD
@STREAM
async def test_h48_tokens_of_logprobs_are_text_too(stream: bool, guard: str) -> None:
    choice = {"index": 0, "finish_reason": "stop", "logprobs": LOGPROBS}
    body = {**completion("").body, "choices": [{**choice, "message": {"role": "assistant", "content": ""}}]}
    head = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    frames = [sse({**head, "choices": [{**choice, "delta": {"content": ""}}]}), DONE]
    asked = await ask(CHAT, {**chat(logprobs=True), "stream": stream}, Native(body, frames), **{guard: RESPONSE_ONLY})
    nothing_left(asked, guard)


ITEM_TEXT: Mapping[str, JsonMapping] = {
    "content": {"type": "output_text", "text": CANARY, "annotations": []},
    "refusal": {"type": "refusal", "refusal": CANARY},
    "citation": {"type": "output_text", "text": "", "annotations": [{"type": "url_citation", "title": CANARY}]},
    "logprobs": {"type": "output_text", "text": "", "annotations": [], "logprobs": LOGPROBS["content"]},
}
ITEMS: Mapping[str, JsonMapping] = {
    **{
        name: {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": [part]}
        for name, part in ITEM_TEXT.items()
    },
    "arguments": {"type": "function_call", "id": "i", "call_id": "c", "name": "f", "arguments": json.dumps([CANARY])},
    "summary": {"type": "reasoning", "id": "r", "summary": [{"type": "summary_text", "text": CANARY}]},
    "reasoning": {"type": "reasoning", "id": "r", "content": [{"type": "reasoning_text", "text": CANARY}]},
    "item nobody knows": {"type": "x_new", "id": "x", "notes": {"deep": [CANARY]}},
}


@GUARD
@STREAM
@pytest.mark.parametrize("field", ITEMS)
async def test_h48_what_responses_say_natively(field: str, stream: bool, guard: str) -> None:
    body = response("", output=[ITEMS[field]])
    done = {"type": "response.output_item.done", "output_index": 0, "item": ITEMS[field]}
    frames = [response_stream("")[0], named(done), named({"type": "response.completed", "response": body})]
    asked = await ask(RESPONSES, {**ASK[RESPONSES], "stream": stream}, Native(body, frames), **{guard: RESPONSE_ONLY})
    nothing_left(asked, guard)


CITED = {"type": "char_location", "cited_text": CANARY, "document_index": 0}
BLOCKS: Mapping[str, tuple[JsonMapping, JsonMapping, JsonMapping]] = {
    "content": ({"type": "text", "text": CANARY}, {"text": ""}, {"type": "text_delta", "text": CANARY}),
    "thinking": (
        {"type": "thinking", "thinking": CANARY, "signature": "s"},
        *({"thinking": ""}, {"type": "thinking_delta", "thinking": CANARY}),
    ),
    "tool input": (
        {"type": "tool_use", "id": "c", "name": "f", "input": {"x": CANARY}},
        *({"input": {}}, {"type": "input_json_delta", "partial_json": json.dumps({"x": CANARY})}),
    ),
    "citation": (
        {"type": "text", "text": "", "citations": [CITED]},
        *({"text": "", "citations": []}, {"type": "citations_delta", "citation": CITED}),
    ),
    "block nobody knows": ({"type": "x_new", "notes": [CANARY]}, {"notes": []}, {"type": "x_delta", "notes": [CANARY]}),
}


@GUARD
@STREAM
@pytest.mark.parametrize("field", BLOCKS)
async def test_h48_what_messages_say_natively(field: str, stream: bool, guard: str) -> None:
    said, start, delta = BLOCKS[field]
    frames = [opening(), *block(0, {**said, **start}, dict(delta)), *ending()]
    provider = Native(message(dict(said)), frames)
    asked = await ask(MESSAGES, {**ASK[MESSAGES], "stream": stream}, provider, **{guard: RESPONSE_ONLY})
    nothing_left(asked, guard)


@GUARD
async def test_h48_the_words_of_an_upstreams_error(guard: str) -> None:
    error = UpstreamError("upstream_error", CANARY, verbatim=True)
    asked = await ask(CHAT, chat(), Serving(error), **{guard: RESPONSE_ONLY})
    assert asked.response.status_code == 502
    assert "123-45" not in asked.response.text


@GUARD
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
@pytest.mark.parametrize("word", ["type", "param", "wire_code"])
async def test_h48_whatever_an_upstreams_error_repeats(path: str, guard: str, word: str) -> None:
    error = UpstreamError("invalid_request", "no", status=400, verbatim=True)
    setattr(error, word, CANARY)
    asked = await ask(path, ASK[path], Serving(error), **{guard: RESPONSE_ONLY})
    assert asked.response.status_code == 400
    assert "123-45" not in asked.response.text


@GUARD
@pytest.mark.parametrize("path", [CHAT, RESPONSES, MESSAGES])
async def test_h48_the_words_of_an_error_in_the_middle_of_a_stream(path: str, guard: str) -> None:
    error = UpstreamError("upstream_error", CANARY, verbatim=True)
    number = {"NUMBER": {"pattern": r"\d{3}-\d{2}-\d{4}", "max_length": 11}}
    table = {"entities": [], "custom": number, "direction": "response"}
    provider = Serving((*("fine. " * 3,), error))
    asked = await ask(path, {**ASK[path], "stream": True}, provider, **{guard: table})
    assert asked.response.status_code == 200
    assert "upstream_error" in asked.response.text or "api_error" in asked.response.text
    assert "123-45" not in asked.response.text
