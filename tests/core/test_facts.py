"""What stages write for each other."""

from __future__ import annotations

import pytest

from sentinel_core.facts import Facts
from sentinel_core.keys import Key

TENANT: Key[str] = Key("tenant")
COUNT: Key[int] = Key("count")


def test_a_fact_is_read_by_its_key() -> None:
    facts = Facts()
    facts[TENANT] = "acme"
    assert (facts[TENANT], facts.get(TENANT), facts.get(COUNT), facts.get(COUNT, 3)) == ("acme", "acme", None, 3)
    assert TENANT in facts
    assert COUNT not in facts
    assert [*facts] == [TENANT]


def test_keys_of_one_name_are_two_keys() -> None:
    facts = Facts()
    facts[TENANT] = "acme"
    assert Key("tenant") not in facts


def test_whoever_reads_what_nobody_wrote_is_told_its_name() -> None:
    with pytest.raises(KeyError, match="no stage has written tenant"):
        Facts()[TENANT]


def test_values_are_never_shown() -> None:
    """Whoever logs a context by mistake logs none of what guards keep in it."""
    facts = Facts()
    facts[TENANT] = "the secret"
    assert repr(facts) == str(facts) == f"{facts}" == "<Facts>"


def test_each_is_somebody_elses() -> None:
    """Without facts as well, and as keys of caches."""
    one, other = Facts(), Facts()
    assert one
    assert one != other
    assert len({one, other}) == 2


def test_what_was_copied_stays_as_it_was() -> None:
    facts = Facts()
    facts[TENANT] = "acme"
    before = facts.copy()
    facts[TENANT] = "other"
    facts[COUNT] = 1
    facts.clear()
    facts.update(before)
    assert facts.copy() == {TENANT: "acme"}
