"""Values that were found once, wherever else they stand."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.known import Known


def known(*values: str) -> Known:
    return Known({value: Found(0, 0, "PIN", "pii") for value in values})


def found(values: tuple[str, ...], text: str) -> list[str]:
    return [text[one.start : one.end] for one in known(*values).find(text)]


def test_it_finds_a_value_but_not_inside_of_a_longer_word() -> None:
    assert found(("1234",), "1234, x1234 12345 (1234) 1234.") == ["1234", "1234", "1234"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Ann Smith", "联系Ann Smith吧"), ("Ann Smith", "Ann Smithさん、Ann Smithです"), ("1234", "รหัส1234ครับ"),
        ("Ann Smith", "Ann Smith은 직원Ann Smith"), ("张伟", "联系张伟吧"), ("Ян", "联系Ян吧"), ("-1", "号-1号"),
    ],
)  # fmt: skip
def test_it_finds_a_value_beside_letters_of_scripts_without_spaces(value: str, text: str) -> None:
    assert found((value,), text) == [value] * text.count(value)


@pytest.mark.parametrize("text", ["xAnn", "Anne", "_Ann", "Ann_", "éAnn", "Annи", "号xAnn", "Ann1号"])
def test_it_finds_none_inside_of_a_longer_word_of_any_letters(text: str) -> None:
    assert found(("Ann",), text) == []


def test_of_two_that_begin_alike_it_finds_the_longer_one() -> None:
    assert found(("bob@acme.com", "bob@acme.com/x"), "bob@acme.com/x bob@acme.com") == [
        "bob@acme.com/x",
        "bob@acme.com",
    ]


def test_one_that_begins_in_another_and_goes_on_behind_it_is_found_too() -> None:
    assert found(("key-anna.o", "anna.o-neil@acme.com"), "key-anna.o-neil@acme.com") == [
        "key-anna.o",
        "anna.o-neil@acme.com",
    ]


@given(st.lists(st.text("ab-", min_size=1, max_size=4), min_size=1, max_size=4), st.text("ab- ", max_size=30))
def test_none_is_inside_another_and_each_is_one_of_them(values: list[str], text: str) -> None:
    spans = [(one.start, one.end) for one in known(*values).find(text)]
    assert all(before[0] < after[0] and before[1] < after[1] for before, after in pairwise(spans))
    assert all(text[start:end] in values for start, end in spans)
    assert all(end <= len(text) for _, end in spans), "a value that ends behind the text is never replaced"


VALUES = st.lists(st.text("ab-号", min_size=1, max_size=4), min_size=1, max_size=20, unique=True)
TEXT = st.text("ab-号 ", max_size=20)


@given(VALUES, TEXT)
def test_values_that_are_learned_one_by_one_are_found_as_all_at_once(values: list[str], text: str) -> None:
    learned = Known()
    assert all(learned.learn(value, Found(0, 0, "PIN", "pii")) for value in values)
    assert not any(learned.learn(value, Found(0, 0, "CODE", "pii")) for value in values)
    assert learned.find(text) == known(*values).find(text)
    assert learned.live_from(text) == known(*values).live_from(text)


@given(VALUES, TEXT, TEXT)
def test_only_what_may_become_one_is_waited_for(values: list[str], text: str, more: str) -> None:
    live = known(*values).live_from(text)
    assert live == len(text) or any(value.startswith(text[live:]) for value in values)
    for one in known(*values).find(text + more):
        assert one.end < len(text) or one.start >= min(live, len(text))


@given(VALUES, TEXT, st.integers(0, 5))
def test_one_of_them_is_found_as_if_it_were_the_only_one(values: list[str], text: str, at: int) -> None:
    value = values[0]
    alone = known(value)
    again = [*known(*values).again(value, text, at)]
    assert all(text[one.start : one.end] == value and one.start >= at for one in again)
    if at == 0:
        assert again == [*alone.find(text)]
        assert known(*values).begun(value, text, 0) == alone.live_from(text)
