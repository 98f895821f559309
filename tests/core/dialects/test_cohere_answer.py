"""Cohere's unary answers as OpenAI's, and its counts."""

from __future__ import annotations

import json

import pytest

from sentinel_core.dialects.cohere_chat import COHERE_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage
from tests.upstream.api import COUNTED
from tests.upstream.cohere import citation


def answered(body: JsonValue) -> Answer:
    return COHERE_CHAT.reader("m").decode_answer(json.dumps(body).encode())


def completion(**fields: JsonValue) -> JsonObject:
    """The completion of a whole answer with these fields, without its time."""
    body = {"id": "chat-1", "message": {"role": "assistant"}, "finish_reason": "COMPLETE", **fields}
    made = dict(answered(body).body)
    assert isinstance(made.pop("created"), int)
    return made


def message(**fields: JsonValue) -> JsonValue:
    """The message of the answer whose message has these fields."""
    return completion(message={"role": "assistant", **fields})["choices"][0]["message"]


def failed(body: JsonValue) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        answered(body)
    return raised.value


TEXT = {"type": "text", "text": "a"}
THOUGHT = {"type": "thinking", "thinking": "hm"}
CALL = {"id": "c1", "type": "function", "function": {"name": "w", "arguments": '{"city":"Rome"}'}}


def test_an_answer_for_openai() -> None:
    counts = {"tokens": {"input_tokens": 30.0, "output_tokens": 2.0}, "cached_tokens": 20.0}
    assert completion(message={"role": "assistant", "content": [TEXT, TEXT]}, usage=counts) == {
        "id": "chat-1",
        "object": "chat.completion",
        "model": "m",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "aa"}, "finish_reason": "stop"}],
        "usage": {
            "prompt_tokens": 30,
            "completion_tokens": 2,
            "total_tokens": 32,
            "prompt_tokens_details": {"cached_tokens": 20},
        },
    }


def test_thoughts_plans_calls_and_citations() -> None:
    marked = {"extra_content": {"cohere": {"thinking": True}}}
    assert message(content=[THOUGHT, TEXT]) == {
        "role": "assistant",
        "content": "a",
        "reasoning_content": "hm",
        **marked,
    }
    assert message(tool_plan="I look.", tool_calls=[CALL]) == {
        "role": "assistant",
        "content": "I look.",
        "tool_calls": [CALL],
    }
    assert message(content=[THOUGHT], tool_calls=[CALL])["content"] is None
    assert message(content=None, citations=None) == {"role": "assistant", "content": ""}
    quoted = message(content=[TEXT], citations=[citation("a")])
    assert quoted["extra_content"] == {"cohere": {"citations": [citation("a")]}}


def test_guards_read_what_a_citation_quotes() -> None:
    body = {
        "id": "x",
        "message": {"content": [TEXT], "citations": [citation("ann@host")]},
        "finish_reason": "COMPLETE",
    }
    assert {"ann@host", "On ann@host."} <= {slot.text for slot in answered(body).texts()}


@pytest.mark.parametrize(("given_", "made"), [("", "{}"), ("null", "{}"), (None, "{}"), ('{"a": 1}', '{"a": 1}')])
def test_a_call_without_arguments_gets_an_empty_object(given_: str | None, made: str) -> None:
    said = message(tool_calls=[{"id": "c", "type": "function", "function": {"name": "w", "arguments": given_}}])
    assert said["tool_calls"][0]["function"] == {"name": "w", "arguments": made}


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("COMPLETE", "stop"),
        ("STOP_SEQUENCE", "stop"),
        ("MAX_TOKENS", "length"),
        ("TOOL_CALL", "tool_calls"),
        ("A_NEW_REASON", "stop"),
    ],
)
def test_reasons_to_finish(word: str, reason: str) -> None:
    assert completion(finish_reason=word)["choices"][0]["finish_reason"] == reason


@pytest.mark.parametrize(("word", "code"), [("ERROR", "upstream_error"), ("TIMEOUT", "upstream_timeout")])
def test_a_failed_generation_is_no_answer(word: str, code: str) -> None:
    assert failed({"id": "x", "message": {"content": [TEXT]}, "finish_reason": word}).code == code


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"message": {"content": [TEXT]}},
        {"message": [TEXT], "finish_reason": "COMPLETE"},
        {"message": {"content": "a"}, "finish_reason": "COMPLETE"},
        {"message": {"content": [{"text": 3}]}, "finish_reason": "COMPLETE"},
        {"message": {"tool_plan": 3}, "finish_reason": "COMPLETE"},
        {"message": {"tool_calls": [{"id": "c"}]}, "finish_reason": "TOOL_CALL"},
        {"message": {"tool_calls": [{"function": {"arguments": {}}}]}, "finish_reason": "TOOL_CALL"},
        {"message": {"tool_calls": {"function": {}}}, "finish_reason": "TOOL_CALL"},
        {"message": {"citations": {}}, "finish_reason": 3},
    ],
)
def test_u12_what_is_no_answer_is_an_error(body: JsonValue) -> None:
    assert failed(body).code == "upstream_invalid_response"


def test_u13_an_error_with_status_200_is_one() -> None:
    error = failed({"message": "internal problem"})
    assert (error.code, error.message, error.verbatim) == ("upstream_error", "internal problem", True)
    assert failed({"error": {"message": "m"}}).code == "upstream_error"


LOGPROBS = {"text": "aé", "token_ids": [1, 2], "logprobs": [-0.5, -0.25]}
SCORED = {"token": "aé", "logprob": -0.75, "bytes": [97, 195, 169], "top_logprobs": []}


def test_log_probabilities_of_a_piece_are_those_of_its_tokens_together() -> None:
    made = completion(logprobs=[LOGPROBS, {"token_ids": [3]}, {"text": "x", "logprobs": ["?"]}, None])
    assert made["choices"][0]["logprobs"] == {"content": [SCORED], "refusal": None}


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        (None, None),
        ([], None),
        ({}, None),
        ({"tokens": {"input_tokens": 0, "output_tokens": 0.0}}, Usage()),
        ({"tokens": {"input_tokens": 3.0}, "billed_units": {"input_tokens": 1, "output_tokens": 2}}, COUNTED),
        ({"tokens": {"input_tokens": -1, "output_tokens": "x"}}, None),
        ({"tokens": {"input_tokens": True, "output_tokens": 1e300}}, None),
        ({"tokens": {"input_tokens": -1}, "billed_units": {"input_tokens": 3, "output_tokens": 2}}, COUNTED),
        ({"tokens": {"input_tokens": 3, "output_tokens": 2}, "cached_tokens": 9}, Usage(3, 2, 5, 3)),
        ({"tokens": {"input_tokens": 3, "output_tokens": 2}, "cached_tokens": "x"}, COUNTED),
    ],
)
def test_u26_counts_that_make_sense_are_taken_and_zeros_stay(counts: JsonValue, expected: Usage | None) -> None:
    assert answered({"id": "x", "message": {}, "finish_reason": "COMPLETE", "usage": counts}).usage == expected
