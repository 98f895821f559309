"""The table of what becomes of each use while its store does not answer has the rows that are tested, and no others."""

from __future__ import annotations

import re

from sentinel_core.errors import ERRORS
from tests.integration.test_degradation import ROWS
from tests.promises.tree import page

TABLE = page("docs/how-to/survive-outages.md").partition("<!-- degradation -->\n")[2].partition("\n\n")[0]
FOUND = [line.strip("|").split(" | ") for line in TABLE.splitlines()[2:]]


def test_r13_every_row_of_the_table_is_walked_and_every_walk_is_in_the_table() -> None:
    assert [row[0].strip() for row in FOUND] == list(ROWS)


def test_r13_a_row_states_the_status_that_its_code_has() -> None:
    stated = re.findall(r"(\d{3}) `(\w+)`", TABLE)
    assert {code for _, code in stated} == {"state_unavailable", "ledger_unavailable"}
    assert all(ERRORS[code].status == int(status) for status, code in stated)
