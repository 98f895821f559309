"""What Google's error responses mean to the caller."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.google_gemini import GOOGLE_GEMINI
from sentinel_core.json_types import JsonObject, JsonValue
from tests.json_values import json_values
from tests.properties import promised
from tests.upstream.gemini import error_body

TYPE = "type.googleapis.com/google.rpc."


def info(reason: str) -> JsonObject:
    return {"@type": f"{TYPE}ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def quota(*names: str) -> JsonObject:
    return {"@type": f"{TYPE}QuotaFailure", "violations": [{"quotaId": name} for name in names]}


def retry(delay: JsonValue) -> JsonObject:
    return {"@type": f"{TYPE}RetryInfo", "retryDelay": delay}


DAILY = quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")
MINUTE = quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier")
TOO_LONG = "The input token count (1050000) exceeds the maximum number of tokens allowed (1048576)."


@pytest.mark.parametrize(
    ("body", "status", "code", "wire_code", "answered"),
    [
        (error_body(400, "bad"), 400, "invalid_request", None, 400),
        (error_body(400, TOO_LONG), 400, "invalid_request", "context_length_exceeded", 400),
        (error_body(400, "API key not valid.", info("API_KEY_INVALID")), 400, "upstream_auth_error", None, 502),
        (error_body(401, "no"), 401, "upstream_auth_error", None, 502),
        (error_body(403, "no", info("API_KEY_SERVICE_BLOCKED")), 403, "upstream_auth_error", None, 502),
        (error_body(402, "pay"), 402, "overloaded", "upstream_quota", 503),
        ({"error": {"status": "FAILED_PRECONDITION", "message": "m"}}, 400, "overloaded", "upstream_quota", 503),
        (error_body(404, "models/x is not found"), 404, "model_not_found", None, 404),
        (error_body(429, "slow", MINUTE), 429, "rate_limit_exceeded", None, 429),
        (error_body(429, "slow"), 429, "rate_limit_exceeded", None, 429),
        (error_body(429, "spent", MINUTE, DAILY, retry("34s")), 429, "overloaded", "upstream_quota", 503),
        (error_body(500, "oops"), 500, "upstream_error", None, 502),
        (error_body(503, "busy"), 503, "overloaded", None, 503),
        (error_body(504, "late"), 504, "upstream_error", None, 502),
        ([error_body(404, "models/x is not found")], 404, "model_not_found", None, 404),
        (None, 503, "overloaded", None, 503),
        ([], 400, "invalid_request", None, 400),
        ({"error": "text"}, 400, "invalid_request", None, 400),
    ],
)
def test_u16_to_u20_errors_keep_their_meaning(
    body: JsonValue, status: int, code: str, wire_code: JsonValue, answered: int
) -> None:
    error = GOOGLE_GEMINI.error(status, body)
    assert (error.code, error.wire_code, error.status) == (code, wire_code, answered)
    assert error.upstream_status == status


def test_u18_the_callers_own_faults_keep_their_words_and_ours_do_not() -> None:
    assert GOOGLE_GEMINI.error(400, error_body(400, TOO_LONG)).message == TOO_LONG
    key = error_body(400, "API key not valid.", info("API_KEY_INVALID"))
    assert "key" not in GOOGLE_GEMINI.error(400, key).message


@pytest.mark.parametrize(
    ("delay", "header", "wait", "should_retry"),
    [
        ("34.4s", None, 34.4, True),
        ("34.074824224s", None, 34.074824224, True),
        ("0s", None, 0, True),
        ("34.4s", 2.0, 2.0, True),
        ("3600s", None, 3600, False),
        ("1m", None, None, True),
        ("-3s", None, None, True),
        ("s", None, None, True),
        (34, None, None, True),
        ("9" * 400 + "s", None, None, True),
    ],
)
def test_u16_a_wait_is_taken_from_the_header_or_the_details(
    delay: JsonValue, header: float | None, wait: float | None, should_retry: bool
) -> None:
    error = GOOGLE_GEMINI.error(429, error_body(429, "slow", MINUTE, retry(delay)), retry_after_s=header)
    assert (error.retry_after_s, error.should_retry) == (wait, should_retry)


anything = json_values(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    st.sampled_from(["error", "details", "message", "status", "code", "reason", "violations", "retryDelay", "quotaId"]),
    levels=3,
    width=3,
)


@promised()
@given(st.integers(300, 599), anything)
def test_p9_a_body_of_any_shape_is_an_error(status: int, body: JsonValue) -> None:
    assert GOOGLE_GEMINI.error(status, body).status >= 400
