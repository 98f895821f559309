"""Every reliability row, property and replay of this part is a test, or a case of one, with its id in the name."""

from __future__ import annotations

import re

import pytest

from tests.promises.tree import modules

RANGES = (
    "U01…U28 C01…C09 S01…S08 R01…R13 D01…D07 H01…H15 H20…H26 H30…H35 H37 H40…H48 H50 L05 L10…L12 P1…P6 P8 P10 P11"
    " Z01…Z07 Z09…Z14 Z16…Z20 Z22…Z25 replay_1…replay_10 replay_12…replay_14"
)
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
        name = first.rstrip("0123456789")
        digits = first.removeprefix(name)
        numbers = range(int(digits), int((last or first).removeprefix(name)) + 1)
        found += [f"{name}{number:0{len(digits)}}" for number in numbers]
    return found


@pytest.mark.parametrize("row", rows())
def test_a_row_is_in_the_name_of_a_test(row: str) -> None:
    named = re.compile(rf"(?:^|_){row.lower()}[a-d]?_")
    assert any(named.search(name) for name in NAMES), row
