"""U16: the wait that an upstream names, and none that it does not."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.retry_after import retry_after_s

NOW = 784_111_777.0  # Sun, 06 Nov 1994 08:49:37 GMT


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2", 2.0),
        ("2.5", 2.5),
        (" 3 ", 3.0),
        ("0", 0.0),
        ("99999", 99999.0),
        ("Sun, 06 Nov 1994 08:49:47 GMT", 10.0),
        ("Sun, 06 Nov 1994 08:49:27 GMT", 0.0),
        ("-1", None),
        ("1e3", None),
        ("nan", None),
        ("inf", None),
        ("1.2.3", None),
        ("٣", None),
        ("soon", None),
        ("", None),
    ],
)
def test_u16_reads_seconds_fractions_and_dates_and_nothing_else(value: str, expected: float | None) -> None:
    assert retry_after_s({"Retry-After": value}, NOW) == expected


def test_u16_milliseconds_go_first_and_garbage_in_them_does_not_hide_the_seconds() -> None:
    assert retry_after_s({"Retry-After": "7", "retry-after-ms": "1500"}) == 1.5
    assert retry_after_s({"Retry-After": "7", "retry-after-ms": "x"}) == 7.0
    assert retry_after_s({}) is None


@given(st.text(), st.text())
def test_u16_any_text_is_a_wait_or_none(seconds: str, millis: str) -> None:
    wait = retry_after_s({"Retry-After": seconds, "retry-after-ms": millis}, NOW)
    assert wait is None or (wait >= 0 and math.isfinite(wait))
