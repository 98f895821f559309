"""Vercel's AI SDK with its providers `openai-compatible`, `openai` and `anthropic`."""

from __future__ import annotations

import pytest

from sentinel_core.json_types import JsonValue
from tests.clients.nodejs import Played, needs_node, play
from tests.clients.scenes import CALL, OVERLONG, USE
from tests.server.serving import RUNNERS

pytestmark = needs_node

USAGE = {"inputTokens": 3, "outputTokens": 2, "totalTokens": 5}
SEEN = [{"toolName": "weather", "input": {"city": "Rome"}}]


@pytest.fixture(scope="module", params=RUNNERS)
def played(request: pytest.FixtureRequest) -> Played:
    return play("ai_sdk.mjs", request.param)


def last(value: JsonValue) -> JsonValue:  # a stream's last part
    return value["parts"][-1]


@pytest.mark.parametrize("case", ["unary", "openai_chat", "openai_responses", "claude_unary", "claude_translated"])
def test_a_text_with_its_usage_and_the_requests_id(played: Played, case: str) -> None:
    value = played.value(case)
    assert (value["text"], value["finishReason"], value["usage"]) == ("hello", "stop", USAGE)
    assert value["request_id"]


@pytest.mark.parametrize(
    ("case", "text"),
    [
        ("stream", "one two"),
        ("openai_chat_stream", "one two"),
        ("openai_responses_stream", "hello"),
        ("claude_stream_translated", "one two"),
    ],
)
def test_a_stream_with_its_usage(played: Played, case: str, text: str) -> None:
    value = played.value(case)
    assert value["text"] == text
    assert last(value) == {"type": "finish", "finishReason": "stop", "usage": USAGE}


@pytest.mark.parametrize("case", ["stream_after_silence", "claude_stream_after_silence"])
def test_keep_alive_comments_are_not_seen(played: Played, case: str) -> None:
    value = played.value(case)
    assert (value["text"], last(value)["finishReason"]) == ("onetwo", "stop")


def test_a_tool_is_called(played: Played) -> None:
    value = played.value("tools")
    assert (value["finishReason"], value["toolCalls"]) == ("tool-calls", SEEN)


@pytest.mark.parametrize(("case", "model"), [("tools_run", "tools-run"), ("tools_run_streamed", "tools-run-streamed")])
def test_a_tool_runs_and_its_result_gets_an_answer(played: Played, case: str, model: str) -> None:
    assert played.value(case)["text"] == "It is hot."
    *_, called, result = played.sent[model]["messages"]
    assert called["tool_calls"] == [CALL]
    assert (result["role"], result["tool_call_id"], result["content"]) == ("tool", "call_1", "hot in Rome")


def test_a_tool_of_anthropics_runs_and_its_result_gets_an_answer(played: Played) -> None:
    assert played.value("claude_tools")["text"] == "It is hot."
    *_, called, result = played.sent["claude-run"]["messages"]
    assert called["content"] == [USE]
    assert result["content"][0]["tool_use_id"] == "toolu_1"


def test_a_tool_of_anthropics_is_streamed(played: Played) -> None:
    value = played.value("claude_stream")
    called = [part["tool"] for part in value["parts"] if part["type"] == "tool-call"]
    assert (value["text"], called, last(value)["usage"]) == ("one", SEEN, USAGE)


def test_a_structured_answer_is_parsed_and_its_schema_reached_the_upstream(played: Played) -> None:
    assert played.value("structured") == {"city": "Rome"}
    schema = played.sent["structured"]["response_format"]["json_schema"]["schema"]
    assert schema["properties"] == {"city": {"type": "string"}}


def test_text_completions_and_embeddings(played: Played) -> None:
    assert played.value("text")["text"] == "legacy"
    assert played.value("embeddings") == [0.25, -0.5]


@pytest.mark.parametrize(
    ("case", "name", "status", "waits"),
    [
        ("unknown", "APICallError", 404, []),
        ("overlong", "APICallError", 400, []),
        ("limited", "RetryError", 429, [20, 20]),
        ("budget", "RetryError", 429, [2000, 4000]),  # `x-should-retry: false` is not read
        ("down", "RetryError", 502, [2000, 4000]),
        ("claude_overloaded", "APICallError", 503, []),
        ("claude_limited", "RetryError", 429, [20, 20]),
    ],
)
def test_an_error_has_its_status_and_is_tried_again_by_status_alone(
    played: Played, case: str, name: str, status: int, waits: list[int]
) -> None:
    error = played.error(case)
    assert (error["classes"], error["status"]) == ([name, True], status)
    assert (played.waits(case), error["tries"]) == (waits, 1 + len(waits))
    assert error["request_id"]


def test_the_errors_text_is_the_gateways_or_the_upstreams(played: Played) -> None:
    assert played.error("overlong")["message"] == OVERLONG
    assert played.error("budget")["message"] == "The budget is used up."
    assert played.error("claude_overloaded")["message"] == "Overloaded"


@pytest.mark.parametrize(
    ("case", "model", "text"),
    [("broken", "broken", "one two"), ("cut", "cut", "one two"), ("claude_broken", "claude-broken", "one")],
)
def test_u09_a_stream_that_breaks_ends_in_an_error_after_what_came_before(
    played: Played, case: str, model: str, text: str
) -> None:
    value = played.value(case)
    errors = [part["error"]["message"] for part in value["parts"] if part["type"] == "error"]
    assert (value["text"], errors) == (text, ["The model's provider broke off its answer."])
    assert last(value)["finishReason"] == "error"
    assert played.calls[model] == 1
