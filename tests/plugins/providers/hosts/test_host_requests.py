"""What each host is sent, byte for byte."""

from __future__ import annotations

import json

import pytest

from sentinel_core.context import Call
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonObject, JsonValue, TomlTable
from sentinel_core.keys import Target
from sentinel_core.reply import EventStream
from tests.plugins.providers.calls import Nobody, answer_of, chat_call, chat_request, drained, stream_of
from tests.plugins.providers.hosts.served import KINDS, host_at
from tests.upstream import Received, Upstream

HELLO = '"messages":[{"role":"user","content":"hi"}]'
BEARER = {"authorization": "Bearer sk-own"}


async def sent(upstream: Upstream, kind: str, *, config: TomlTable | None = None, **fields: JsonValue) -> Received:
    async with host_at(upstream, kind, **(config or {})) as provider:
        await answer_of(provider, chat_call(**fields))
    return upstream.requests[-1]


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_a_host_is_sent_the_request_as_it_is_with_its_own_form_of_key(upstream: Upstream, kind: str) -> None:
    received = await sent(upstream, kind, temperature=0.5, tools=[], unknown={"kept": [1]})
    body = f'{{"model":"m",{HELLO},"temperature":0.5,"tools":[],"unknown":{{"kept":[1]}}}}'
    assert received.body == body.encode()
    key = {"api-key": "sk-own", "authorization": None} if kind == "azure" else BEARER
    assert {name: received.header(name) for name in key} == key
    assert received.target == ("/openai/v1/chat/completions" if kind == "azure" else "/v1/chat/completions")


CASES: list[tuple[str, JsonObject, str, str]] = [
    ("groq", {"logprobs": True, "top_logprobs": 3, "logit_bias": {"1": 1}}, "", "logprobs, top_logprobs, logit_bias"),
    ("groq", {"n": 1, "temperature": 0}, ',"temperature":1e-8', ""),
    ("groq", {"n": 2, "temperature": 1}, ',"temperature":1', "n"),
    ("mistral", {"seed": 7, "max_completion_tokens": 9}, ',"random_seed":7,"max_tokens":9', ""),
    ("mistral", {"max_tokens": 3, "max_completion_tokens": 9}, ',"max_tokens":3', ""),
    ("mistral", {"max_tokens": None, "max_completion_tokens": 9}, ',"max_tokens":9', ""),
    ("mistral", {"max_completion_tokens": 9, "max_tokens": None}, ',"max_tokens":9', ""),
    ("mistral", {"max_tokens": 3, "max_completion_tokens": None}, ',"max_tokens":3', ""),
    ("mistral", {"random_seed": None, "seed": 7}, ',"random_seed":7', ""),
    ("mistral", {"reasoning_effort": "xhigh"}, ',"reasoning_effort":"high"', ""),
    ("mistral", {"reasoning_effort": "none", "user": "u"}, ',"reasoning_effort":"none"', "user"),
    ("mistral", {"logprobs": None}, "", ""),
    (
        "mistral",
        {"safety_identifier": "s", "prompt_cache_retention": "24h"},
        "",
        "safety_identifier, prompt_cache_retention",
    ),
    (
        "mistral",
        {"moderation": {}, "prompt_cache_options": {}, "top_k": 3},
        "",
        "moderation, prompt_cache_options, top_k",
    ),
    ("mistral", {"modalities": ["text", "audio"], "audio": {"voice": "x"}}, "", "modalities, audio"),
    ("mistral", {"functions": [{"name": "f"}], "function_call": "auto"}, "", "functions, function_call"),
    ("mistral", {"functions": None, "top_k": None, "modalities": ["text"], "store": False}, "", ""),
    ("groq", {"logprobs": False, "top_logprobs": 0, "logit_bias": {}}, "", ""),
    ("deepseek", {"max_completion_tokens": 9, "seed": 7, "n": 1}, ',"max_tokens":9', "seed"),
    ("deepseek", {"max_completion_tokens": 9, "max_tokens": None}, ',"max_tokens":9', ""),
    ("together", {"top_k": 4, "seed": 7}, ',"top_k":4,"seed":7', ""),
    ("openrouter", {"transforms": [], "plugins": [{"id": "web"}]}, ',"transforms":[],"plugins":[{"id":"web"}]', ""),
    ("vercel", {"providerOptions": {"openai": {}}}, ',"providerOptions":{"openai":{}}', ""),
    ("azure", {"parallel_tool_calls": False}, ',"parallel_tool_calls":false', ""),
]


@pytest.mark.parametrize(("kind", "fields", "expected", "dropped"), CASES)
async def test_a_host_is_sent_only_what_it_takes_and_the_rest_is_named(
    upstream: Upstream, kind: str, fields: JsonObject, expected: str, dropped: str
) -> None:
    async with host_at(upstream, kind) as provider:
        answer = await answer_of(provider, chat_call(**fields))
    assert upstream.requests[0].body == f'{{"model":"m",{HELLO}{expected}}}'.encode()
    assert ", ".join(answer.dropped) == dropped


async def test_what_a_host_refuses_is_named_on_streams_too(upstream: Upstream) -> None:
    async with host_at(upstream, "groq") as provider:
        reply = await provider.call(chat_call(stream=True, logprobs=True))
        assert isinstance(reply, EventStream)
        assert reply.dropped == ("logprobs",)
        await drained(reply)


async def test_under_refuse_what_asks_for_what_happens_anyway_is_no_reason(upstream: Upstream) -> None:
    async with host_at(upstream, "groq", on_unsupported="refuse") as provider:
        await answer_of(provider, chat_call(logprobs=False, logit_bias={}))
    assert upstream.requests[0].body == f'{{"model":"m",{HELLO}}}'.encode()


async def test_under_refuse_nothing_is_sent(upstream: Upstream) -> None:
    async with host_at(upstream, "deepseek", on_unsupported="refuse") as provider:
        with pytest.raises(Refusal) as refused:
            await provider.call(chat_call(seed=7))
    assert (refused.value.code, refused.value.status, refused.value.param) == ("unsupported_parameter", 400, "seed")
    assert upstream.requests == []


@pytest.mark.parametrize("kind", sorted(KINDS))
async def test_usage_is_asked_for_unless_the_host_gives_it_anyway(upstream: Upstream, kind: str) -> None:
    async with host_at(upstream, kind) as provider:
        await drained(await stream_of(provider, chat_call(stream=True)))
    options = ',"stream_options":{"include_usage":true}' if kind != "mistral" else ""
    assert upstream.requests[0].body == f'{{"model":"m",{HELLO},"stream":true{options}}}'.encode()


@pytest.mark.parametrize(("kind", "role"), [("mistral", "system"), ("deepseek", "system"), ("xai", "developer")])
async def test_the_developers_role_gets_the_hosts_name(upstream: Upstream, kind: str, role: str) -> None:
    received = await sent(upstream, kind, messages=[{"role": "developer", "content": "be brief", "name": "boss"}])
    expected = {"role": role, "content": "be brief", **({} if kind == "mistral" else {"name": "boss"})}
    assert received.json["messages"] == [expected]


@pytest.mark.parametrize(("model", "kept"), [("grok-4.7", False), ("grok-4.20-0309-non-reasoning", True)])
async def test_only_reasoning_models_of_xai_refuse_stop(upstream: Upstream, model: str, kept: bool) -> None:
    call = Call(chat_request(stop=["x"], presence_penalty=1), Target("upstream", model), Nobody())
    async with host_at(upstream, "xai") as provider:
        answer = await answer_of(provider, call)
    assert ("stop" in upstream.requests[0].json, answer.dropped == ()) == (kept, kept)


async def test_mistral_gets_a_named_tool_as_the_only_one(upstream: Upstream) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    choice = {"type": "function", "function": {"name": "b"}}
    received = await sent(upstream, "mistral", tools=tools, tool_choice=choice)
    assert (received.json["tools"], received.json["tool_choice"]) == ([tools[1]], "any")
    received = await sent(upstream, "mistral", tools=tools, tool_choice="required")
    assert (received.json["tools"], received.json["tool_choice"]) == (tools, "required")


@pytest.mark.parametrize(("mode", "said"), [("required", "any"), ("auto", "auto")])
async def test_mistral_gets_the_tools_that_may_be_called_alone(upstream: Upstream, mode: str, said: str) -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("a", "b", "c")]
    allowed = {"type": "allowed_tools", "allowed_tools": {"mode": mode, "tools": [tools[2], tools[0]]}}
    received = await sent(upstream, "mistral", tools=tools, tool_choice=allowed)
    assert (received.json["tools"], received.json["tool_choice"]) == ([tools[0], tools[2]], said)


@pytest.mark.parametrize(
    "allowed", [None, {}, {"tools": None}, {"tools": [{"type": "function", "function": {"name": "z"}}, "a", {}]}]
)
async def test_a_choice_that_names_no_tool_is_mistrals_to_refuse(upstream: Upstream, allowed: JsonValue) -> None:
    tools = [{"type": "function", "function": {"name": "a"}}, {"type": "web_search"}]
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    received = await sent(upstream, "mistral", tools=tools, tool_choice=choice)
    assert (received.json["tools"], received.json["tool_choice"]) == (tools, choice)


async def test_a_role_that_mistral_does_not_know_is_refused(upstream: Upstream) -> None:
    messages = [{"role": "user", "content": "hi"}, {"role": "function", "name": "w", "content": "r"}]
    with pytest.raises(Refusal, match="knows no role 'function'") as refused:
        await sent(upstream, "mistral", messages=messages)
    assert (refused.value.code, refused.value.param) == ("invalid_parameter", "messages[1].role")
    assert upstream.requests == []
    assert (await sent(upstream, "groq", messages=messages)).json["messages"][1]["role"] == "function"


async def test_azure_is_given_ids_of_calls_as_long_as_openai_takes_them(upstream: Upstream) -> None:
    call = {"id": "toolu_" + "x" * 50, "type": "function", "function": {"name": "w", "arguments": "{}"}}
    turns = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": call["id"], "content": "1"}]
    received = await sent(upstream, "azure", messages=[{"role": "user", "content": "hi"}, *turns])
    _, asked, result = received.json["messages"]
    assert len(asked["tool_calls"][0]["id"]) <= 40
    assert result["tool_call_id"] == asked["tool_calls"][0]["id"]


@pytest.mark.parametrize(
    ("wrapped", "words"),
    [
        (
            {"name": "x", "schema": {"type": "object", "title": "Größe"}, "strict": True},
            'Answer in JSON that fits this schema: {"type":"object","title":"Größe"}',
        ),
        ({"name": "x"}, "Answer in JSON."),
        (None, "Answer in JSON."),
    ],
)
async def test_deepseek_is_told_a_schema_in_words(upstream: Upstream, wrapped: JsonValue, words: str) -> None:
    asked = chat_call(response_format={"type": "json_schema", "json_schema": wrapped})
    async with host_at(upstream, "deepseek") as provider:
        answer = await answer_of(provider, asked)
    sent = upstream.requests[0].json
    assert sent["messages"] == [{"role": "system", "content": words}, {"role": "user", "content": "hi"}]
    assert (sent["response_format"], answer.dropped) == ({"type": "json_object"}, ("response_format",))


@pytest.mark.parametrize("form", [{"type": "json_object"}, {"type": "text"}, None, "json"], ids=repr)
async def test_deepseek_is_sent_any_other_form_as_it_is(upstream: Upstream, form: JsonValue) -> None:
    received = await sent(upstream, "deepseek", response_format=form)
    assert (
        received.body == f'{{"model":"m",{HELLO},"response_format":{json.dumps(form, separators=(",", ":"))}}}'.encode()
    )


async def test_llama_gets_a_type_beside_one_of(upstream: Upstream) -> None:
    properties = {"a": {"oneOf": [{"type": "string"}]}, "b": {"type": "integer"}, "c": {"type": "null", "oneOf": []}}
    function = {"name": "f", "parameters": {"type": "object", "properties": properties}}
    received = await sent(upstream, "llama", tools=[{"type": "function", "function": function}])
    got = received.json["tools"][0]["function"]["parameters"]["properties"]
    assert got == {**properties, "a": {"type": "string", "oneOf": [{"type": "string"}]}}


async def test_openrouter_is_told_which_application_calls(upstream: Upstream) -> None:
    received = await sent(upstream, "openrouter", config={"referer": "https://app.example", "title": "App"})
    assert (received.header("http-referer"), received.header("x-title")) == ("https://app.example", "App")


async def test_azure_with_a_version_has_the_deployment_in_its_address(upstream: Upstream) -> None:
    call = Call(chat_request(), Target("upstream", "my deploy/../x?y#z"), Nobody())
    async with host_at(upstream, "azure", api_version="2024-10-21") as provider:
        await answer_of(provider, call)
        await provider.health_check()
    target = "/openai/deployments/my%20deploy%2F..%2Fx%3Fy%23z/chat/completions?api-version=2024-10-21"
    assert upstream.requests[0].target == target
    assert upstream.requests[1].target == "/openai/models?api-version=2024-10-21"


async def test_a_conversation_of_mistral_keeps_its_ids_apart_and_gets_them_back(upstream: Upstream) -> None:
    calls = [{"id": f"call_{name}", "type": "function", "function": {"name": "f"}} for name in ("one", "two")]
    calls.append({"id": "Abc123xyZ", "type": "function", "function": {"name": "f"}})
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "1"} for call in calls]
    received = await sent(upstream, "mistral", messages=[{"role": "assistant", "tool_calls": calls}, *results])
    assistant, *tools = received.json["messages"]
    ids = [call["id"] for call in assistant["tool_calls"]]
    assert [tool["tool_call_id"] for tool in tools] == ids
    assert len(set(ids)) == 3
    assert ids[2] == "Abc123xyZ"
    assert all(len(name) == 9 and name.isalnum() for name in ids)
    again = await sent(upstream, "mistral", messages=[{"role": "assistant", "tool_calls": calls}, *results])
    assert json.loads(again.body) == received.json
