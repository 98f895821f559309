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


@given(st.lists(st.text("ab-", min_size=1, max_size=4), min_size=1, max_size=4), st.text("ab- ", max_size=30))
def test_none_is_inside_another_and_each_is_one_of_them(values: list[str], text: str) -> None:
    spans = [(one.start, one.end) for one in known(*values).find(text)]
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert all(text[start:end] in values for start, end in spans)
    assert all(end <= len(text) for _, end in spans), "a value that ends behind the text is never replaced"
