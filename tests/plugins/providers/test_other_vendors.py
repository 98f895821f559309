"""A conversation that another vendor began: what only that vendor understands is sent to nobody else."""

from __future__ import annotations

import pytest

from sentinel_core.dialects.openai_chat.extensions import without_extensions
from sentinel_core.dialects.openai_chat.thoughts import without_thoughts
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonValue
from sentinel_plugins.providers.openai.config import OpenAIConfig
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.plugins.providers.calls import answer_of, chat_call, openai_at
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.hosts.served import KINDS, host_at
from tests.plugins.providers.test_anthropic import anthropic_at, call_of
from tests.plugins.providers.test_openai_operations import call as operation_call
from tests.upstream import Reply, Upstream, completion
from tests.upstream.anthropic import message
from tests.upstream.payloads import encoded, response

SIGNATURE = {"google": {"thought_signature": "SIG"}}
CALL = {"id": "call00001", "type": "function", "function": {"name": "w", "arguments": "{}"}}
SAID = {"role": "assistant", "content": None, "reasoning_content": "hm", "tool_calls": [CALL]}
HI = {"role": "user", "content": "hi"}
RESULT = {"role": "tool", "tool_call_id": "call00001", "content": "1"}
SIGNED = [HI, {**SAID, "tool_calls": [{**CALL, "extra_content": SIGNATURE}], "extra_content": SIGNATURE}, RESULT]
MANY_VENDORS = {"openrouter", "vercel"}
NO_THOUGHTS = {"azure", "groq", "llama", "mistral"}
UNTHOUGHT = {key: value for key, value in SAID.items() if key != "reasoning_content"}


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_host_of_one_vendor_is_not_sent_the_state_of_another(upstream: Upstream, kind: str) -> None:
    async with host_at(upstream, kind, on_unsupported="refuse") as provider:
        answer = await answer_of(provider, chat_call(messages=SIGNED))
    said = UNTHOUGHT if kind in NO_THOUGHTS else SAID
    assert upstream.requests[0].json["messages"] == (SIGNED if kind in MANY_VENDORS else [HI, said, RESULT])
    assert answer.dropped == ()


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", [HI, UNTHOUGHT, RESULT]),
        ("https://eu.api.openai.com/v1", [HI, UNTHOUGHT, RESULT]),
        ("https://api.openai.com.example/v1", SIGNED),
    ],
)
async def test_openai_is_not_sent_it_either_and_a_server_of_ones_own_is(
    base_url: str, expected: list[JsonValue]
) -> None:
    fed = Fed([encoded(completion())])
    provider = OpenAIProvider(OpenAIConfig(base_url=base_url), fed)
    answer = await answer_of(provider, chat_call(messages=SIGNED))
    assert (fed.sent["messages"], answer.dropped) == (expected, ())


THOUGHT = {
    "id": "rs_msg_01_0",
    "type": "reasoning",
    "summary": [],
    "content": [{"type": "reasoning_text", "text": "hm"}],
    "extra_content": SIGNATURE,
}
CALLED = {"type": "function_call", "call_id": "c1", "name": "w", "arguments": "{}"}
OUTPUT = {"type": "function_call_output", "call_id": "c1", "output": "1"}
ITEMS = [HI, THOUGHT, {**CALLED, "extra_content": SIGNATURE}, OUTPUT]


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", [HI, CALLED, OUTPUT]),
        ("https://api.openai.com.example/v1", ITEMS),
    ],
)
async def test_nor_is_openai_sent_the_items_of_another_in_responses(base_url: str, expected: list[JsonValue]) -> None:
    fed = Fed([encoded(response())])
    provider = OpenAIProvider(OpenAIConfig(base_url=base_url), fed)
    answer = await answer_of(provider, operation_call(OPENAI_RESPONSES, input=ITEMS))
    assert (fed.sent["input"], answer.dropped) == (expected, ())


@pytest.mark.parametrize("kind", ["groq", "together", "vercel", "xai"])
async def test_nor_is_a_host_that_has_responses(upstream: Upstream, kind: str) -> None:
    upstream.script("m", Reply(response()))
    async with host_at(upstream, kind, on_unsupported="refuse") as provider:
        answer = await answer_of(provider, operation_call(OPENAI_RESPONSES, input=ITEMS))
    assert (upstream.requests[0].json["input"], answer.dropped) == ([HI, CALLED, OUTPUT], ())


LONG = "chatcmpl-tool-" + "0" * 32


async def test_openai_is_sent_no_longer_id_than_it_takes() -> None:
    fed = Fed([encoded(completion())])
    provider = OpenAIProvider(OpenAIConfig(), fed)
    turns = [HI, {**SAID, "tool_calls": [{**CALL, "id": LONG}]}, {**RESULT, "tool_call_id": LONG}]
    await answer_of(provider, chat_call(messages=turns))
    made = fed.sent["messages"][2]["tool_call_id"]
    assert len(made) <= 40
    assert fed.sent["messages"][1]["tool_calls"] == [{**CALL, "id": made}]


async def test_anthropic_is_sent_no_id_of_other_letters_by_its_own_clients_either(upstream: Upstream) -> None:
    upstream.script("m", Reply(message()))
    use = {"type": "tool_use", "id": "functions.w:0", "name": "w", "input": {}}
    result = {"type": "tool_result", "tool_use_id": "functions.w:0", "content": "1"}
    turns = [HI, {"role": "assistant", "content": [use]}, {"role": "user", "content": [result]}]
    async with anthropic_at(upstream) as provider:
        await answer_of(provider, call_of(messages=turns))
    _, called, done = upstream.requests[0].json["messages"]
    made = called["content"][0]["id"]
    assert ":" not in made
    assert done["content"] == [{**result, "tool_use_id": made}]


async def test_a_body_without_any_is_sent_byte_for_byte(upstream: Upstream) -> None:
    async with openai_at(upstream) as provider:
        await answer_of(provider, chat_call(messages=[HI, SAID, RESULT], unknown={"extra_content": 1}))
    body = chat_call(messages=[HI, SAID, RESULT], unknown={"extra_content": 1}).request.body
    assert without_extensions(body) == (body, [])
    assert without_extensions(body)[0] is body
    assert upstream.requests[0].body == encoded(body)


def test_a_body_without_thoughts_is_the_same_object() -> None:
    body = {"model": "m", "messages": [HI, UNTHOUGHT, RESULT]}
    assert without_thoughts(body) is body
    thought = {**UNTHOUGHT, "reasoning": "hm", "reasoning_details": [], "reasoning_content": None}
    assert without_thoughts({**body, "messages": [HI, thought, RESULT]}) == body


def test_what_says_more_than_state_is_named() -> None:
    searched = {"type": "extra_content", "extra_content": {"anthropic": {"type": "server_tool_use"}}}
    text = {"type": "text", "text": "x"}
    body = {
        "model": "m",
        "messages": [
            {"role": "assistant", "content": [searched, {**text, "extra_content": SIGNATURE}]},
            {"role": "assistant", "content": [searched]},
            {**RESULT, "extra_content": {"anthropic": {"is_error": True}}},
        ],
        "extra_content": {"cohere": {"documents": []}},
    }
    plain, names = without_extensions(body)
    assert plain == {
        "model": "m",
        "messages": [{"role": "assistant", "content": [text]}, {"role": "assistant", "content": ""}, RESULT],
    }
    assert set(names) == {"documents", "messages.server_tool_use", "messages.is_error"}


FOREIGN = {"type": "thinking", "thinking": "hm", "signature": ""}
OWN = {**FOREIGN, "signature": "sig"}
TEXT = {"type": "text", "text": "hello"}
USE = {"type": "tool_use", "id": "t", "name": "w", "input": {}}
DONE = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "1"}]}
BUDGET = {"type": "enabled", "budget_tokens": 1024}


@pytest.mark.parametrize(
    ("content", "after", "kept", "thinking", "dropped"),
    [
        ([FOREIGN, TEXT], HI, [TEXT], BUDGET, ()),
        ([OWN, FOREIGN, TEXT], HI, [OWN, TEXT], BUDGET, ()),
        ([FOREIGN, USE], DONE, [USE], None, ("thinking",)),
        ([OWN, FOREIGN, USE], DONE, [OWN, USE], BUDGET, ()),
        ([FOREIGN], HI, None, BUDGET, ()),
    ],
)
async def test_anthropic_is_not_sent_thoughts_that_it_did_not_sign(
    upstream: Upstream,
    content: list[JsonValue],
    after: JsonValue,
    kept: list[JsonValue] | None,
    thinking: JsonValue,
    dropped: tuple[str, ...],
) -> None:
    upstream.script("m", Reply(message()))
    async with anthropic_at(upstream) as provider:
        turns = [HI, {"role": "assistant", "content": content}, after]
        answer = await answer_of(provider, call_of(messages=turns, max_tokens=2000, thinking=BUDGET))
    sent = upstream.requests[0].json
    said = [] if kept is None else [{"role": "assistant", "content": kept}]
    assert (sent["messages"], sent.get("thinking")) == ([HI, *said, after], thinking)
    assert answer.dropped == dropped


async def test_a_signed_conversation_is_sent_to_anthropic_byte_for_byte(upstream: Upstream) -> None:
    upstream.script("m", Reply(message()))
    call = call_of(messages=[HI, {"role": "assistant", "content": [OWN, USE]}, DONE], thinking=BUDGET)
    async with anthropic_at(upstream) as provider:
        await answer_of(provider, call)
    assert upstream.requests[0].body == encoded(call.request.body)


async def test_a_budget_that_cannot_be_kept_is_refused_where_that_is_the_policy(upstream: Upstream) -> None:
    turns = [HI, {"role": "assistant", "content": [FOREIGN, USE]}, DONE]
    async with anthropic_at(upstream, on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as raised:
            await provider.call(call_of(messages=turns, thinking=BUDGET))
    assert raised.value.param == "thinking"
