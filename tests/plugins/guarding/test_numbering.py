"""Numbering plans answer as the library does whose tables they read."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, PhoneMetadata, PhoneNumber

from sentinel_plugins.guarding.entities.numbering import abroad, plan

CODES = sorted(COUNTRY_CODE_TO_REGION_CODE)
KINDS = ("fixed_line", "mobile", "toll_free", "premium_rate", "voip", "uan", "personal_number", "pager")
IN_FRONT = ("", "", "", "0", "1", "8", "06", "01115", "0912", "90", "180020", "000", "003768", "1001", "15001", "1900")
"""What is only dialled at home, in one country or another, and what looks like it."""
AT_HOME = {"GB": 44, "DE": 49, "FR": 33, "ES": 34, "IT": 39, "US": 1, "BR": 55, "AR": 54}


@st.composite
def digits_of(draw: st.DrawFn, code: int) -> str:
    """A number of the code, something that is nearly one, or any digits."""
    region = draw(st.sampled_from(COUNTRY_CODE_TO_REGION_CODE[code]))
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(code, region)
    described = getattr(metadata, draw(st.sampled_from(KINDS)))
    number: str | None = described.example_number if described is not None else None
    if number is None or draw(st.integers(0, 3)) == 0:
        return draw(st.text("0123456789", min_size=4, max_size=15))
    at = draw(st.integers(0, len(number) - 1))
    changed = number[:at] + draw(st.sampled_from("0123456789" + number[at])) + number[at + 1 :]
    return draw(st.sampled_from(IN_FRONT)) + changed[: draw(st.sampled_from((len(number), len(number) - 1)))]


numbers = st.sampled_from(CODES).flatmap(lambda code: st.tuples(st.just(code), digits_of(code)))


def parsed(number: str, region: str | None) -> PhoneNumber | None:
    try:
        return phonenumbers.parse(number, region)
    except phonenumbers.NumberParseException:
        return None


@given(numbers)
def test_what_is_assigned_and_what_is_possible_is_what_the_library_says(number: tuple[int, str]) -> None:
    code, digits = number
    known = parsed(f"+{code}{digits}", None)
    valid = known is not None and phonenumbers.is_valid_number(known)
    assert plan(code).valid(digits) == valid
    assert plan(code).possible(digits) == (known is not None and phonenumbers.is_possible_number(known))
    assert plan(code).begins_valid(digits) or not valid


@given(st.data())
def test_nothing_that_can_be_dialled_at_home_is_dismissed(data: st.DataObject) -> None:
    region = data.draw(st.sampled_from(sorted(AT_HOME)))
    front = data.draw(st.sampled_from(("", "0", "1", "00", "011", "0044", str(AT_HOME[region]))))
    digits = front + data.draw(digits_of(AT_HOME[region]))
    known = parsed(digits, region) if len(digits) >= 7 else None
    possible = known is not None and phonenumbers.is_possible_number(known)
    assert plan(AT_HOME[region]).may_be_dialled(digits) or not possible


@pytest.mark.parametrize(
    ("region", "written", "not_written"),
    [
        ("DE", "030901820", "30901820"),
        ("GB", "02079460958", "2079460958"),
        ("FR", "0612345678", "0012345678"),
        ("ES", "612345678", "0612345678"),
        ("IT", "0669821234", "669821234"),
    ],
)
def test_at_home_a_number_is_written_with_what_stands_in_front_there(
    region: str, written: str, not_written: str
) -> None:
    assert plan(AT_HOME[region]).written(written)
    assert not plan(AT_HOME[region]).written(not_written)


@pytest.mark.parametrize("digits", ["0", "000000000", "2100000", "999123456", "04930901820"])
def test_digits_that_begin_with_no_code_are_of_no_country(digits: str) -> None:
    assert abroad(digits) is None


def test_no_calling_code_begins_as_another_one_does() -> None:
    assert all((called := abroad(f"{code}1234")) and called == (plan(code), "1234") for code in CODES)
