"""Completions and messages as responses: golden vectors, whole and streamed."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.canonical import chunk_event
from sentinel_core.dialects.openai_responses import OPENAI_RESPONSES
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonObject, JsonValue
from tests.core.dialects.responses_client import (
    FUNCTION,
    asked,
    call_delta,
    check,
    choice,
    read,
    through,
    written,
)
from tests.upstream import chat_stream, chunk, delta, sse
from tests.upstream.anthropic import (
    block,
    message,
    message_stream,
    text_block,
    thinking_block,
)


def test_an_answer_of_every_kind_of_item() -> None:
    called = {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}}
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 4,
        "total_tokens": 13,
        "prompt_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    answer = choice("tool_calls", content="one", reasoning_content="hm", tool_calls=[called])
    body = through({**answer, "usage": usage}, OPENAI_CHAT, instructions="i", tools=[FUNCTION], temperature=0.5)
    assert body == {
        "id": "resp_chatcmpl-1",
        "object": "response",
        "created_at": 1700000000,
        "model": "upstream-model",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [
            {
                "id": "rs_chatcmpl-1_0",
                "type": "reasoning",
                "summary": [],
                "content": [{"type": "reasoning_text", "text": "hm"}],
                "status": "completed",
            },
            {
                "id": "msg_chatcmpl-1_1",
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "one", "annotations": [], "logprobs": []}],
                "status": "completed",
            },
            {
                "id": "fc_chatcmpl-1_2",
                "type": "function_call",
                "call_id": "c1",
                "name": "w",
                "arguments": '{"city":"Rome"}',
                "status": "completed",
            },
        ],
        "usage": {
            "input_tokens": 9,
            "input_tokens_details": {"cached_tokens": 2, "cache_write_tokens": 1},
            "output_tokens": 4,
            "output_tokens_details": {"reasoning_tokens": 3},
            "total_tokens": 13,
        },
        "instructions": "i",
        "tools": [FUNCTION],
        "temperature": 0.5,
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "text": {"format": {"type": "text"}},
        "truncation": "disabled",
        "store": False,
        "metadata": {},
        **dict.fromkeys(("previous_response_id", "max_output_tokens", "reasoning", "top_p", "user")),
    }


@pytest.mark.parametrize(
    ("reason", "status", "details"),
    [
        ("stop", "completed", None),
        ("tool_calls", "completed", None),
        ("new", "completed", None),
        ("length", "incomplete", {"reason": "max_output_tokens"}),
        ("content_filter", "incomplete", {"reason": "content_filter"}),
    ],
)
def test_reasons_to_stop(reason: str, status: str, details: JsonValue) -> None:
    body = through(choice(reason, content="a"), OPENAI_CHAT)
    assert (body["status"], body["incomplete_details"], body["output"][0]["status"]) == (status, details, status)


def test_only_the_last_item_of_an_answer_that_was_cut_is_incomplete() -> None:
    calls = [{"id": f"c{n}", "function": {"name": "w", "arguments": text}} for n, text in enumerate(("{}", '{"ci'))]
    items = through(choice("length", content="a", tool_calls=calls), OPENAI_CHAT)["output"]
    assert [item["status"] for item in items] == ["completed", "completed", "incomplete"]
    assert items[-1]["arguments"] == '{"ci'


def test_a_refusal_is_a_part_of_the_message() -> None:
    (item,) = through(choice(content="well", refusal="no"), OPENAI_CHAT)["output"]
    assert [part.get("text") or part["refusal"] for part in item["content"]] == ["well", "no"]
    assert [part["type"] for part in item["content"]] == ["output_text", "refusal"]


@pytest.mark.parametrize("arguments", ["", None])
def test_a_call_without_arguments_has_an_empty_object(arguments: JsonValue) -> None:
    call = {"id": "c", "function": {"name": "w", "arguments": arguments}}
    (item,) = through(choice("tool_calls", content=None, tool_calls=[call]), OPENAI_CHAT)["output"]
    assert item["arguments"] == "{}"


def test_arguments_may_be_an_object() -> None:
    function = {"name": "w", "arguments": {"city": "Rome"}}
    for said in ({"tool_calls": [{"id": "c", "function": function}]}, {"function_call": function}):
        (item,) = through(choice("tool_calls", content=None, **said), OPENAI_CHAT)["output"]
        assert item["arguments"] == '{"city":"Rome"}'


def test_a_deprecated_function_call_is_a_call() -> None:
    answer = choice("function_call", content=None, function_call={"name": "w", "arguments": "{}"})
    (item,) = through(answer, OPENAI_CHAT)["output"]
    assert (item["type"], item["name"], item["call_id"]) == ("function_call", "w", "call_chatcmpl-1_0")


def test_an_answer_without_a_message_is_an_invalid_response() -> None:
    answer = OPENAI_CHAT.decode_answer(json.dumps(choice()).encode())
    empty = answer.dialect.assemble(())
    with pytest.raises(UpstreamError):
        translated_answer(empty, asked())


def test_a_stream_for_every_kind_of_item() -> None:
    chunks = [
        delta(role="assistant"),
        delta(reasoning_content="h"),
        delta(reasoning_content="m"),
        delta("o"),
        delta("ne"),
        delta(refusal="no"),
        call_delta(0, "", id="c1", name="w"),
        call_delta(0, "{}"),
        delta(finish="tool_calls"),
        chunk([], usage={"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
    ]
    frames = written(read(b"".join(map(sse, chunks)), OPENAI_CHAT))
    assert [frame["type"].removeprefix("response.") for frame in frames] == [
        "created",
        "in_progress",
        *("output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta"),
        *("reasoning_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta", "output_text.delta"),
        *("output_text.done", "content_part.done"),
        *("content_part.added", "refusal.delta", "refusal.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        "completed",
    ]
    response = check(frames)
    assert [item["type"] for item in response["output"]] == ["reasoning", "message", "function_call"]
    assert response["usage"]["total_tokens"] == 5


def test_interleaved_calls_are_each_in_their_item_and_text_after_them_is_a_new_one() -> None:
    chunks = [
        delta(role="assistant"),
        delta("a"),
        call_delta(0, '{"x', id="c1", name="w"),
        call_delta(1, "[", id="c2", name="v"),
        call_delta(0, '":1}'),
        delta("b"),
        call_delta(1, "]"),
        delta(finish="tool_calls"),
    ]
    output = check(written(read(b"".join(map(sse, chunks)), OPENAI_CHAT)))["output"]
    assert [item.get("arguments") or item["content"][0]["text"] for item in output] == ["a", '{"x":1}', "[]", "b"]
    assert [item.get("call_id") for item in output] == [None, "c1", "c2", None]


def test_signatures_and_encrypted_thoughts_of_a_stream_are_kept_with_the_thought() -> None:
    redacted = {"type": "redacted_thinking", "data": "blob"}
    blocks = [thinking_block(0, "hm"), block(1, redacted), text_block(2, "one")]
    streamed = check(written(read(b"".join(message_stream(blocks=blocks)), ANTHROPIC_MESSAGES)))
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig"}
    unary = through(message(thought, redacted, "one"), ANTHROPIC_MESSAGES)
    assert streamed["output"] == unary["output"]
    signed = {"type": "thinking", "signature": "sig", "length": 2}
    assert unary["output"][0]["extra_content"] == {"anthropic": {"thinking_blocks": [signed, redacted]}}


def test_an_encrypted_thought_without_any_words_is_kept_too() -> None:
    redacted = {"type": "redacted_thinking", "data": "blob"}
    blocks = [block(0, redacted), text_block(1, "one")]
    streamed = check(written(read(b"".join(message_stream(blocks=blocks)), ANTHROPIC_MESSAGES)))
    unary = through(message(redacted, "one"), ANTHROPIC_MESSAGES)
    assert streamed["output"] == unary["output"]
    assert [item["type"] for item in unary["output"]] == ["reasoning", "message"]


def test_what_a_vendor_keeps_with_a_call_goes_there_and_back() -> None:
    kept = {"google": {"thought_signature": "sig"}}
    called = {"id": "c1", "type": "function", "function": {"name": "w", "arguments": "{}"}, "extra_content": kept}
    unary = through(choice("tool_calls", content=None, tool_calls=[called]), OPENAI_CHAT)
    assert unary["output"][0]["extra_content"] == kept
    named = {**called, "index": 0}
    wire = b"".join(map(sse, [delta(role="assistant"), delta(tool_calls=[named]), delta(finish="tool_calls")]))
    assert check(written(read(wire, OPENAI_CHAT)))["output"] == unary["output"]
    opened = OPENAI_CHAT.stream_to_canonical()
    begun = [canonical for event in decoded(delta(role="assistant")) for canonical in opened.translate(event)]
    head = {"id": "chatcmpl-1", "created": 1700000000, "model": "upstream-model"}
    signed = chunk_event(head, {"tool_calls": [{"index": 0, "extra_content": kept}]})
    call = ToolCallDelta(id="c1", name="w", text="{}")
    for said in ((signed, call), (call, signed)):
        writer = OPENAI_RESPONSES.stream_from_canonical(asked(stream=True))
        events = [made for one in (*begun, *said, Finish(reason="tool_calls")) for made in writer.translate(one)]
        assert check(written([*events, *writer.end()]))["output"] == unary["output"]
    items = [{"role": "user", "content": "hi"}, *unary["output"]]
    canonical = OPENAI_RESPONSES.to_canonical_request(asked(input=items)).body
    assert canonical["messages"][1]["tool_calls"] == [called]


def decoded(*chunks: JsonObject) -> list[Event]:
    decoder = OPENAI_CHAT.stream_decoder()
    return [event for one in chunks for event in decoder.decode(json.dumps(one).encode())]


def test_counts_are_told_while_a_stream_runs_and_other_choices_are_not() -> None:
    events = read(b"".join(message_stream("a")), ANTHROPIC_MESSAGES)
    assert [event.usage.prompt_tokens for event in events[:-2] if isinstance(event, UsageReport)] == [3, 3]
    chunks = [delta("a"), delta("b", index=1), delta(finish="stop"), delta(index=1, finish="stop")]
    assert check(written(read(b"".join(map(sse, chunks)), OPENAI_CHAT)))["output"][0]["content"][0]["text"] == "a"


def test_an_answer_that_says_nothing_is_a_response_without_items() -> None:
    response = check(written(read(b"".join(chat_stream()), OPENAI_CHAT)))
    assert (response["output"], response["status"]) == ([], "completed")
    assert through(choice(content=""), OPENAI_CHAT)["output"] == []


def test_u09_a_stream_that_breaks_off_has_no_last_event() -> None:
    wire = b"".join(chat_stream("one", finish=None, done=False))
    with pytest.raises(UpstreamError) as raised:
        read(wire, OPENAI_CHAT)
    assert raised.value.code == "upstream_stream_interrupted"


def test_a_stream_that_was_cut_is_incomplete_also_when_it_is_put_together_again() -> None:
    events = read(b"".join(chat_stream("one", finish="length")), OPENAI_CHAT)
    frames = written(events)
    assert (frames[-1]["type"], check(frames)["status"]) == ("response.incomplete", "incomplete")
    assembled = OPENAI_RESPONSES.assemble(events).body
    assert (assembled["status"], assembled["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_a_call_that_is_put_together_again_is_the_same_call() -> None:
    chunks = [delta(role="assistant"), call_delta(0, "{}", id="c1", name="w"), delta(finish="tool_calls")]
    (item,) = OPENAI_RESPONSES.assemble(read(b"".join(map(sse, chunks)), OPENAI_CHAT)).body["output"]
    assert (item["call_id"], item["name"], item["arguments"], item["status"]) == ("c1", "w", "{}", "completed")


def test_an_end_that_every_chunk_repeats_ends_one_item_once() -> None:
    chunks = [delta("on", finish="stop"), delta("e", finish="stop"), delta(finish="length")]
    frames = check(written(read(b"".join(map(sse, chunks)), OPENAI_CHAT)))
    assert [item["content"][0]["text"] for item in frames["output"]] == ["one"]
    assert frames["status"] == "incomplete"


def test_a_call_begins_with_its_name_also_where_that_comes_after_the_id() -> None:
    head: JsonObject = {"index": 0, "id": "c", "type": "function", "function": {"arguments": ""}}
    for name, arguments in (({"name": "w"}, "{}"), ({}, "{}"), ({}, "")):
        named = {"index": 0, "function": {**name, "arguments": ""}}
        said = {"index": 0, "function": {"arguments": arguments}}
        chunks = [delta(role="assistant"), *(delta(tool_calls=[one]) for one in (head, named, said))]
        frames = written(read(b"".join(map(sse, [*chunks, delta(finish="tool_calls")])), OPENAI_CHAT))
        (call,) = check(frames)["output"]
        assert (call["call_id"], call["name"], call["arguments"]) == ("c", name.get("name", ""), "{}")
        (begun,) = (frame["item"] for frame in frames if frame["type"] == "response.output_item.added")
        assert begun["name"] == call["name"]


SOURCE: JsonObject = {"url": "https://a.test", "title": "A", "start_index": 0, "end_index": 3}
CITED: JsonObject = {"type": "url_citation", "url_citation": SOURCE}
CITATION: JsonObject = {"type": "url_citation", **SOURCE}


def test_citations_are_those_of_the_text() -> None:
    said = through(choice(content="one", refusal="no", annotations=[CITED, {"type": "other"}, "x"]), OPENAI_CHAT)
    text, refusal = said["output"][0]["content"]
    assert text == {"type": "output_text", "text": "one", "annotations": [CITATION], "logprobs": []}
    assert refusal == {"type": "refusal", "refusal": "no"}
    assert through(choice(annotations=[CITED], content=None), OPENAI_CHAT)["output"] == []


def test_citations_of_a_stream_are_told_as_they_come_and_with_the_whole_text() -> None:
    chunks = [delta("on", role="assistant"), delta("e", annotations=[CITED]), delta(annotations=[CITED])]
    events = read(b"".join(map(sse, [*chunks, delta(finish="stop")])), OPENAI_CHAT)
    frames = written(events)
    (item,) = check(frames)["output"]
    assert item["content"] == [
        {"type": "output_text", "text": "one", "annotations": [CITATION, CITATION], "logprobs": []}
    ]
    told = [frame for frame in frames if frame["type"] == "response.output_text.annotation.added"]
    assert [(frame["annotation_index"], frame["annotation"]) for frame in told] == [(0, CITATION), (1, CITATION)]
    assert {(frame["output_index"], frame["content_index"], frame["item_id"]) for frame in told} == {(0, 0, item["id"])}
    read_by_guards = [slot.text for event in events if isinstance(event, Opaque) for slot in event.slots]
    assert "https://a.test" in read_by_guards
