"""OpenAI's client for Node: what it reads, what it throws, and what it tries again."""

from __future__ import annotations

import pytest

from sentinel_core.json_types import JsonValue
from tests.clients.nodejs import Played, needs_node, play
from tests.clients.scenes import CALL, MODELS, OVERLONG
from tests.server.serving import RUNNERS
from tests.upstream import USAGE, completion

pytestmark = needs_node


@pytest.fixture(scope="module", params=RUNNERS)
def played(request: pytest.FixtureRequest) -> Played:
    return play("openai.mjs", request.param)


def spoken(chunks: list[JsonValue]) -> str:
    return "".join(choice["delta"].get("content") or "" for chunk in chunks for choice in chunk["choices"])


def test_a_completion_is_the_upstreams_and_carries_the_requests_id(played: Played) -> None:
    value = played.value("unary")
    assert value["data"] == completion()
    assert value["request_id"] == value["header"] is not None


def test_models_are_listed(played: Played) -> None:
    assert played.value("models")[: len(MODELS)] == list(MODELS)


def test_a_stream_has_the_usage_that_was_asked_for_and_no_other(played: Played) -> None:
    assert spoken(played.value("stream")) == "hello"
    assert all(chunk["choices"] and "usage" not in chunk for chunk in played.value("stream"))
    *chunks, last = played.value("stream_with_usage")
    assert (spoken(chunks), last["choices"], last["usage"]) == ("one two", [], USAGE)


def test_keep_alive_comments_are_not_seen(played: Played) -> None:
    chunks = played.value("stream_after_silence")
    assert spoken(chunks) == "onetwo"
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}


def test_a_tool_is_called_whole_and_streamed(played: Played) -> None:
    whole = played.value("tools")["choices"][0]
    streamed = played.value("tools_streamed")["completion"]["choices"][0]
    for choice in (whole, streamed):
        assert (choice["finish_reason"], choice["message"]["tool_calls"]) == ("tool_calls", [CALL])


def test_the_tool_runner_sends_the_result_and_gets_an_answer(played: Played) -> None:
    assert played.value("tools_run") == {"said": ["hot in Rome"], "text": "It is hot."}
    *_, called, result = played.sent["tools-run"]["messages"]
    assert called["tool_calls"] == [CALL]
    assert result == {"role": "tool", "tool_call_id": "call_1", "content": "hot in Rome"}


def test_a_structured_answer_is_parsed_and_its_schema_reached_the_upstream(played: Played) -> None:
    assert played.value("structured") == {"city": "Rome"}
    asked = played.sent["structured"]["response_format"]
    assert (asked["type"], asked["json_schema"]["name"], asked["json_schema"]["strict"]) == (
        "json_schema",
        "city",
        True,
    )


def test_text_completions_and_embeddings(played: Played) -> None:
    assert played.value("text") == "legacy"
    assert "".join(played.value("text_streamed")) == "legacy"
    assert played.value("embeddings") == [0.25, -0.5]


@pytest.mark.parametrize(
    ("case", "name", "status", "code", "should_retry", "tries"),
    [
        ("unknown", "NotFoundError", 404, "model_not_found", "false", 1),
        ("overlong", "BadRequestError", 400, "context_length_exceeded", "false", 1),
        ("limited", "RateLimitError", 429, "rate_limit_exceeded", "true", 3),
        ("limited_long", "RateLimitError", 429, "rate_limit_exceeded", "false", 1),
        ("budget", "RateLimitError", 429, "insufficient_quota", "false", 1),
        ("quota", "InternalServerError", 503, "upstream_quota", "false", 1),
        ("down", "InternalServerError", 502, "upstream_connection_reset", "true", 3),
        ("down_streamed", "InternalServerError", 502, "upstream_connection_reset", "true", 3),
        ("html", "InternalServerError", 502, "upstream_invalid_response", "true", 3),
    ],
)
def test_an_error_has_its_class_its_code_and_as_many_tries_as_the_gateway_advises(
    played: Played, case: str, name: str, status: int, code: str, should_retry: str, tries: int
) -> None:
    error = played.error(case)
    assert (error["classes"], error["status"], error["code"]) == ([name, True], status, code)
    assert (error["should_retry"], 1 + len(played.waits(case))) == (should_retry, tries)
    assert error["request_id"]


def test_the_upstreams_words_and_wait_reach_the_client(played: Played) -> None:
    assert played.error("overlong")["message"] == f"400 {OVERLONG}"
    assert played.waits("limited") == [20, 20]
    assert played.value("limited_once")["choices"][0]["message"]["content"] == "at last"


@pytest.mark.parametrize("case", ["broken", "cut"])
def test_u09_a_stream_that_breaks_throws_after_what_came_before(played: Played, case: str) -> None:
    error = played.error(case)
    assert spoken(error["partial"]) == "one two"
    assert (error["classes"], error["code"]) == (["APIError", True], "upstream_stream_interrupted")
    assert played.calls[case] == 1
