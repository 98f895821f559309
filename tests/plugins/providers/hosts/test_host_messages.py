"""Messages that another vendor's answers left in a conversation, as each host takes them."""

from __future__ import annotations

import pytest

from sentinel_core.context import Call
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.keys import Target
from sentinel_plugins.providers.openai.hosts.messages import HEARD
from tests.core.dialects.pairs.conversations import request_of
from tests.plugins.providers.calls import Nobody, answer_of, chat_call
from tests.plugins.providers.hosts.served import KINDS, host_at
from tests.upstream import Upstream

HI = {"role": "user", "content": "hi"}
CALL: JsonObject = {"id": "call00001", "type": "function", "function": {"name": "w", "arguments": "{}"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "tool_call_id": "call00001", "content": "1"}
MORE = {"role": "user", "content": "so?"}
DUMPED: JsonObject = {"refusal": None, "annotations": [], "audio": None, "function_call": None}
"""What OpenAI's client writes of each answer beside what it says."""
THOUGHT = {"reasoning_content": "hm", "reasoning": "hm", "reasoning_details": [{"text": "hm"}]}


async def told(upstream: Upstream, kind: str, *messages: JsonValue) -> tuple[list[JsonValue], tuple[str, ...]]:
    """The messages that the host is sent, and the names of what it is not."""
    async with host_at(upstream, kind) as provider:
        answer = await answer_of(provider, chat_call(messages=[HI, *messages]))
    return upstream.requests[-1].json["messages"][1:], answer.dropped


@pytest.mark.parametrize(("kind", "kept"), [("groq", {"reasoning": "hm"}), ("mistral", {})])
async def test_what_another_vendor_wrote_beside_an_answer_is_taken_out_without_a_word(
    upstream: Upstream, kind: str, kept: JsonObject
) -> None:
    written = {**CALLED, **DUMPED, **THOUGHT, "name": None}
    assert await told(upstream, kind, written, RESULT) == ([{**CALLED, **kept}, RESULT], ())


@pytest.mark.parametrize("kind", ["groq", "mistral"])
async def test_the_message_that_openais_client_parsed_goes_back_with_known_members_alone(
    upstream: Upstream, kind: str
) -> None:
    """`parse()` and `stream()` return it, for the next request."""
    function = {**CALL["function"], "parsed_arguments": {"city": "Rome"}}
    parsed = {**CALLED, "parsed": {"city": "Rome"}, "tool_calls": [{**CALL, "function": function, "index": 0}]}
    assert await told(upstream, kind, parsed, RESULT) == ([CALLED, RESULT], ())


@pytest.mark.parametrize("kind", ["groq", "mistral"])
async def test_what_else_a_host_does_not_know_is_named(upstream: Upstream, kind: str) -> None:
    marked = {**CALL, "mark": 1, "none": None, "function": {**CALL["function"], "mark": 2}}
    written = {**CALLED, "mark": 0, "none": None, "tool_calls": [marked, "no call", {"custom": {"name": "w"}}]}
    told_of, dropped = await told(upstream, kind, written, RESULT)
    assert told_of == [{**CALLED, "tool_calls": [CALL, "no call", {"custom": {"name": "w"}}]}, RESULT]
    assert dropped == ("messages.mark", "messages.tool_calls.mark", "messages.tool_calls.function.mark")


async def test_members_that_a_host_may_know_are_sent(upstream: Upstream) -> None:
    begun = {"role": "assistant", "content": "It is", "prefix": True}
    assert await told(upstream, "mistral", begun) == ([begun], ())
    marked = {**CALLED, "mark": 0, "tool_calls": [{**CALL, "index": 0}]}
    assert await told(upstream, "together", marked, RESULT) == ([marked, RESULT], ())


@pytest.mark.parametrize("kind", ["groq", "mistral"])
@pytest.mark.parametrize(
    ("said", "content"),
    [
        ({"content": None, "refusal": "I will not."}, "I will not."),
        ({"refusal": "I will not."}, "I will not."),
        ({"content": "No.", "refusal": "I will not."}, "No."),
        ({"content": "", "refusal": ""}, ""),
    ],
)
async def test_a_refusal_is_the_text_of_who_says_nothing_else(
    upstream: Upstream, kind: str, said: JsonObject, content: str
) -> None:
    expected = {"role": "assistant", "content": content}
    assert await told(upstream, kind, {"role": "assistant", **said}, MORE) == ([expected, MORE], ())


@pytest.mark.parametrize(
    ("kind", "dropped"),
    [("groq", ("messages.audio",)), ("mistral", ("messages.audio", "messages.function_call"))],
)
async def test_what_says_more_than_that_is_named(upstream: Upstream, kind: str, dropped: tuple[str, ...]) -> None:
    spoken = {"role": "assistant", "content": "a", "audio": {"id": "audio_1"}}
    called = {"role": "assistant", "content": None, "function_call": {"name": "w", "arguments": "{}"}}
    drawn = {"role": "assistant", "content": "a", "images": [{"type": "image_url", "image_url": {"url": "data:,"}}]}
    assert (await told(upstream, kind, spoken, called, {**MORE, "name": "Ann"}, drawn))[1] == (
        *dropped,
        "messages.name",
        "messages.images",
    )


async def test_a_deprecated_call_goes_to_who_takes_it_but_not_null(upstream: Upstream) -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "w", "arguments": "{}"}}
    assert await told(upstream, "groq", {**called, "tool_calls": None}) == ([called], ())


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([CALLED, RESULT, MORE], [CALLED, RESULT, HEARD, MORE]),
        ([CALLED, RESULT, RESULT, MORE, MORE], [CALLED, RESULT, RESULT, HEARD, MORE, MORE]),
        ([CALLED, RESULT], [CALLED, RESULT]),
        ([CALLED, RESULT, HEARD, MORE], [CALLED, RESULT, HEARD, MORE]),
    ],
)
async def test_mistral_hears_an_assistant_between_results_and_a_user(
    upstream: Upstream, messages: list[JsonValue], expected: list[JsonValue]
) -> None:
    assert await told(upstream, "mistral", *messages) == (expected, ())
    assert (await told(upstream, "groq", *messages))[0] == messages


TOOL_USE = {"type": "tool_use", "id": "call00001", "name": "w", "input": {}}
BY_MESSAGES: JsonObject = {
    "max_tokens": 9,
    "messages": [
        HI,
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": ""}, TOOL_USE]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call00001", "content": "1"}]},
    ],
}
BY_RESPONSES: JsonObject = {
    "input": [
        HI,
        {"type": "reasoning", "summary": [], "content": [{"type": "reasoning_text", "text": "hm"}]},
        {"type": "function_call", "call_id": "call00001", "name": "w", "arguments": "{}"},
        {"type": "function_call_output", "call_id": "call00001", "output": "1"},
    ]
}
TAKES_NO_THOUGHTS = {"azure", "groq", "llama", "mistral"}


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize(
    ("client", "body"),
    [(ANTHROPIC_MESSAGES, BY_MESSAGES), (OPENAI_RESPONSES, BY_RESPONSES)],
    ids=["messages", "responses"],
)
async def test_thoughts_of_any_client_go_back_to_the_hosts_that_take_them(
    upstream: Upstream, kind: str, client: Dialect, body: JsonObject
) -> None:
    request = request_of(client, {"model": "m", **body})
    async with host_at(upstream, kind) as provider:
        await answer_of(provider, Call(request, Target("upstream", "m"), Nobody(), attempt=1))
    said = upstream.requests[0].json["messages"][1]
    assert said.get("reasoning_content") == (None if kind in TAKES_NO_THOUGHTS else "hm")
    assert said["tool_calls"][0]["id"] == "call00001"
