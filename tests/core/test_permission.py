"""Patterns of names: what they permit, both of two, and which lies within which."""

from __future__ import annotations

import fnmatch
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.permission import Both, both, permits, within

names = st.text("ab/", max_size=6)
patterns = st.text("ab/*", min_size=1, max_size=5)
several = st.none() | st.lists(patterns, max_size=3).map(tuple)


def test_none_permits_every_name_and_an_empty_tuple_none() -> None:
    assert permits(None, "gpt-4o")
    assert not permits((), "gpt-4o")


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "gpt-4o-mini", False),
        ("gpt-4o*", "gpt-4o-mini", True),
        ("*-mini", "gpt-4o-mini", True),
        ("g*4*mini", "gpt-4o-mini", True),
        ("ab*ba", "aba", False),
        ("[a-z]?", "[a-z]?", True),
        ("[a-z]?", "ab", False),
    ],
)
def test_a_star_is_any_characters_and_nothing_else_is_special(pattern: str, name: str, matches: bool) -> None:
    assert permits((pattern,), name) is matches


@given(patterns, names)
def test_a_pattern_matches_what_the_standard_library_says(pattern: str, name: str) -> None:
    assert permits((pattern,), name) is (re.fullmatch(fnmatch.translate(pattern), name) is not None)


@given(several, several, names)
def test_both_permit_what_each_permits(
    first: tuple[str, ...] | None, second: tuple[str, ...] | None, name: str
) -> None:
    assert permits(both(first, second), name) is (permits(first, name) and permits(second, name))


@given(several, several, several, names)
def test_z04_what_lies_within_permits_nothing_more(
    inner: tuple[str, ...] | None, bound: tuple[str, ...] | None, further: tuple[str, ...] | None, name: str
) -> None:
    joined = both(inner, further)
    if within(joined, bound) and permits(joined, name):
        assert permits(bound, name)


@given(several, several)
def test_what_both_permit_lies_within_each(first: tuple[str, ...] | None, second: tuple[str, ...] | None) -> None:
    assert within(both(first, second), first)
    assert within(both(first, second), second)


def test_many_patterns_of_two_lists_make_no_pairs() -> None:
    first, second = tuple(f"a{number}*" for number in range(1000)), tuple(f"*b{number}" for number in range(1000))
    joined = both(first, second)
    assert joined == Both(first, second)
    assert permits(joined, "a999-b999")
    assert not permits(joined, "a999-b1000")
    assert within(("a999-b999",), joined)


def test_a_pattern_of_many_stars_is_linear_in_its_name() -> None:
    assert not permits(("*a" * 100 + "b",), "a" * 100_000)
