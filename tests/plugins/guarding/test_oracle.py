"""A second opinion: every place of a text is tried with a plain definition of the value, written apart from ours."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given

from sentinel_plugins.guarding.entities import secrets, structured_pii
from sentinel_plugins.guarding.entity import Entity
from tests.plugins.guarding.texts import texts

IS = Callable[[str, str, str], bool]
"""Whether a string is a value, given all that stands before and after it."""

ENTITIES: dict[str, list[Entity]] = {}
for _entity in (*structured_pii(), *secrets()):
    ENTITIES.setdefault(_entity.name, []).append(_entity)


def free(before: str, after: str) -> bool:
    return not re.search("[A-Za-z0-9]_{0,2}\\Z", before) and not re.match("[A-Za-z0-9]", after)


def ssn(value: str, before: str, after: str) -> bool:
    if len(value) != 11 or not free(before, after) or re.search(r"[0-9]-\Z", before):
        return False
    area, group, serial = value[:3], value[4:6], value[7:]
    if not re.fullmatch("[0-9]{9}", area + group + serial) or value[3] != value[6] or value[3] not in " -./":
        return False
    if value[3] != "-" and counted(value, before, after):
        return False
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def counted(value: str, before: str, after: str) -> bool:
    """Whether figures are a row, sizes, a month or a version that is attached to a name."""
    sign = re.escape(value[3])
    if re.search(rf"[0-9]{sign}\Z", before) or re.match(rf"{sign}[0-9]{{1,6}}(?![A-Za-z0-9%])", after):
        return True
    figures = [int(figure) for figure in re.findall("[0-9]+", value)]
    if all(figure % 8 == 0 for figure in figures) or all(figure % 10 == 0 for figure in figures):
        return True
    if value[3] == ".":
        return re.search(r"(?:[A-Za-z0-9][-/@]|[=<>~!]=)\Z", before) is not None
    return re.fullmatch("[0-9]{3}/(?:0[1-9]|1[0-2])/(?:19|20)[0-9]{2}", value) is not None


def iban(value: str, before: str, after: str) -> bool:
    lengths = {"DE": 22, "GB": 22, "FR": 27, "ES": 24, "NO": 15}
    plain = re.sub("[ -]", "", value).upper()
    if lengths.get(value[:2].upper()) != len(plain) or not re.fullmatch("[A-Z]{2}[0-9]{2}[A-Z0-9]+", plain):
        return False
    if (
        not (value[0] + value[-1]).isalnum()
        or re.search("[ -]{2}", value)
        or not re.match("[A-Za-z]{2}[0-9]{2}", value)
    ):
        return False
    if re.search(r"[A-Za-z0-9]\Z", before) or re.match("[A-Za-z0-9]", after):
        return False
    numeric = "".join(str("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ".index(one)) for one in plain[4:] + plain[:4])
    remainder = 0
    for digit in numeric:
        remainder = (remainder * 10 + int(digit)) % 97
    return remainder == 1


def v4(value: str, before: str, after: str) -> bool:
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        return False
    if not free(before, after) or re.search(r"([0-9]\.|[A-Za-z0-9]/)\Z", before) or re.match(r"\.[0-9]", after):
        return False
    name = re.split("[^A-Za-z0-9_.+]", before[:-1])[-1] if before.endswith("-") else ""
    versioned = (
        re.search(r"(?i)(^|[^a-z])(v|versions?)[ :]*\Z", before)
        or before.endswith(("==", ">=", "<=", "~=", "!=", "^", "~", "(>= ", "(<= "))
        or (re.match("[A-Za-z]", name) and len(name) < 26)
        or re.match(r"\.(zip|jar|tar|whl)(?![A-Za-z0-9])|-(cp|py)[0-9]", after)
    )
    identifier = value.startswith(("2.5.4.", "2.5.29.", "1.3.101."))
    return int(address) >> 24 not in (0, 127, 255) and not versioned and not identifier


def aws(value: str, before: str, after: str) -> bool:
    if not re.fullmatch("A(KI|SI|BI|CC)A[A-Z0-9]{16}", value) or len(set(value[4:])) < 5:
        return False
    return not re.search(r"[A-Za-z0-9]\Z", before) and not re.match("[A-Z0-9]", after)


def nif(value: str, before: str, after: str) -> bool:
    plain = re.sub("[ .-]", "", value).upper()
    if not free(before, after) or not re.fullmatch("[0-9]{8}[A-Z]|[XYZ][0-9]{7}[A-Z]", plain):
        return False
    if not re.fullmatch(
        r"[0-9]{8}[ -]?[A-Za-z]|[0-9]{2}\.[0-9]{3}\.[0-9]{3}[ -]?[A-Za-z]|[A-Za-z][ -]?[0-9]{7}[ -]?[A-Za-z]", value
    ):
        return False
    if value[:8].isdigit() and re.search(r"[0-9]\.\Z", before):
        return False
    if re.fullmatch("[0-9]{8}[Ee]", value) and re.match("[+\u2010\u2011\u2212-][0-9]", after):
        return False
    number = int(plain[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2"))
    return "TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == plain[-1]


def card(value: str, before: str, after: str) -> bool:
    """Those of Visa, which are enough to tell whether the longest is taken."""
    digits = re.sub("[ ./-]", "", value)
    if not re.fullmatch("4[0-9]+", digits) or len(digits) not in (13, 16, 19) or not free(before, after):
        return False
    groups = [len(group) for group in re.split("[ ./-]", value)]
    printed = (groups[:-1] == [4] * (len(groups) - 1) and len(groups) > 2 and groups[-1] < 8) or groups in (
        [4, 3, 3, 3],
        [6, 13],
    )
    if value != digits and not (all(groups) and printed and len(set(re.findall("[ ./-]", value))) == 1):
        return False
    if value == digits and re.search(r"[0-9]\.\Z", before):
        return False
    if {*groups} == {4} and (re.search(r"\b[0-9]{4}[ ./-]\Z", before) or re.match(r"[ ./-][0-9]{4}\b", after)):
        return False  # one of several figures in a row
    total = sum(sum(map(int, str(int(digit) * (1 + place % 2)))) for place, digit in enumerate(digits[::-1]))
    return total % 10 == 0 and len(set(digits)) > 1


def tried(text: str, value: IS, longest: int) -> Iterator[tuple[int, int]]:
    """The leftmost first, of those the longest, none inside another."""
    start = 0
    while start < len(text):
        ends = range(min(len(text), start + longest), start, -1)
        end = next((end for end in ends if value(text[start:end], text[:start], text[end:])), None)
        if end is None:
            start += 1
        else:
            yield start, end
            start = end


EXACT = {"US_SSN": ssn, "IBAN_CODE": iban, "IP_ADDRESS": v4, "AWS_ACCESS_KEY": aws, "ES_NIF": nif}


@pytest.mark.parametrize("name", EXACT)
@given(text=texts)
def test_what_is_found_is_what_a_plain_definition_says(name: str, text: str) -> None:
    products = "(?i)chrom|version|kernel|java|ios|edge|opera|android|windows|cuda|(?<![a-z])v"
    if name == "US_SSN" and re.search(products, text):
        return
    if name in ("US_SSN", "IP_ADDRESS") and re.search(
        "(?i)ssn|social|tax|tin|build|oid|section|release|firmware|ip|host|server|node|(?-i:[a-z]Version)", text
    ):
        return
    entity = ENTITIES[name][0]
    assert [(one.start, one.end) for one in entity.find(text)] == [*tried(text, EXACT[name], entity.max_length)]


@given(texts)
def test_every_card_of_a_plain_definition_is_found(text: str) -> None:
    entity = ENTITIES["CREDIT_CARD"][0]
    found = [(one.start, one.end) for one in entity.find(text)]
    for start, end in tried(text, card, entity.max_length):
        assert any(a <= start and end <= b for a, b in found) or any(a < start < b or a < end < b for a, b in found)
