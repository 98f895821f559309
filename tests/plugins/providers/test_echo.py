"""The `echo` provider: deterministic, and shaped like any upstream's answer."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.events import Finish, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_plugins.providers.echo.config import EchoConfig
from sentinel_plugins.providers.echo.provider import EchoProvider
from tests.plugins.providers.calls import (
    answer_of,
    chat_call,
    chat_request,
    drained,
    json_of,
    stream_of,
    text_of,
    written,
)

ECHO = EchoProvider(EchoConfig())
TOOLS = [{"type": "function", "function": {"name": name, "parameters": {}}} for name in ("weather", "time")]


async def choice(text: str = "one two  three", **fields: JsonValue) -> JsonObject:
    found: JsonObject = (await answer_of(ECHO, chat_call(text, **fields))).body["choices"][0]
    return found


async def test_answers_with_the_last_user_text_and_says_what_it_is() -> None:
    messages = [{"role": "user", "content": "first"}, {"role": "assistant", "content": "x"}]
    messages.append({"role": "user", "content": "one two  three"})
    body = (await answer_of(ECHO, chat_call(messages=messages))).body
    assert body["choices"][0]["message"]["content"] == "one two  three"
    assert (body["model"], body["system_fingerprint"]) == ("echo", "echo")
    assert body["usage"] == {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8}
    assert EchoProvider(EchoConfig()).models() == ("echo",)


async def test_the_same_request_gets_the_same_bytes() -> None:
    first, second = await answer_of(ECHO, chat_call("a")), await answer_of(ECHO, chat_call("a"))
    assert first.raw == second.raw != (await answer_of(ECHO, chat_call("b"))).raw


async def test_reads_the_text_parts_of_a_message() -> None:
    parts = [{"type": "text", "text": "see "}, {"type": "image_url", "image_url": {}}, {"type": "text", "text": "this"}]
    assert (await choice(messages=[{"role": "user", "content": parts}]))["message"]["content"] == "see this"


async def test_says_nothing_where_no_user_spoke() -> None:
    assert (await choice(messages=[{"role": "system", "content": "be kind"}]))["message"]["content"] == ""


@pytest.mark.parametrize("field", ["max_tokens", "max_completion_tokens"])
async def test_stops_at_the_token_limit(field: str) -> None:
    text = "one two  three"
    cut = await choice(text, **{field: 2})
    assert (cut["message"]["content"], cut["finish_reason"]) == ("one two  ", "length")
    assert (await choice(text, **{field: 3}))["finish_reason"] == "stop"


@pytest.mark.parametrize("stop", ["two", ["three", "two"]])
async def test_stops_before_a_stop_sequence(stop: str | list[str]) -> None:
    cut = await choice(stop=stop)
    assert (cut["message"]["content"], cut["finish_reason"]) == ("one ", "stop")


async def test_gives_n_equal_choices() -> None:
    answer = await answer_of(ECHO, chat_call("one two", n=3))
    assert [(each["index"], each["message"]["content"]) for each in answer.body["choices"]] == [
        (0, "one two"),
        (1, "one two"),
        (2, "one two"),
    ]
    assert answer.body["usage"]["completion_tokens"] == 6


@pytest.mark.parametrize(
    ("text", "tool_choice", "expected"),
    [
        ('call weather {"city": "Paris"}', None, ("weather", '{"city": "Paris"}')),
        ("call time", "auto", ("time", "{}")),
        ("hello", "required", ("weather", "{}")),
        ("hello", {"type": "function", "function": {"name": "time"}}, ("time", "{}")),
        ("call unknown {}", None, None),
        ("call time", "none", None),
        ("hello", "auto", None),
        ("hello", {"type": "function", "function": {"name": "unknown"}}, None),
    ],
)
async def test_calls_a_tool_when_told_to(text: str, tool_choice: JsonValue, expected: tuple[str, str] | None) -> None:
    said = await choice(text, tools=TOOLS, tool_choice=tool_choice)
    if expected is None:
        assert (said["message"]["content"], said["finish_reason"]) == (text, "stop")
        return
    function = said["message"]["tool_calls"][0]["function"]
    assert ((function["name"], function["arguments"]), said["finish_reason"]) == (expected, "tool_calls")


async def test_answers_with_a_tools_result_instead_of_calling_it_again() -> None:
    messages = [{"role": "user", "content": "call time"}, {"role": "tool", "tool_call_id": "c", "content": "noon"}]
    assert (await choice(messages=messages, tools=TOOLS))["message"]["content"] == "noon"


@pytest.mark.parametrize("tools", [["x"], [{}], [{"function": 1}], {}, "x"])
async def test_tools_of_another_shape_are_no_tools(tools: object) -> None:
    assert (await choice("call time", tools=tools, tool_choice="required"))["finish_reason"] == "stop"


async def test_streams_token_by_token_with_usage_last() -> None:
    events, error = await drained(await stream_of(ECHO, chat_call("one two  three", stream=True)))
    assert error is None
    assert [event.text for event in events if hasattr(event, "text")] == ["one ", "two  ", "three"]
    assert isinstance(events[-2], Finish)
    assert isinstance(events[-1], UsageReport)
    assert events[-1].usage.total_tokens == 6


async def test_streams_a_tool_call_in_fragments() -> None:
    call = chat_call('call weather {"city": "Paris"}', tools=TOOLS, stream=True)
    events, _ = await drained(await stream_of(ECHO, call))
    fragments = [event for event in events if isinstance(event, ToolCallDelta)]
    assert (fragments[0].name, fragments[0].id is not None) == ("weather", True)
    assert "".join(event.text for event in fragments) == '{"city": "Paris"}'
    assert len(fragments) > 2


@given(st.text(), st.integers(min_value=1, max_value=3), st.none() | st.integers(min_value=1, max_value=4))
async def test_a_stream_says_what_the_unary_answer_says(text: str, n: int, limit: int | None) -> None:
    fields: JsonObject = {"n": n} if limit is None else {"n": n, "max_tokens": limit}
    answer = await answer_of(ECHO, chat_call(text, **fields))
    request = chat_request(text, stream=True, stream_options={"include_usage": True}, **fields)
    events, error = await drained(await stream_of(ECHO, chat_call(text, stream=True, **fields)))
    assert error is None
    for index, said in enumerate(answer.body["choices"]):
        assert text_of(events, index) == said["message"]["content"]
    assert json_of(written(events, request))[-1]["usage"] == answer.body["usage"]


async def test_is_always_healthy() -> None:
    assert (await ECHO.health_check()).status == "healthy"
