"""P5: what stands for a value is no word that says what follows it, so that what was redacted once stays as it is."""

from __future__ import annotations

from contextlib import ExitStack
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Secret
from sentinel_core.json_types import TomlTable
from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.entity_names import SECRETS, STRUCTURED
from sentinel_plugins.guarding.replacing import Hashed, redacted
from sentinel_plugins.guarding.scanner import Scanner
from tests.plugins.guarding.guards import answering
from tests.plugins.guarding.samples import LABELLED, PERSONAL
from tests.plugins.guarding.samples import SECRETS as KEYS
from tests.plugins.guarding.texts import texts
from tests.properties import promised

SCANNER = Scanner((*structured_pii(), *secrets()))
OWN = ("EMPLOYEE_PHONE", "OWN_CARD")
RECOGNISED = ("DE_SOCIAL_SECURITY", "IN_PAN", "IT_IDENTITY_CARD", "LOCATION", "MAC_ADDRESS", "PERSON", "US_ITIN")
NAMES = (*STRUCTURED, *SECRETS, *RECOGNISED)
HASHED = Hashed(b"a key of a guard", "tenant")
KEY = Secret("0123456789abcdef0123", "HASH_KEY")
BETWEEN = (" ", ", ", "\n", " | ", ": ", "=", "\t", ") (", " is ", "; ", " #")
NUMBERS = (
    "4155552671",
    "219099999",
    "9434765919",
    "86095742719",
    "20240131",
    "2.5.4.3",
    "1.3.101.112",
    "1354 1001 4004 955",
)
"""Of which only words before them say what they are."""
ACTIONS: tuple[TomlTable, ...] = (
    {"action": "redact"},
    {"action": "hash", "hash_key": KEY},
    {"action": "mask"},
    {"action": "reversible", "hash_key": KEY},
)


def found(text: str, behind: str) -> list[Found]:
    """What is found in a text behind another one, as places of the text, in their order."""
    values = SCANNER.find(behind + text)
    start = len(behind)
    places = sorted((one.start - start, one.end - start, one.entity) for one in values)
    return [Found(*place, "secret" if place[2] in SECRETS else "pii") for place in places]


@pytest.mark.parametrize(
    ("name", "has_code"), [*product(NAMES, (False, True)), *product(OWN, (True,))], ids=lambda one: str(one)
)
def test_p5_a_placeholder_is_no_label(name: str, has_code: bool) -> None:
    placeholder = (HASHED if has_code else redacted)(Found(0, 0, name, "pii"), "value")
    for behind in (f"{between}{number}" for between in BETWEEN for number in NUMBERS):
        assert found(behind, placeholder) == found(behind, "[]")
        for cut in range(26, 34):
            assert found(f"{'.' * cut}{behind}", placeholder) == found(f"{'.' * cut}{behind}", "[]")


@pytest.mark.parametrize(
    "text",
    [
        "[SSN_NO] 219099999",
        "- [SOCIAL_SECURITY]: 219099999",
        "[EMPLOYEE_PHONE] 4155552671",
        "people[US_SSN] = 219099999",
        "call(row[PHONE_NUMBER], 4155552671)",
    ],
)
def test_p5_another_name_in_brackets_and_what_code_looks_up_is_a_label(text: str) -> None:
    assert found(text, "")


@pytest.mark.parametrize("before", ["", "(", "and ", "]", "\u53f7\u7801", "." * 27])
def test_p5_a_placeholder_is_none_wherever_no_word_of_code_is_before_it(before: str) -> None:
    assert not found(f"{before}[US_SSN] 219099999", "")


@promised()
@given(st.sampled_from(NAMES), texts)
def test_p5_what_stands_behind_a_placeholder_is_found_without_it(name: str, text: str) -> None:
    placeholder = redacted(Found(0, 0, name, "pii"), "value")
    assert found(f" {text}", placeholder) == found(f" {text}", "[]")


@pytest.mark.parametrize("table", ACTIONS, ids=lambda table: str(table["action"]))
def test_p5_what_was_redacted_once_stays_as_it_is(table: TomlTable) -> None:
    values = [value for values in (*PERSONAL.values(), *KEYS.values()) for value in values[:2]]
    values += [label + value for pairs in LABELLED.values() for label, value in pairs[:1]]
    with ExitStack() as stack:
        ask = stack.enter_context(answering(pii=table, secrets={}))
        for at, value in enumerate(values):
            for number in NUMBERS:
                once = ask([f"{value}{BETWEEN[at % len(BETWEEN)]}{number}"], stream=False).text
                assert ask([once], stream=False).text == once
