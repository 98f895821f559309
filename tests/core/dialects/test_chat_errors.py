"""What an upstream's error means to the caller."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.errors import reported_error, upstream_error
from sentinel_core.errors import ERRORS, Refusal
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values

JSON = json_values(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    st.sampled_from(["error", "message", "code", "type"]),
    levels=3,
    width=3,
)
TOO_LONG = "This model's maximum context length is 8192 tokens; prompt is too long"


@pytest.mark.parametrize("status", [400, 404, 413, 422])
@pytest.mark.parametrize(
    "body",
    [
        {"error": {"message": TOO_LONG, "code": "context_length_exceeded"}},
        {"error": TOO_LONG},
        {"message": TOO_LONG},
        [{"error": {"message": TOO_LONG, "code": 400, "status": "INVALID_ARGUMENT"}}],  # Gemini's imitation of OpenAI
    ],
    ids=["object", "string", "bare", "array"],
)
def test_u18_the_callers_faults_keep_status_and_words(status: int, body: JsonValue) -> None:
    error = upstream_error(status, body)
    assert (error.status, error.message, error.verbatim, error.should_retry) == (status, TOO_LONG, True, False)


def test_u18_the_providers_own_code_param_and_type_are_shown() -> None:
    wire = {"message": "m", "type": "t", "param": "p", "code": "context_length_exceeded"}
    assert msgspec.json.decode(OPENAI_CHAT.encode_error(upstream_error(400, {"error": wire}))) == {"error": wire}


@pytest.mark.parametrize("word", ["message", "type", "param", "code"])
def test_each_of_the_providers_words_is_read_by_guards(word: str) -> None:
    assert upstream_error(400, {"error": {word: "ann@acme.com"}}).verbatim


@pytest.mark.parametrize("status", [401, 403])
def test_u19_the_gateways_credentials_are_never_the_callers_fault(status: int) -> None:
    error = upstream_error(status, {"error": {"message": "Incorrect API key provided: sk-abc"}})
    assert (error.status, error.code, error.upstream_status) == (502, "upstream_auth_error", status)
    assert "sk-abc" not in error.message


@pytest.mark.parametrize("status", [400, 429, 500])
def test_u19_a_credentials_code_counts_whatever_the_status(status: int) -> None:
    assert upstream_error(status, {"error": {"code": "invalid_api_key"}}).status == 502


@pytest.mark.parametrize(
    ("status", "wire"),
    [
        (402, {"message": "pay"}),
        (429, {"code": "insufficient_quota", "message": "You exceeded your quota"}),
        (400, {"message": "Your credit balance is too low to access the API"}),
        (500, {"code": "insufficient_quota"}),
        (429, {"type": "insufficient_quota", "code": None, "message": "You exceeded your quota"}),
    ],
)
def test_u20_an_empty_account_of_the_gateway_is_not_the_callers_quota(status: int, wire: JsonObject) -> None:
    error = upstream_error(status, {"error": wire})
    assert (error.code, error.wire_code, error.should_retry) == ("overloaded", "upstream_quota", False)
    assert error.message == "The account of this gateway at the model's provider is out of balance or quota."


DETAIL = [{"type": "extra_forbidden", "loc": ["body", "messages", 1, "parsed"], "msg": "Extra inputs"}]


@pytest.mark.parametrize(
    ("body", "message", "param"),
    [
        ({"detail": DETAIL}, "Extra inputs", "messages.1.parsed"),
        ({"message": {"detail": DETAIL}, "object": "error"}, "Extra inputs", "messages.1.parsed"),
        ({"detail": "No such thing"}, "No such thing", None),
        ({"detail": [{"msg": "m", "loc": ["body"]}]}, "m", None),
        ({"detail": [{"msg": "m"}]}, "m", None),
        ({"detail": [], "message": "m"}, "m", None),
        ({"detail": "request 123", "message": "m", "code": "c", "param": "p"}, "m", "p"),
        ({"detail": "", "message": "m"}, "m", None),
        ({"detail": ["m"]}, ERRORS["invalid_request"].message, None),
        ({"detail": "d", "error": {"message": "m"}}, "m", None),
    ],
)
def test_u18_the_first_words_of_a_servers_validation_are_told(body: JsonValue, message: str, param: str | None) -> None:
    """FastAPI's `detail`, as vLLM and Mistral write it."""
    error = upstream_error(422, body)
    assert (error.status, error.message, error.param) == (422, message, param)
    assert error.verbatim == (message != ERRORS["invalid_request"].message), "guards read the server's words"


@pytest.mark.parametrize("wait", [None, 2.0, 2.5, 99_999.0])
def test_u16_a_rate_limit_keeps_its_wait_and_none_is_invented(wait: float | None) -> None:
    error = upstream_error(429, None, retry_after_s=wait)
    assert (error.status, error.code, error.retry_after_s) == (429, "rate_limit_exceeded", wait)


def test_u13_an_error_with_status_200_says_what_it_says_with_a_status_of_its_own() -> None:
    code, kind = "context_length_exceeded", "invalid_request_error"
    wire = {"message": TOO_LONG, "type": kind, "param": "messages", "code": code}
    reported, refused = reported_error({"error": wire}), upstream_error(400, {"error": wire})
    assert reported.upstream_status == 200
    assert {**vars(reported), "upstream_status": 400} == vars(refused)


@pytest.mark.parametrize(
    ("wire", "status", "code", "retry"),
    [
        ({"code": "server_is_overloaded", "type": "service_unavailable_error"}, 503, "overloaded", True),
        ({"code": "slow_down"}, 429, "rate_limit_exceeded", True),
        ({"code": None, "type": "insufficient_quota"}, 503, "overloaded", False),
    ],
)
def test_u13_a_code_says_the_status_that_an_error_in_a_stream_has_not(
    wire: JsonObject, status: int, code: str, retry: bool
) -> None:
    error = reported_error({"error": {"message": "m", **wire}})
    assert (error.status, error.code, error.should_retry, error.upstream_status) == (status, code, retry, 200)


@pytest.mark.parametrize(
    ("status", "code", "ours"),
    [(500, "upstream_error", 502), (502, "upstream_error", 502), (503, "overloaded", 503), (529, "overloaded", 503)],
)
def test_u17_a_failing_upstream(status: int, code: str, ours: int) -> None:
    error = upstream_error(status, {"error": {"message": "boom"}})
    assert (error.code, error.status, error.upstream_status) == (code, ours, status)


@given(st.integers(300, 599), JSON)
def test_any_error_body_gives_an_error_of_the_table(status: int, body: JsonValue) -> None:
    errors = [upstream_error(status, body)]
    if isinstance(body, dict):
        errors.append(reported_error(body))
    for error in errors:
        assert error.status not in (401, 403)
        shown = msgspec.json.decode(OPENAI_CHAT.encode_error(error))["error"]
        assert list(shown) == ["message", "type", "param", "code"]
        assert isinstance(shown["message"], str)
        assert isinstance(shown["code"], str)


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_code_has_the_four_keys_on_the_wire(code: str) -> None:
    shown = msgspec.json.decode(OPENAI_CHAT.encode_error(Refusal(code)))["error"]
    assert shown == {"message": ERRORS[code].message, "type": ERRORS[code].type, "param": None, "code": code}


def test_details_land_in_the_error_object_and_long_messages_are_cut() -> None:
    shown = msgspec.json.decode(OPENAI_CHAT.encode_error(Refusal("overloaded", "x" * 900, details={"a": 1})))["error"]
    assert (len(shown["message"]), shown["details"]) == (500, {"a": 1})
