"""Values that were found once, wherever else they stand."""

from __future__ import annotations

from itertools import pairwise

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
