"""Kinds of values that a configuration describes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert

from sentinel_plugins.guarding.custom import Custom, CustomTable
from tests.long_form import long_form
from tests.plugins.guarding.defined import Defined
from tests.plugins.guarding.growth import MOST, growth


def kind(pattern: str, max_length: int) -> Custom:
    return Custom("OWN", "pii", CustomTable(pattern=pattern, max_length=max_length))


def spans(kind: Custom, text: str) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in kind.find(text)]


def by_definition(pattern: str, longest: int, text: str) -> list[tuple[int, int]]:
    defined = Defined("OWN", {"pattern": pattern, "max_length": longest})
    return [(one.start, one.end) for one in defined.find(text)]


@given(st.text("aE-1é 😀", max_size=80), st.sampled_from(("E-1{1,3}", "a+", "(a|a-1)-?", "[^a]1", "é.")))
def test_it_finds_what_the_definition_says(text: str, pattern: str) -> None:
    assert spans(kind(pattern, 5), text) == by_definition(pattern, 5, text)


@given(st.text("E-1 ", max_size=40), st.integers(0, 40))
def test_what_begins_before_its_live_part_is_decided(text: str, place: int) -> None:
    own = kind("E-1+", 6)
    seen = text[:place]
    live = own.live_from(seen)
    assert live >= len(seen) - 6
    assert [one for one in spans(own, seen) if one[0] < live] == [one for one in spans(own, text) if one[0] < live]


@pytest.mark.parametrize("pattern", [r"\bE\d", "^E", "E$", r"\AE"])
def test_a_pattern_that_looks_around_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="leave out"):
        kind(pattern, 5)


def test_a_dollar_in_a_class_or_escaped_is_a_character() -> None:
    assert spans(kind(r"[$^]\$\d", 5), "x $$1") == [(2, 5)]


@pytest.mark.parametrize(("pattern", "why"), [("(", "not an RE2 pattern"), ("a*", "empty"), (r"(a)\1", "not an RE2")])
def test_a_pattern_that_cannot_be_used_is_refused(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        kind(pattern, 5)


@pytest.mark.parametrize(("pattern", "shortest"), [(r"E-\d{6}", 8), ("(ab|c)[0-9]+x?", 2), ("(?i)E(?:-1){2,}", 5)])
def test_a_length_that_no_value_has_is_refused(pattern: str, shortest: int) -> None:
    with pytest.raises(ValueError, match=f"max_length: .* {shortest} characters"):
        kind(pattern, shortest - 1)
    kind(pattern, shortest)


@pytest.mark.parametrize("pattern", ["[[:alpha:]]", r"\pL", "[a&&b]", "(?U)a+", r"\Qa\E", r"\x{e9}"])
def test_what_only_re2_reads_is_taken_at_any_length(pattern: str) -> None:
    kind(pattern, 1)


def test_a_length_is_needed() -> None:
    with pytest.raises(ValidationError):
        convert({"pattern": "a"}, CustomTable)


@long_form
@pytest.mark.parametrize("unit", ["a", "ab", "a "])
def test_the_time_is_linear(unit: str) -> None:
    own = kind("(a+)+b?|(ab|a)+", 64)
    assert growth(lambda text: spans(own, text), unit) <= MOST
