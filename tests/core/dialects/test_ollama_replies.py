"""Ollama's answers and streams as OpenAI's: golden vectors, and the same events wherever the bytes are cut."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.ndjson import NdjsonParser
from sentinel_core.dialects.ollama_chat import OllamaChat, OllamaReader
from sentinel_core.dialects.ollama_chat.errors import upstream_error
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_events
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ReasoningDelta, TextDelta, TextEvent, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.usage import Usage
from tests.core.dialects.chat_chunks import encode
from tests.core.dialects.cuts import cut, payloads
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.api import Call, Said
from tests.upstream.ollama import OLLAMA, chat, chat_lines, last, line

READER = OllamaReader("asked", "0a")
ROME = Call("", "w", {"city": "Rome é🙂", "n": [1, {"x": None}]})
NOW = Call("call_now", "now", {})


def answer(body: JsonValue) -> JsonObject:
    made = dict(READER.decode_answer(json.dumps(body).encode()).body)
    assert isinstance(made.pop("created"), int)
    return made


def streamed(*pieces: bytes) -> list[Event]:
    decoder = READER.stream_decoder()
    events = [event for data, name in payloads(NdjsonParser(), pieces) for event in decoder.decode(data, name)]
    decoder.end()
    return events


def invalid(body: JsonValue) -> str:
    """The code that a unary answer, or a line, is refused with."""
    codes = set()
    for read in (READER.decode_answer, READER.stream_decoder().decode):
        with pytest.raises(UpstreamError) as raised:
            read(body if isinstance(body, bytes) else json.dumps(body).encode())
        codes.add(raised.value.code)
    (code,) = codes
    return code


def test_an_answer_is_a_completion() -> None:
    assert answer(chat("hello")) == {
        "id": "chatcmpl-0a",
        "object": "chat.completion",
        "model": "llama3.2",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }
    assert answer(chat(model=None))["model"] == "asked"


def test_an_answer_with_thoughts_and_calls() -> None:
    said = Said(text="", reasoning="hm", calls=(ROME, NOW), finish="tool_calls")
    assert answer(OLLAMA.answer(said))["choices"] == [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": None,
                "reasoning_content": "hm",
                "tool_calls": [
                    {
                        "id": "call_0a_0",
                        "type": "function",
                        "function": {"name": "w", "arguments": '{"city":"Rome é🙂","n":[1,{"x":null}]}'},
                    },
                    {"id": "call_now", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                ],
            },
            "finish_reason": "tool_calls",
        }
    ]


@pytest.mark.parametrize(
    ("reason", "calls", "finish"),
    [
        ("stop", (), "stop"),
        ("stop", (NOW,), "tool_calls"),
        ("length", (), "length"),
        ("length", (NOW,), "length"),
        ("", (), "stop"),
        (None, (), "stop"),
        (None, (NOW,), "tool_calls"),
        ("a_new_reason", (), "stop"),
    ],
)
def test_reasons_to_be_done(reason: str | None, calls: tuple[Call, ...], finish: str) -> None:
    body = OLLAMA.answer(Said(calls=calls))
    assert answer({**body, "done_reason": reason})["choices"][0]["finish_reason"] == finish
    wire = OLLAMA.stream(Said(calls=calls))
    events = streamed(*wire.opening, *wire.content, last(reason))
    assert [event.reason for event in events if isinstance(event, Finish)] == [finish]


@pytest.mark.parametrize("reason", ["load", "unload"])
def test_u12_a_model_that_was_loaded_has_not_answered(reason: str) -> None:
    assert invalid(chat("", reason)) == "upstream_invalid_response"


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        ({}, Usage(3, 2, 5)),
        ({"prompt_eval_count": 0}, Usage(0, 2, 2)),
        ({"prompt_eval_count": 9, "prompt_eval_cached_count": 4}, Usage(9, 2, 11, 4)),
        ({"prompt_eval_count": 9, "prompt_eval_cached_count": 40}, Usage(9, 2, 11, 9)),
        ({"prompt_eval_cached_count": "4"}, Usage(3, 2, 5)),
        ({"prompt_eval_count": None}, None),
        ({"eval_count": None}, None),
        ({"eval_count": -1}, None),
        ({"eval_count": "2"}, None),
        ({"eval_count": True}, None),
        ({"prompt_eval_count": 1.5}, None),
        ({"eval_count": 10**4298}, None),
        ({"prompt_eval_count": 9, "prompt_eval_cached_count": 10**4298}, Usage(9, 2, 11)),
    ],
)
def test_u26_counts_are_as_they_were_reported_or_unknown(counts: JsonObject, usage: Usage | None) -> None:
    body = chat(**counts)
    assert READER.decode_answer(json.dumps(body).encode()).usage == usage
    assert ("usage" in answer(body)) == (usage is not None)
    reports = [event.usage for event in streamed(line("a"), last(**counts)) if isinstance(event, UsageReport)]
    assert reports == ([usage] if usage is not None else [])


def test_u26_a_count_that_is_left_out_is_not_a_zero() -> None:
    body = {key: value for key, value in chat().items() if key != "prompt_eval_count"}
    assert READER.decode_answer(json.dumps(body).encode()).usage is None


TOKENS = [
    {"token": "he", "logprob": -0.1, "bytes": [104, 101], "top_logprobs": [{"token": "ha", "logprob": -2}, 3]},
    {"token": "llo", "logprob": -0.2},
    "odd",
]
CONTENT = [
    {
        "token": "he",
        "logprob": -0.1,
        "bytes": [104, 101],
        "top_logprobs": [{"token": "ha", "logprob": -2, "bytes": None}],
    },
    {"token": "llo", "logprob": -0.2, "bytes": None, "top_logprobs": []},
]


def test_probabilities_stand_where_openais_clients_look_for_them() -> None:
    assert answer(chat(logprobs=TOKENS))["choices"][0]["logprobs"] == {"content": CONTENT, "refusal": None}
    assert "logprobs" not in answer(chat(logprobs=[]))["choices"][0]


def with_tokens(wire: bytes) -> bytes:
    return json.dumps({**json.loads(wire), "logprobs": TOKENS}).encode() + b"\n"


def test_probabilities_of_a_stream_are_seen_by_guards_and_leave_with_their_text() -> None:
    events = streamed(with_tokens(line("hello", thinking="hm")), last())
    tokens = [slot.text for event in events if isinstance(event, Opaque) for slot in event.texts()]
    assert tokens == ["he", "ha", "llo"]
    _, chunk, *_ = encode(events)
    (choice,) = chunk["choices"]
    assert choice["delta"] == {"reasoning_content": "hm", "content": "hello"}
    assert choice["logprobs"]["content"] == CONTENT
    changed = [event.with_text("[X]") if isinstance(event, TextDelta) else event for event in events]
    (choice,) = encode(changed)[1]["choices"]
    assert (choice["delta"]["content"], choice["logprobs"]) == ("[X]", None)


def test_probabilities_without_a_text_are_content_too() -> None:
    decoder = READER.stream_decoder()
    opening, tokens = decoder.decode(with_tokens(line("")))
    assert (decoder.bears_content(opening), decoder.bears_content(tokens)) == (False, True)


def test_a_stream_is_openais() -> None:
    said = Said(text="hello", reasoning="hm", calls=(ROME, NOW), finish="tool_calls")
    chunks = encode(streamed(*OLLAMA.stream(said).whole))
    assert {(chunk["id"], chunk["object"], chunk["model"]) for chunk in chunks} == {
        ("chatcmpl-0a", "chat.completion.chunk", "llama3.2")
    }
    assert [chunk["choices"][0]["delta"] for chunk in chunks[:-1]] == [
        {"role": "assistant", "content": ""},
        {"reasoning_content": "h"},
        {"reasoning_content": "m"},
        {"content": "he"},
        {"content": "llo"},
        {
            "tool_calls": [
                {
                    "index": 0,
                    "id": "call_0a_0",
                    "type": "function",
                    "function": {"name": "w", "arguments": '{"city":"Rome é🙂","n":[1,{"x":null}]}'},
                }
            ]
        },
        {
            "tool_calls": [
                {
                    "index": 1,
                    "id": "call_now",
                    "type": "function",
                    "function": {"name": "now", "arguments": "{}"},
                }
            ]
        },
        {},
    ]
    assert chunks[-2]["choices"][0]["finish_reason"] == "tool_calls"
    assert (chunks[-1]["choices"], chunks[-1]["usage"]["total_tokens"]) == ([], 5)


async def test_a_stream_for_a_client_of_messages() -> None:
    events = streamed(*OLLAMA.stream(Said(reasoning="hm", calls=(NOW,), finish="tool_calls")).whole)

    async def given() -> Any:  # of canonical events
        for event in events:
            yield event

    body = {"model": "m", "max_tokens": 9, "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    request = ANTHROPIC_MESSAGES.decode_request(body)
    message = ANTHROPIC_MESSAGES.assemble([event async for event in translated_events(given(), OPENAI_CHAT, request)])
    assert message.body["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "call_now", "name": "now", "input": {}},
    ]
    assert (message.body["stop_reason"], message.body["id"]) == ("tool_use", "chatcmpl-0a")


def test_calls_are_numbered_over_the_lines_whatever_index_the_server_gives_them() -> None:
    calls: list[JsonValue] = [{"function": {"index": 0, "name": name, "arguments": {}}} for name in ("a", "b", "c")]
    events = streamed(line(tool_calls=calls[:1]), line(tool_calls=calls[1:]), last())
    found = [event for event in events if isinstance(event, ToolCallDelta)]
    assert [(event.index, event.id, event.name) for event in found] == [
        (0, "call_0a_0", "a"),
        (1, "call_0a_1", "b"),
        (2, "call_0a_2", "c"),
    ]


def test_ids_that_the_gateway_gives_are_of_one_answer_only_and_short_enough_for_openai() -> None:
    api, body = OllamaChat(), json.dumps(OLLAMA.answer(Said(calls=(ROME,)))).encode()
    made = [api.reader("m").decode_answer(body).body for _ in range(2)]
    ids = {call["id"] for one in made for call in one["choices"][0]["message"]["tool_calls"]}
    assert len({one["id"] for one in made}) == len(ids) == 2
    assert all(len(identifier) <= 40 for identifier in ids)


@pytest.mark.parametrize(
    ("arguments", "read"),
    [({"a": 1}, '{"a":1}'), (None, "{}"), ("", "{}"), ('{ "a": 1 }', '{"a":1}')],
)
def test_arguments_are_an_object_or_the_text_of_one(arguments: JsonValue, read: str) -> None:
    call = {"function": {"name": "w", "arguments": arguments}}
    message = answer(chat(message={"role": "assistant", "tool_calls": [call]}))["choices"][0]["message"]
    assert (message["tool_calls"][0]["function"]["arguments"], message["content"]) == (read, None)


@pytest.mark.parametrize(
    "body",
    [
        b"oops",
        b'{"message"',
        b"[]",
        b'{"message":{"content":"\xff"}}',
        {},
        {"message": "hello", "done": True},
        {"message": {"content": 3}, "done": True},
        {"message": {"content": "a", "thinking": ["b"]}, "done": True},
        {"message": {"tool_calls": 3}, "done": True},
        {"message": {"tool_calls": [3]}, "done": True},
        {"message": {"tool_calls": [{"function": {"arguments": {}}}]}, "done": True},
        {"message": {"tool_calls": [{"function": {"name": "w", "arguments": [1]}}]}, "done": True},
        {"message": {"tool_calls": [{"function": {"name": "w", "arguments": "{oops"}}]}, "done": True},
    ],
)
def test_u11_u12_what_is_no_answer_is_not_passed_off_as_one(body: JsonValue) -> None:
    assert invalid(body) == "upstream_invalid_response"


@pytest.mark.parametrize("done", [b"", b',"done":false', b',"done":"true"'])
def test_u12_a_unary_answer_that_is_empty_or_not_done_is_none(done: bytes) -> None:
    for raw in (b"", b'{"message":{"role":"assistant","content":"a"}' + done + b"}"):
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            READER.decode_answer(raw)


@pytest.mark.parametrize("lines", [[], [line("a")], [line("a"), line(tool_calls=[])], [last(done="true")]])
def test_u09_a_stream_that_never_says_done_is_interrupted(lines: list[bytes]) -> None:
    with pytest.raises(UpstreamError) as raised:
        streamed(*lines)
    assert raised.value.code == "upstream_stream_interrupted"


def test_u25_what_follows_the_last_line_is_dropped() -> None:
    assert streamed(*chat_lines("a"), line("b"), b"oops\n")[1:] == streamed(*chat_lines("a"))[1:]


def test_what_opens_a_stream_bears_no_content() -> None:
    decoder = READER.stream_decoder()
    opening, text = [*decoder.decode(line("")), *decoder.decode(line("a"))]
    ends = decoder.decode(last())
    assert [decoder.bears_content(event) for event in (opening, text, *ends)] == [False, True, True, False]


# -- errors ---------------------------------------------------------------------------------------------------------

TOO_LONG = "request (2622 tokens) exceeds the available context size (512 tokens), try increasing it"


def wrapped(message: str, code: int = 400) -> dict[str, str]:
    """An error of the server's runner, as newer servers hand it on."""
    return {"error": json.dumps({"error": {"code": code, "message": message, "type": "exceed_context_size_error"}})}


@pytest.mark.parametrize(
    ("status", "body", "code", "message"),
    [
        (404, {"error": "model 'x' not found"}, "model_not_found", "model 'x' not found"),
        (400, {"error": '"m" does not support tools'}, "invalid_request", '"m" does not support tools'),
        (400, wrapped("no image please"), "invalid_request", "no image please"),
        (400, {"error": "{oops"}, "invalid_request", "{oops"),
        (400, {"error": '{"error":{}}'}, "invalid_request", '{"error":{}}'),
        (429, {"error": "slow down"}, "rate_limit_exceeded", "slow down"),
        (500, {"error": "the model failed"}, "upstream_error", "the model failed"),
        (502, {"error": "cloud"}, "upstream_error", "cloud"),
        (503, {"error": "server busy"}, "overloaded", "server busy"),
    ],
)
def test_u18_an_error_keeps_its_words(status: int, body: JsonValue, code: str, message: str) -> None:
    error = upstream_error(status, body)
    assert (error.code, error.message, error.upstream_status, error.verbatim) == (code, message, status, True)


@pytest.mark.parametrize("body", [wrapped(TOO_LONG), {"error": "the input length exceeds the context length"}])
def test_a_prompt_that_is_too_long_says_so_in_openais_word(body: dict[str, str]) -> None:
    error = upstream_error(400, body)
    assert (error.status, error.wire_code, error.should_retry) == (400, "context_length_exceeded", False)
    assert error.message == TOO_LONG or error.message == body["error"]


@pytest.mark.parametrize("status", [401, 403])
def test_u19_the_servers_refusal_of_our_key_is_not_the_callers(status: int) -> None:
    error = upstream_error(status, {"error": "unauthorized", "signin_url": "https://ollama.com/connect"})
    assert (error.code, error.status) == ("upstream_auth_error", 502)
    assert "unauthorized" not in error.message


@pytest.mark.parametrize("body", [None, [], {}, {"error": 3}, "404 page not found"])
def test_an_error_without_words_is_told_by_its_status(body: JsonValue) -> None:
    error = upstream_error(500, body)
    assert (error.code, error.verbatim) == ("upstream_error", False)


def test_u13_an_error_on_a_line_or_with_status_200_is_an_error() -> None:
    assert invalid(OLLAMA.midstream_error("it broke")) == "upstream_error"
    for read in (READER.decode_answer, READER.stream_decoder().decode):
        with pytest.raises(UpstreamError) as raised:
            read(json.dumps(wrapped("it broke", 500)).encode())
        assert (raised.value.message, raised.value.upstream_status) == ("it broke", 200)


# -- properties -----------------------------------------------------------------------------------------------------

names = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=5)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
values = json_values(st.none() | st.booleans() | st.integers(-9, 9) | texts, names)
calls = st.builds(Call, names | st.just(""), names, st.dictionaries(names, values, max_size=2))
counts = st.builds(lambda prompt, completion: Usage(prompt, completion, prompt + completion), *[st.integers(1, 9)] * 2)
saids = st.builds(
    Said,
    text=texts,
    reasoning=texts,
    calls=st.lists(calls, max_size=3),
    finish=st.sampled_from(["stop", "length"]),
    usage=st.none() | counts,
)


@promised()
@given(saids, st.lists(st.integers(min_value=0)), st.sampled_from([b"\n", b"\r\n", b"\n\n"]))
def test_p8_any_split_of_a_stream_gives_the_events_of_the_whole(said: Said, places: list[int], end: bytes) -> None:
    whole = OLLAMA.stream(said).whole
    wire = b"".join(whole).replace(b"\n", end)
    opening, *events = streamed(*cut(wire, places))
    assert events == streamed(*whole)[1:]
    assert opening.frame is not None
    assert all(event.frame is None for event in events)


@promised()
@given(saids)
def test_p8_a_stream_says_what_the_unary_answer_says(said: Said) -> None:
    unary = answer(OLLAMA.answer(said))
    assembled = dict(OPENAI_CHAT.assemble(streamed(*OLLAMA.stream(said).whole)).body)
    del assembled["created"]
    assert assembled == unary


@given(saids)
def test_arguments_of_tools_are_valid_json_and_texts_are_whole(said: Said) -> None:
    events = streamed(*OLLAMA.stream(said).whole)
    arguments = [json.loads(event.text) for event in events if isinstance(event, ToolCallDelta)]
    assert arguments == [dict(call.arguments) for call in said.calls]
    for kind, text in ((TextDelta, said.text), (ReasoningDelta, said.reasoning)):
        assert "".join(event.text for event in events if isinstance(event, kind)) == text
    assert all(event.text for event in events if isinstance(event, TextEvent))


anything = json_values(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    st.sampled_from(["name", "token"]),
)
functions = st.fixed_dictionaries({"name": texts}, optional={"arguments": anything, "index": anything})
odd_calls = st.lists(st.fixed_dictionaries({}, optional={"id": anything, "function": functions | anything}), max_size=2)
odd_messages = st.fixed_dictionaries(
    {}, optional={"content": texts | anything, "thinking": anything, "tool_calls": odd_calls | anything}
)
odd_tokens = st.lists(st.fixed_dictionaries({}, optional={"token": anything, "top_logprobs": anything}), max_size=2)
odd_bodies = st.fixed_dictionaries(
    {"message": odd_messages | odd_messages | anything, "done": st.just(True) | anything},
    optional={
        "done_reason": st.just("stop") | anything,
        "logprobs": odd_tokens | anything,
        "prompt_eval_count": anything,
        "eval_count": anything,
        "prompt_eval_cached_count": anything,
        "model": anything,
    },
)
odd_lines = odd_bodies.map(lambda body: json.dumps(body).encode() + b"\n")


@promised()
@given(st.lists(st.binary(max_size=12) | st.sampled_from(chat_lines("a", "b")) | odd_lines, max_size=4))
def test_p8_whatever_a_server_sends_is_events_or_an_upstreams_error(pieces: list[bytes]) -> None:
    try:
        events = streamed(*pieces)
    except UpstreamError:
        return
    assert any(isinstance(event, Finish) for event in events)
    assert encode(events)


@promised()
@given(odd_bodies)
def test_p8_whatever_a_server_answers_is_a_completion_or_an_upstreams_error(body: JsonObject) -> None:
    try:
        made = answer(body)
    except UpstreamError:
        return
    assert made["choices"][0]["finish_reason"]
    assert json.dumps(made)
