"""Unary answers: as they came, patched where changed, and to a stream's events and back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Finish, Opaque, TextDelta, TextEvent, ToolCallDelta
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from tests.core.dialects.chat_chunks import USAGE, choice, chunk, decode, payloads

TEXT = st.text(max_size=5)
CALL = st.builds(
    lambda name, text: {"id": "c", "type": "function", "function": {"name": name, "arguments": text}}, TEXT, TEXT
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": TEXT | st.none()},
    optional={
        "refusal": TEXT | st.none(),
        "reasoning_content": TEXT,
        "reasoning": TEXT,
        "tool_calls": st.lists(CALL, max_size=3),
        "function_call": st.builds(lambda text: {"name": "f", "arguments": text}, TEXT),
        "x": st.dictionaries(TEXT, TEXT | st.integers(), max_size=2),
    },
)


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    messages = draw(st.lists(MESSAGE, min_size=1, max_size=3))
    index = draw(st.sampled_from([lambda n: {"index": n}, lambda n: {}, lambda n: {"index": 0}]))
    choices = [{**index(n), "message": message, "finish_reason": "stop"} for n, message in enumerate(messages)]
    top = draw(st.dictionaries(TEXT.map("x_".__add__), TEXT | st.lists(TEXT, max_size=2), max_size=2))
    return answer({"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": choices, **top})


def answer(body: JsonObject) -> Answer:
    return OPENAI_CHAT.decode_answer(msgspec.json.encode({**body, "usage": USAGE}))


def said(message: JsonObject) -> list[JsonValue]:
    calls = [(call["id"], call["function"]) for call in message.get("tool_calls") or ()]
    reasoning = message.get("reasoning_content") or message.get("reasoning")
    function = message.get("function_call")
    return [message.get("content") or "", message.get("refusal") or "", reasoning or "", calls, function]


@given(answers())
def test_an_untouched_answer_leaves_byte_for_byte(given_answer: Answer) -> None:
    assert OPENAI_CHAT.encode_answer(given_answer) == given_answer.raw


@given(answers())
def test_decomposed_and_recomposed_an_answer_is_itself(given_answer: Answer) -> None:
    assert OPENAI_CHAT.recompose(given_answer, OPENAI_CHAT.decompose(given_answer)) == given_answer


@given(answers())
def test_every_slot_can_be_replaced_with_itself(given_answer: Answer) -> None:
    same = given_answer.with_texts({slot.path: slot.text for slot in given_answer.texts()})
    assert repr(same.body) == repr(given_answer.body)


@given(answers(), st.data())
def test_one_changed_event_patches_one_slot(given_answer: Answer, data: st.DataObject) -> None:
    events = list(OPENAI_CHAT.decompose(given_answer))
    texts = [number for number, event in enumerate(events) if isinstance(event, TextEvent)]
    if not texts:
        return
    chosen = data.draw(st.sampled_from(texts))
    event = events[chosen]
    assert isinstance(event, TextEvent)
    events[chosen] = event.with_text(event.text + "\U0001f512")
    before, after = given_answer.texts(), OPENAI_CHAT.recompose(given_answer, events).texts()
    changed = [(old.text, new.text) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(event.text, event.text + "\U0001f512")]


@pytest.mark.parametrize("made_here", [True, False])
def test_arguments_that_are_an_object_are_one_text(made_here: bool) -> None:
    """As some compatible servers give them, and they become it there, and as a stage or a provider may make them:
    numbers in it are read, and each value behind its key."""
    function = {"name": "f", "arguments": {"card": 4111111111111111, "to": ["secret"]}}
    body = {"choices": [{"message": {"tool_calls": [{"function": function}], "function_call": function}}]}
    given_answer = Answer(dialect=OPENAI_CHAT, body=body) if made_here else answer(body)
    text = '{"card":4111111111111111,"to":["secret"]}'
    slots = [slot.text for slot in given_answer.texts() if slot.kind == "tool_arguments"]
    events = OPENAI_CHAT.decompose(given_answer)
    assert slots == [event.text for event in events if isinstance(event, ToolCallDelta)] == [text, text]
    masked = [e.with_text(e.text.replace("secret", "*")) if isinstance(e, ToolCallDelta) else e for e in events]
    sent = OPENAI_CHAT.recompose(given_answer, masked).body["choices"][0]["message"]
    arguments = {"card": 4111111111111111, "to": ["*"]}
    made = {**function, "arguments": arguments if made_here else msgspec.json.encode(arguments).decode()}
    assert sent == {"tool_calls": [{"function": made}], "function_call": made}


def test_text_that_a_stream_stage_takes_out_is_taken_out() -> None:
    given_answer = answer({"choices": [{"message": {"content": "secret", "x": "secret"}}]})
    kept = [event for event in OPENAI_CHAT.decompose(given_answer) if not isinstance(event, TextDelta | Opaque)]
    assert b"secret" not in OPENAI_CHAT.encode_answer(OPENAI_CHAT.recompose(given_answer, kept))


@given(answers())
def test_u15_framed_as_a_stream_an_answer_says_the_same(given_answer: Answer) -> None:
    events = OPENAI_CHAT.stream_frames(given_answer)
    again = OPENAI_CHAT.assemble(events)
    old, new = given_answer.body["choices"], again.body["choices"]
    distinct = len({choice.get("index", n) for n, choice in enumerate(old)}) == len(old)
    assert distinct is False or [choice["finish_reason"] for choice in new] == ["stop"] * len(old)
    assert [said(choice["message"]) for choice in new] == [said(choice["message"]) for choice in old]
    assert (again.usage, again.body["usage"]) == (given_answer.usage, USAGE)
    assert {key: again.body.get(key) for key in given_answer.body if key.startswith("x_")} == {
        key: value for key, value in given_answer.body.items() if key.startswith("x_")
    }


@given(answers())
def test_u15_framed_as_a_stream_an_answer_is_complete(given_answer: Answer) -> None:
    decoder = OPENAI_CHAT.stream_decoder()
    for payload in payloads(OPENAI_CHAT.stream_frames(given_answer)):
        decoder.decode(payload)
    decoder.end()


def test_u15_an_answer_larger_than_one_event_may_be_is_framed_as_well() -> None:
    given_answer = answer({"choices": [{"message": {"content": "x" * (2 << 20)}}]})
    assert any(isinstance(event, Finish) for event in OPENAI_CHAT.stream_frames(given_answer))


def test_u15_a_tool_call_that_is_none_is_an_invalid_response() -> None:
    with pytest.raises(UpstreamError):
        OPENAI_CHAT.stream_frames(answer({"choices": [{"message": {"tool_calls": ["x"]}}]}))


def test_logprobs_of_a_changed_choice_are_dropped_and_of_others_kept() -> None:
    choice = {"message": {"content": "secret"}, "logprobs": {"content": [{"token": "tok"}]}}
    changed = answer({"choices": [choice, choice]}).with_texts({("choices", 0, "message", "content"): "***"})
    assert [item["logprobs"] for item in changed.body["choices"]] == [None, choice["logprobs"]]
    assert changed.raw is None


def test_an_assembled_answer_holds_unknown_fields_as_the_guards_left_them() -> None:
    decoder = OPENAI_CHAT.stream_decoder()
    events = decoder.decode(b'{"choices":[{"index":0,"delta":{"content":"a"}}],"x":"secret"}')
    masked = [event.with_texts({("x",): "***"}) if isinstance(event, Opaque) else event for event in events]
    assembled = OPENAI_CHAT.assemble(masked)
    assert assembled.body["x"] == "***"
    assert all(slot.text != "secret" for slot in assembled.texts())
    without = OPENAI_CHAT.assemble([event for event in events if not isinstance(event, Opaque)])
    assert "x" not in without.body


SHELL = {"index": 0, "id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls"}}
LOOK = {"index": 1, "id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}}


def test_u15_a_call_with_free_text_is_put_together_in_its_own_member() -> None:
    more = {"index": 0, "custom": {"input": " -l"}}
    events = decode(chunk(choice({"tool_calls": [SHELL, LOOK]})), chunk(choice({"tool_calls": [more]}, "tool_calls")))
    assert OPENAI_CHAT.assemble(events).body["choices"][0]["message"]["tool_calls"] == [
        {"id": "c1", "type": "custom", "custom": {"name": "sh", "input": "ls -l"}},
        {"id": "c2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
    ]


def test_the_free_text_of_a_call_is_a_channel_of_a_unary_answer_too() -> None:
    given_answer = answer({"choices": [{"message": {"content": None, "tool_calls": [SHELL]}}]})
    event, *rest = OPENAI_CHAT.decompose(given_answer)
    assert isinstance(event, ToolCallDelta)
    assert (event.text, event.id, event.name) == ("ls", "c1", "sh")
    changed = OPENAI_CHAT.recompose(given_answer, [event.with_text("pwd"), *rest])
    (call,) = changed.body["choices"][0]["message"]["tool_calls"]
    assert call["custom"] == {"name": "sh", "input": "pwd"}


@pytest.mark.parametrize("holder", ["tool_calls", "function_call"])
def test_arguments_that_came_as_an_object_are_the_text_that_says_it(holder: str) -> None:
    function = {"name": "f", "arguments": {"city": "Rome"}}
    calls = {holder: function if holder == "function_call" else [{"id": "c", "type": "function", "function": function}]}
    given_answer = answer({"choices": [{"message": {"content": None, **calls}, "finish_reason": "tool_calls"}]})
    (text,) = [event.text for event in OPENAI_CHAT.decompose(given_answer) if isinstance(event, ToolCallDelta)]
    told = msgspec.json.decode(OPENAI_CHAT.encode_answer(given_answer))["choices"][0]["message"][holder]
    said = (told if holder == "function_call" else told[0]["function"])["arguments"]
    assert said == text == '{"city":"Rome"}'


def scored(*tokens: str) -> JsonObject:
    return {"content": [{"token": token, "logprob": -0.5, "bytes": None} for token in tokens], "refusal": None}


def test_u15_log_probabilities_and_annotations_of_all_chunks_are_kept() -> None:
    cited = [{"type": "url_citation", "url_citation": {"url": name}} for name in ("https://a", "https://b")]
    events = decode(
        chunk(choice({"content": "4"}, logprobs=scored("4"))),
        chunk(choice({"content": "2"}, logprobs=scored("2"))),
        chunk(choice({"content": "x"}, index=1)),
        *(chunk(choice({"annotations": [one]})) for one in cited),
        chunk(choice({}, "stop"), choice({}, "stop", index=1)),
    )
    first, second = OPENAI_CHAT.assemble(events).body["choices"]
    assert first["logprobs"] == scored("4", "2")
    assert first["message"] == {"role": "assistant", "content": "42", "annotations": cited}
    assert second == {"index": 1, "message": {"role": "assistant", "content": "x"}, "finish_reason": "stop"}


def test_an_assembled_choice_whose_text_was_changed_has_no_log_probabilities() -> None:
    events = decode(chunk(choice({"content": "secret"}, "stop", logprobs=scored("secret"))))
    masked = [event.with_text("***") if isinstance(event, TextDelta) else event for event in events]
    assert OPENAI_CHAT.assemble(masked).body["choices"][0].get("logprobs") is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"<html>",
        b"{}",
        b'{"choices":[]}',
        b'{"choices":[1]}',
        b'{"choices":[{}]}',
        b'"\xff"',
        b"null",
    ],
)
def test_u12_what_is_no_completion_is_an_invalid_response(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as caught:
        OPENAI_CHAT.decode_answer(raw)
    assert caught.value.code == "upstream_invalid_response"


@given(st.binary())
def test_u12_any_bytes_are_an_answer_or_an_upstream_error(raw: bytes) -> None:
    with pytest.raises(UpstreamError):
        OPENAI_CHAT.decode_answer(raw)


def test_u10_a_chunk_that_is_handed_on_as_it_came_is_json_to_everybody() -> None:
    payload = chunk(choice({"content": "cut "})).replace(b"cut ", rb"cut \ud83d")
    (told,) = payloads(decode(payload))
    assert msgspec.json.decode(told)["choices"][0]["delta"]["content"] == "cut \N{REPLACEMENT CHARACTER}"
