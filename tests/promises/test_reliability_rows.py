"""Every reliability row of this part is a test, or a case of one, with the row's id in its name."""

from __future__ import annotations

import re

import pytest

from tests.promises.tree import modules

RANGES = "U01…U15 U21…U25 U27 U28 C01…C09 S01…S08 D01…D04 R13 H01…H15 H20…H26 H30…H34"
NAME = re.compile(r'def (test_\w+)|^    "(\w+)": |id="(\w+)"', re.MULTILINE)
NAMES = {
    "".join(match.groups(""))
    for path in modules("tests")
    if path.name.startswith("test_")
    for match in NAME.finditer(path.read_text("utf-8"))
}


def rows() -> list[str]:
    found = []
    for item in RANGES.split():
        first, _, last = item.partition("…")
        numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
        found += [f"{first[0]}{number:02}" for number in numbers]
    return found


@pytest.mark.parametrize("row", rows())
def test_a_row_is_in_the_name_of_a_test(row: str) -> None:
    named = re.compile(rf"(?:^|_){row.lower()}[a-d]?_")
    assert any(named.search(name) for name in NAMES), row
