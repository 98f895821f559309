"""The error table: what every code means on the wire (section 2.0 of the reliability contract)."""

from __future__ import annotations

import pytest

from sentinel_core.errors import ERRORS, MAX_MESSAGE_CHARS, ConfigError, Refusal, StageFault

TYPES = {400, 401, 404, 405, 408, 413, 415, 431}


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_row_says_who_must_act(code: str) -> None:
    status, kind, retry, message = ERRORS[code]
    if status in TYPES:
        assert (kind, retry) == ("invalid_request_error", False)
    elif status == 403:
        assert (kind, retry) == ("permission_error", False)
    elif status >= 500:
        assert kind == "server_error"
    assert 0 < len(message) <= MAX_MESSAGE_CHARS


def test_an_error_takes_what_it_does_not_say_from_its_row() -> None:
    error = Refusal("rate_limit_exceeded", retry_after_s=2.5)
    row = ERRORS["rate_limit_exceeded"]
    assert (error.status, error.type, error.should_retry, error.message) == row
    assert error.retry_after_s == 2.5


def test_a_code_outside_the_table_is_a_mistake_of_the_author() -> None:
    with pytest.raises(KeyError):
        Refusal("no_such_code")


def test_a_message_is_cut_at_its_bound() -> None:
    assert len(Refusal("invalid_json", "x" * 10_000).message) == MAX_MESSAGE_CHARS


def test_s05_a_guards_fault_says_that_a_guard_is_missing_and_not_which() -> None:
    fault = StageFault("pii", "on_request", guard=True)
    assert (fault.code, fault.status) == ("guard_unavailable", 503)
    assert "pii" not in fault.message
    assert "pii" in str(fault)


def test_a_configuration_error_shows_the_caller_none_of_its_problems() -> None:
    error = ConfigError("the file /etc/secret is wrong")
    assert "secret" in str(error)
    assert "secret" not in error.message
