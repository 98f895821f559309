"""The fault contract has every row, says what the code says, and names proofs."""

from __future__ import annotations

import re

import pytest

from docs.generate.faults import ROWS, Row, proofs
from sentinel_core.errors import ERRORS

STATED = re.compile(r"(\d{3}) `(\w+)`")


def test_every_row_of_an_upstreams_faults_is_there() -> None:
    assert sorted({row.id[:3] for row in ROWS}) == [f"U{number:02}" for number in range(1, 29)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id}-{row.fault[:20]}")
def test_a_row_is_proved_by_tests_that_have_its_name(row: Row) -> None:
    assert proofs(row.id)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.id}-{row.fault[:20]}")
def test_a_row_states_the_status_that_its_code_has_and_the_code_that_it_is_decided_by(row: Row) -> None:
    told = {row.error.told_code} if row.error is not None else set()
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", row.gets)) & (ERRORS.keys() | told)
    statuses = {code: kind.status for code, kind in ERRORS.items()}
    statuses |= {row.error.told_code: row.error.status} if row.error is not None else {}
    assert all(statuses[code] == int(status) for status, code in STATED.findall(row.gets))
    assert row.error is None or not named or named & told
