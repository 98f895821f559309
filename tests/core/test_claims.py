"""Steps that no store can take are refused before anything is counted."""

from __future__ import annotations

import pytest

from sentinel_core.claims import Budget, Claim, Lease, Window, check_step
from sentinel_core.state_key import state_key

RESERVATION = state_key("a:b", "admission", "1")
WINDOW = Window(state_key("a:b", "requests"), 10, 60.0)
LEASE = Lease(state_key("a:b", "places"), 10, 60.0)
BUDGET = Budget(state_key("a:b", "usd"), 1_000, 5, "2026-11", 60.0)


def test_the_claims_of_one_tenant_are_a_step() -> None:
    check_step(RESERVATION, [WINDOW, LEASE, BUDGET])
    check_step(RESERVATION, [])
    check_step(state_key("a:b"), [WINDOW, LEASE, BUDGET])
    check_step("r", [Window("requests", 10, 60.0)])


@pytest.mark.parametrize("other", ["", "a", "a:b:c", "A:B"])
def test_z13_none_is_another_tenants(other: str) -> None:
    strange = Lease(state_key(other, "places"), 10, 60.0)
    for _ in range(2):  # what was right is remembered, what was wrong is not
        with pytest.raises(ValueError, match="is not a key of the tenant"):
            check_step(RESERVATION, [WINDOW, strange])
    with pytest.raises(ValueError, match="is not a key of the tenant"):
        check_step("r", [strange])


@pytest.mark.parametrize("claim", [Window("k", 1, 60.0, cost=-1), Budget("k", 1, -1, "2026-11", 60.0)])
def test_none_asks_for_less_than_nothing(claim: Claim) -> None:
    with pytest.raises(ValueError, match="asks for -1 of 'k'"):
        check_step("r", [claim])


def test_no_two_count_in_one_place() -> None:
    check_step("r", [Window("k", 1, 60.0), Window("k", 1, 3600.0), Lease("k", 1, 60.0)])
    with pytest.raises(ValueError, match="in the same place"):
        check_step("r", [Lease("k", 1, 60.0), Lease("k", 2, 30.0)])
