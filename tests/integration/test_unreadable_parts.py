"""H50: of what no guard here can read, no guard says that it allowed it; or it is refused, if its table says so."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Context
from sentinel_core.dialects.unreadable import holds_unreadable, says_unreadable
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.messages import Answer
from sentinel_core.stage import Stage
from tests.integration.guarded import (
    CHAT,
    COMPLETIONS,
    COUNT_TOKENS,
    EMBEDDINGS,
    MESSAGES,
    RESPONSES,
    Native,
    Serving,
    ask,
)
from tests.integration.guarded_fields import INPUT, anthropic, chat, document, responses, said, user
from tests.json_values import json_values

PNG = {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}
LINK = {"url": "https://x.test/a.png"}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": [{"type": "image", "source": PNG}]}
PARTS: dict[str, tuple[str, JsonObject]] = {
    "chat image": (CHAT, said(user([{"type": "text", "text": "see"}, {"type": "image_url", "image_url": LINK}]))),
    "chat sound": (CHAT, said(user([{"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}}]))),
    "chat sound of an earlier turn": (CHAT, said({"role": "assistant", "audio": {"id": "a"}}, user("and now?"))),
    "chat file": (CHAT, said(user([{"type": "file", "file": {"file_id": "file-1"}}]))),
    "an earlier turn": (CHAT, said(user([{"type": "image_url", "image_url": LINK}]), user("and now?"))),
    "completions tokens": (COMPLETIONS, {"model": "fake", "prompt": [1, 2, 3]}),
    "completions lists of tokens": (COMPLETIONS, {"model": "fake", "prompt": [[1, 2], [3]]}),
    "embeddings tokens": (EMBEDDINGS, {"model": "fake", "input": [1, 2, 3]}),
    "responses image": (RESPONSES, responses([user([{"type": "input_image", "image_url": LINK["url"]}])])),
    "responses screenshot": (
        RESPONSES,
        responses([{"type": "computer_call_output", "call_id": "c", "output": {"type": "computer_screenshot"}}]),
    ),
    "responses item of an earlier one": (RESPONSES, responses([{"type": "item_reference", "id": "msg_1"}])),
    "responses earlier one": (RESPONSES, {**responses("go on"), "previous_response_id": "resp_1"}),
    "responses conversation": (RESPONSES, {**responses("go on"), "conversation": {"id": "conv_1"}}),
    "responses prompt": (RESPONSES, {**responses("go on"), "prompt": {"id": "pmpt_1"}}),
    "messages image": (MESSAGES, anthropic(user([{"type": "image", "source": PNG}]))),
    "messages document": (MESSAGES, anthropic(user([{"type": "document", "source": PNG}]))),
    "messages tool result": (MESSAGES, anthropic(user([RESULT]))),
    "count_tokens image": (COUNT_TOKENS, said(user([{"type": "image", "source": PNG}]))),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
NAMES = st.sampled_from(["type", "content", "output", "source", "text", "image", "document"])
TABLES: dict[str, TomlTable] = {"pii": {}, "secrets": {}, "injection": {}}


def test_what_is_text_only_is_read_whole() -> None:
    for bodies in INPUT.values():
        for name, body in bodies.items():
            assert holds_unreadable(body) is ("image" in name or name == "file name"), name
    assert not holds_unreadable(anthropic(user([document("plain")])))


@given(json_values(SCALARS, NAMES, levels=4))
def test_any_body_has_an_answer(body: JsonValue) -> None:
    assert holds_unreadable({"messages": body, "input": body}) in (True, False)


@pytest.mark.parametrize("name", PARTS)
async def test_h50_no_guard_says_that_it_allowed_what_it_cannot_read(name: str) -> None:
    path, body = PARTS[name]
    asked = await ask(path, body, Serving(("fine",)), **TABLES, input_limits={})
    assert len(asked.provider.calls) == 1
    found = {guard: result for (guard, direction), result in asked.verdicts.items() if direction == "request"}
    assert found == {"pii": "partial", "secrets": "partial", "injection": "partial", "input_limits": "allowed"}


@pytest.mark.parametrize("guard", TABLES)
@pytest.mark.parametrize("name", PARTS)
async def test_h50_it_is_refused_where_a_guards_table_says_so(name: str, guard: str) -> None:
    path, body = PARTS[name]
    asked = await ask(path, body, Serving(("fine",)), **{guard: {"unscannable": "block"}})
    assert (asked.response.status_code, asked.provider.calls) == (400, [])
    assert "images, sound, files, numbers of tokens or what a provider keeps" in asked.response.text
    assert asked.verdicts[guard, "request"] == "blocked"


@pytest.mark.parametrize("action", ["redact", "warn"])
async def test_h50_of_what_is_found_beside_it_the_audit_says_that_a_part_was_not_read(action: str) -> None:
    body = said(user([{"type": "text", "text": "ann@acme.com"}, {"type": "image_url", "image_url": LINK}]))
    asked = await ask(CHAT, body, Serving(("fine",)), pii={"action": action}, audit={"content": True})
    (request, response) = asked.record["verdicts"]
    assert (request["result"], request["unread"]) == ("masked" if action == "redact" else "monitored", True)
    assert (response["result"], response["unread"]) == ("allowed", False)
    assert asked.record["pii_detected"]
    assert asked.record["content"] is None


async def test_h50_text_alone_is_allowed() -> None:
    assert (await ask(CHAT, chat(), Serving(("fine",)), pii={})).verdicts["pii", "request"] == "allowed"


async def test_h50_the_reply_to_an_image_was_read_and_who_watches_saw_a_part() -> None:
    path, body = PARTS["chat image"]
    asked = await ask(path, body, Serving(("fine",)), pii={}, secrets={"mode": "monitor", "unscannable": "block"})
    assert asked.verdicts == {
        ("pii", "request"): "partial",
        ("pii", "response"): "allowed",
        ("secrets", "request"): "partial",
        ("secrets", "response"): "allowed",
    }


def chunk(delta: JsonObject, finish: str | None = None) -> JsonObject:
    return {
        "id": "c",
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def sse(*bodies: JsonObject, end: str = "") -> list[bytes]:
    lines = [f"event: {body['type']}\n" if "type" in body else "" for body in bodies]
    return [
        *(f"{line}data: {json.dumps(body)}\n\n".encode() for line, body in zip(lines, bodies, strict=True)),
        end.encode(),
    ]


def message(**fields: JsonValue) -> JsonObject:
    said = {"role": "assistant", "content": "fine", **fields}
    return {"id": "c", "object": "chat.completion", "choices": [{"index": 0, "message": said, "finish_reason": "stop"}]}


AUDIO = {"id": "a", "data": "UklGRg==", "transcript": "fine", "expires_at": 1}
IMAGES = [{"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]
DRAWN = {"type": "image_generation_call", "id": "ig", "status": "completed", "result": "iVBORw0KGgo="}
PARTIAL = {
    **{"type": "response.image_generation_call.partial_image", "item_id": "ig", "output_index": 0},
    **{"partial_image_index": 0, "partial_image_b64": "iVBORw0KGgo="},
}
RESPONSE = {"id": "r", "object": "response", "model": "fake", "output": [DRAWN], "status": "completed"}
TOLD = {"type": "response.created", "response": {**RESPONSE, "output": [], "status": "in_progress"}}
DONE = "data: [DONE]\n\n"
UPLOAD = {"type": "container_upload", "file_id": "file-1"}
MESSAGE = {"id": "m", "type": "message", "role": "assistant", "model": "fake", "stop_sequence": None}
COUNTED = {"usage": {"input_tokens": 1, "output_tokens": 1}}
UPLOADED: list[JsonObject] = [
    {"type": "message_start", "message": {**MESSAGE, **COUNTED, "content": [], "stop_reason": None}},
    {"type": "content_block_start", "index": 0, "content_block": UPLOAD},
    {"type": "content_block_stop", "index": 0},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, **COUNTED},
    {"type": "message_stop"},
]
REPLIES: dict[str, tuple[str, JsonObject, JsonObject, list[bytes]]] = {
    "chat sound": (CHAT, chat(), message(audio=AUDIO), sse(chunk({"audio": AUDIO}), chunk({}, "stop"), end=DONE)),
    "chat images": (CHAT, chat(), message(images=IMAGES), sse(chunk({"images": IMAGES}), chunk({}, "stop"), end=DONE)),
    "responses image": (
        *(RESPONSES, responses("draw"), RESPONSE),
        sse(TOLD, PARTIAL, {"type": "response.completed", "response": RESPONSE}),
    ),
    "chat sound without a string": (
        *(CHAT, chat(), message(audio={"id": "a"})),
        sse(chunk({"audio": {"id": "a"}}), chunk({"content": "fine"}, "stop"), end=DONE),
    ),
    "messages file": (
        *(MESSAGES, anthropic(user("hi"))),
        {**MESSAGE, **COUNTED, "content": [UPLOAD], "stop_reason": "end_turn"},
        sse(*UPLOADED),
    ),
}
"""Route, request, a whole reply, and one in frames."""


def replied(name: str, *, stream: bool) -> tuple[str, JsonObject, Native]:
    path, request, body, frames = REPLIES[name]
    return path, {**request, "stream": stream}, Native(body, frames)


@given(json_values(SCALARS, NAMES, levels=4))
def test_any_reply_has_an_answer(body: JsonValue) -> None:
    assert says_unreadable(body) in (True, False)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", REPLIES)
async def test_h50_of_a_reply_too(name: str, stream: bool) -> None:
    path, request, provider = replied(name, stream=stream)
    asked = await ask(path, request, provider, pii={}, secrets={"mode": "monitor"})
    assert asked.response.status_code == 200
    found = {guard: result for (guard, direction), result in asked.verdicts.items() if direction == "response"}
    assert found == {"pii": "partial", "secrets": "partial"}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", REPLIES)
async def test_h50_a_reply_is_refused_where_a_guards_table_says_so(name: str, stream: bool) -> None:
    path, request, provider = replied(name, stream=stream)
    asked = await ask(path, request, provider, pii={"unscannable": "block"})
    assert asked.verdicts["pii", "response"] == "blocked"
    assert "content_policy_violation" in asked.response.text or (path == MESSAGES and '"error"' in asked.response.text)
    assert not any(data in asked.response.text for data in ("UklGRg", "iVBORw0KGgo", "file-1"))


class Remembers(Stage):
    """Puts what was said before ahead of the request."""

    name = "remembers"
    before = ("pii", "secrets", "injection")

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        earlier = user([{"type": "image_url", "image_url": LINK}])
        ctx.request = ctx.request.with_fields(messages=[earlier, *ctx.request.body["messages"]])


class Strips(Stage):
    """Takes out what is no text."""

    name = "strips"
    before = ("secrets",)
    after = ("pii",)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        ctx.request = ctx.request.with_fields(messages=[user("hi")])


class Draws(Stage):
    """Puts a picture into the answer."""

    name = "draws"
    after = ("pii",)

    @hookimpl
    def on_response(self, answer: Answer) -> Answer:
        return msgspec.structs.replace(answer, body=message(images=IMAGES), raw=None)


@pytest.mark.parametrize("guard", TABLES)
async def test_h50_an_image_that_a_stage_put_in_is_one_as_well(guard: str) -> None:
    asked = await ask(CHAT, chat(), Serving(("fine",)), Remembers, **{guard: {"unscannable": "block"}})
    assert (asked.response.status_code, asked.provider.calls) == (400, [])
    assert asked.verdicts[guard, "request"] == "blocked"
    asked = await ask(CHAT, chat(), Serving(("fine",)), Remembers, **{guard: {}})
    assert asked.verdicts[guard, "request"] == "partial"


async def test_h50_an_image_that_a_stage_took_out_is_none_for_the_guards_after_it() -> None:
    path, body = PARTS["chat image"]
    asked = await ask(path, body, Serving(("fine",)), Strips, pii={}, secrets={"unscannable": "block"})
    assert asked.response.status_code == 200
    assert (asked.verdicts["pii", "request"], asked.verdicts["secrets", "request"]) == ("partial", "allowed")


async def test_h50_an_image_that_a_stage_put_into_the_answer_is_one_as_well() -> None:
    asked = await ask(CHAT, chat(), Serving(("fine",)), Draws, pii={"unscannable": "block"})
    assert asked.verdicts["pii", "response"] == "blocked"
    assert "iVBORw0KGgo" not in asked.response.text
    asked = await ask(CHAT, chat(), Serving(("fine",)), Draws, pii={})
    assert asked.verdicts["pii", "response"] == "partial"
