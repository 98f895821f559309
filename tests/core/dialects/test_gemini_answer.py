"""Gemini's unary answers as OpenAI's completions: golden vectors, every reason to finish, what is no answer."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.translation import translated_answer
from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.messages import Answer
from sentinel_core.usage import Usage
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.api import Call, Said
from tests.upstream.gemini import GEMINI, candidate, error_body, function_call, reply, text


def read(body: JsonValue) -> Answer:
    """The answer in OpenAI's form, from a body as Google prints it."""
    return GOOGLE_GEMINI.reader("asked").decode_answer(json.dumps(body, indent=2).encode())


def failed(body: JsonValue) -> UpstreamError:
    with pytest.raises(UpstreamError) as raised:
        read(body)
    return raised.value


def message_of(body: JsonValue, choice: int = 0) -> JsonObject:
    found = read(body).body["choices"][choice]["message"]
    assert isinstance(found, dict)
    return found


def test_an_answer_with_everything_in_it() -> None:
    parts = [
        text("think", thought=True),
        text("ing", thought=True),
        text("Rome "),
        function_call("w", {"city": "Rome", "é": [1, None]}, signature="Q2/+="),
        text("is hot", thoughtSignature="textsig"),
        function_call("now", id="own"),
        {"inlineData": {"mimeType": "image/png", "data": "AAAA"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"executableCode": {"code": "1"}},
    ]
    usage = {
        "promptTokenCount": 10,
        "toolUsePromptTokenCount": 4,
        "cachedContentTokenCount": 6,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "totalTokenCount": 19,
        "serviceTier": "standard",
    }
    answer = read(reply(candidate(*parts, finish="STOP"), usageMetadata=usage))
    body = dict(answer.body)
    assert isinstance(body.pop("created"), int)
    identifier = body["choices"][0]["message"]["tool_calls"][0]["id"]
    assert body == {
        "id": "QHiLaa6LBrb8vdIPoNztsAg",
        "object": "chat.completion",
        "model": "gemini-upstream",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Rome is hot",
                    "reasoning_content": "thinking",
                    "tool_calls": [
                        {
                            "id": identifier,
                            "type": "function",
                            "function": {"name": "w", "arguments": '{"city":"Rome","é":[1,null]}'},
                            "extra_content": {"google": {"thought_signature": "Q2/+="}},
                        },
                        {"id": "own", "type": "function", "function": {"name": "now", "arguments": "{}"}},
                    ],
                    "images": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}, "index": 0}],
                    "extra_content": {"google": {"thought_signature": "textsig"}},
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {
            "prompt_tokens": 14,
            "completion_tokens": 5,
            "total_tokens": 19,
            "prompt_tokens_details": {"cached_tokens": 6},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
    }
    assert answer.usage == Usage(14, 5, 19, 6, 2)
    assert answer.dialect is OPENAI_CHAT


FILTERED = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "MODEL_ARMOR", "ESCALATION"),
    *("IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION"),
)
FAILED = (
    *("MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE"),
    *("MALFORMED_RESPONSE", "NO_IMAGE", "IMAGE_OTHER", "OTHER", "PUP_LIMITED_DISABLED", "A_NEW_REASON"),
)
BLOCKED = ("SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("CONTINUATION", "length"),
        *((reason, "content_filter") for reason in FILTERED),
        *((reason, "stop") for reason in FAILED),
    ],
)
def test_a_reason_to_finish_is_openais_word_and_one_that_it_lacks_stands_beside_it(reason: str, finish: str) -> None:
    choice = read(reply(candidate(text("x"), finish=reason))).body["choices"][0]
    assert choice["finish_reason"] == finish
    kept = choice["message"].get("extra_content")
    assert kept == (None if reason in ("STOP", "MAX_TOKENS") else {"google": {"finish_reason": reason}})


@pytest.mark.parametrize("reason", [*FILTERED, "STOP", "MAX_TOKENS"])
def test_an_answer_may_be_empty(reason: str) -> None:
    assert message_of(reply(candidate(finish=reason)))["content"] == ""


@pytest.mark.parametrize("reason", FAILED)
def test_u12_an_empty_answer_of_a_model_that_failed_is_none(reason: str) -> None:
    error = failed(reply(candidate(finish=reason)))
    assert (error.code, error.status, error.should_retry) == ("upstream_error", 502, True)
    assert reason in error.message


def test_a_reason_that_could_not_stand_in_a_message_is_not_shown() -> None:
    assert failed(reply(candidate(finish="https://evil"))).message == "The model ended without an answer (UNKNOWN)."


@pytest.mark.parametrize(
    "reason", ["SAFETY", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "MODEL_ARMOR", "JAILBREAK"]
)
def test_a_blocked_prompt_is_the_callers_to_mend(reason: str) -> None:
    error = failed(reply(promptFeedback={"blockReason": reason}, usageMetadata={"promptTokenCount": 9}))
    assert (error.status, error.wire_code, error.should_retry) == (400, "content_filter", False)
    assert (error.type, error.message) == (
        "invalid_request_error",
        f"The model's provider blocked the prompt ({reason}).",
    )


@pytest.mark.parametrize(
    "body",
    [
        reply(),
        reply(candidates=[]),
        reply(promptFeedback={"blockReason": "BLOCK_REASON_UNSPECIFIED"}),
        reply(promptFeedback={"safetyRatings": []}),
        reply(candidate(text("x"))),  # does not say why it ended
        reply(candidate(text("x"), finish="FINISH_REASON_UNSPECIFIED")),
        reply(candidate(text("x"), finish="STOP"), candidates="x"),
        reply(candidate({"text": 3}, finish="STOP")),
        reply(candidate({"functionCall": {"args": {}}}, finish="STOP")),
        reply(candidate(function_call("w", [1]), finish="STOP")),
        [reply(candidate(text("x"), finish="STOP"))],
        [],
        "x",
        None,
        {},
    ],
)
def test_u12_a_body_that_is_no_answer_is_an_error(body: JsonValue) -> None:
    assert failed(body).code == "upstream_invalid_response"


@pytest.mark.parametrize("raw", [b"", b"{", b"\xff", b"[" * 5000, b'{"candidates":' + b"[" * 5000])
def test_u12_bytes_that_are_no_json_are_an_error(raw: bytes) -> None:
    with pytest.raises(UpstreamError) as raised:
        GOOGLE_GEMINI.reader("m").decode_answer(raw)
    assert raised.value.code == "upstream_invalid_response"


@pytest.mark.parametrize("wrap", [lambda body: body, lambda body: [body]])
def test_u13_an_error_with_status_200_is_an_error(wrap: Callable[[JsonObject], JsonValue]) -> None:
    error = failed(wrap(error_body(503, "The model is overloaded.")))
    assert (error.code, error.status, error.upstream_status) == ("overloaded", 503, 200)


def test_several_candidates_are_several_choices_each_with_ids_of_its_own() -> None:
    one = candidate(function_call("w"), function_call("w"), finish="STOP")
    body = read(reply({**one, "index": 1}, {**one, "index": 0})).body
    assert [choice["index"] for choice in body["choices"]] == [1, 0]
    calls = [call["id"] for choice in body["choices"] for call in choice["message"]["tool_calls"]]
    assert len(set(calls)) == 4


def test_candidates_without_a_number_are_numbered_by_their_place() -> None:
    one = candidate(text("x"), finish="STOP", index=None)
    assert [choice["index"] for choice in read(reply(one, one)).body["choices"]] == [0, 1]


def test_ids_are_the_same_for_the_same_answer_and_differ_between_answers() -> None:
    def ids(**fields: JsonValue) -> list[str]:
        message = message_of(reply(candidate(function_call("w"), function_call("w"), finish="STOP"), **fields))
        return [call["id"] for call in message["tool_calls"]]

    assert ids() == ids()
    found = [*ids(), *ids(responseId="other"), *ids(responseId=None), *ids(responseId=None)]
    assert len(set(found)) == 8
    assert all(len(identifier) <= 40 for identifier in found)


@pytest.mark.parametrize(
    ("counts", "usage"),
    [
        (None, None),
        ({}, None),
        ({"trafficType": "ON_DEMAND"}, None),
        ("x", None),
        ({"promptTokenCount": 0}, Usage(0, 0, 0)),
        ({"promptTokenCount": 3, "totalTokenCount": 3}, Usage(3, 0, 3)),
        ({"promptTokenCount": 3, "candidatesTokenCount": 2}, Usage(3, 2, 5)),
        ({"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 9}, Usage(3, 2, 9)),
        ({"candidatesTokenCount": 2, "totalTokenCount": 2}, Usage(0, 2, 2)),
        ({"promptTokenCount": 10, "totalTokenCount": 35}, Usage(10, 25, 35)),
        ({"promptTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 35}, Usage(10, 25, 35, 0, 7)),
        ({"promptTokenCount": 10, "toolUsePromptTokenCount": 5, "totalTokenCount": 35}, Usage(15, 20, 35)),
        ({"candidatesTokenCount": 5, "toolUsePromptTokenCount": 5, "totalTokenCount": 35}, Usage(30, 5, 35)),
        ({"promptTokenCount": 10, "totalTokenCount": 3}, None),
        ({"promptTokenCount": 10, "thoughtsTokenCount": 7, "totalTokenCount": 12}, None),
        ({"candidatesTokenCount": 10, "totalTokenCount": 3}, None),
        ({"thoughtsTokenCount": 10, "totalTokenCount": 35}, None),
        ({"totalTokenCount": 35}, None),
        ({"promptTokenCount": 3, "thoughtsTokenCount": 7}, Usage(3, 7, 10, 0, 7)),
        ({"promptTokenCount": -1}, None),
        ({"promptTokenCount": "3"}, None),
        ({"promptTokenCount": 3, "candidatesTokenCount": 1.5}, None),
        ({"promptTokenCount": True}, None),
    ],
)
def test_u26_counts_that_make_no_sense_are_none_and_what_is_missing_is_the_rest_of_the_total(
    counts: JsonValue, usage: Usage | None
) -> None:
    answer = read(reply(candidate(text("x"), finish="STOP"), usageMetadata=counts))
    assert answer.usage == usage
    assert ("usage" in answer.body) is (usage is not None)


def test_log_probabilities_in_openais_form() -> None:
    chosen = [{"token": "é", "tokenId": 7, "logProbability": -0.5}, {"token": "x"}]
    tops = [{"candidates": [{"token": "é", "logProbability": -0.5}, {"token": "e", "logProbability": -2}]}]
    found = {"chosenCandidates": chosen, "topCandidates": tops}
    choice = read(reply(candidate(text("éx"), finish="STOP", logprobsResult=found))).body["choices"][0]
    first = {"token": "é", "logprob": -0.5, "bytes": [195, 169]}
    assert choice["logprobs"] == {
        "content": [
            {**first, "top_logprobs": [first, {"token": "e", "logprob": -2.0, "bytes": [101]}]},
            {"token": "x", "logprob": 0.0, "bytes": [120], "top_logprobs": []},
        ],
        "refusal": None,
    }


def test_the_model_that_was_asked_stands_in_for_one_that_is_not_named() -> None:
    assert read(reply(candidate(text("x"), finish="STOP"), modelVersion=None)).body["model"] == "asked"


HI = {"role": "user", "content": "hi"}


def test_an_answer_for_a_client_of_messages() -> None:
    said = Said("hot", reasoning="hm", calls=[Call("c1", "w", {"city": "Rome"})], finish="tool_calls")
    asked = ANTHROPIC_MESSAGES.decode_request({"model": "m", "max_tokens": 9, "messages": [HI]})
    body = translated_answer(read(GEMINI.answer(said)), asked).body
    assert body["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": ""},
        {"type": "text", "text": "hot"},
        {"type": "tool_use", "id": "c1", "name": "w", "input": {"city": "Rome"}},
    ]
    assert (body["stop_reason"], body["usage"]) == ("tool_use", {"input_tokens": 3, "output_tokens": 2})


def test_a_signature_is_no_text_that_a_guard_reads() -> None:
    answer = read(reply(candidate(text("x"), function_call("w", signature="sig"), finish="STOP")))
    assert "sig" not in [slot.text for slot in answer.texts()]


arguments = st.dictionaries(
    st.text(max_size=5),
    json_values(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        st.text(max_size=5),
        levels=3,
        width=3,
    ),
    max_size=4,
)


@promised()
@given(st.lists(arguments, min_size=1, max_size=3))
def test_p8_arguments_are_valid_json_of_what_the_model_gave(given_: list[JsonObject]) -> None:
    parts = [function_call("w", args) for args in given_]
    message = message_of(reply(candidate(*parts, finish="STOP")))
    assert [json.loads(call["function"]["arguments"]) for call in message["tool_calls"]] == given_
