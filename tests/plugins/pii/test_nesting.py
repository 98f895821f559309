"""How deep in JSON a place is: strings of JSON in strings of JSON."""

from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.json_types import JsonValue
from sentinel_plugins.pii.nesting import Nesting

HERE = "Q4M0"
beside = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=3), inner, max_size=2)),
    max_leaves=4,
)


def depth(text: str, *cuts: int) -> int:
    nesting = Nesting()
    before = text[: text.index(HERE)]
    at = sorted({0, len(before), *(place % (len(before) + 1) for place in cuts)})
    for start, end in pairwise(at):
        nesting.feed(before[start:end])
    return nesting.depth


@given(
    st.lists(st.tuples(beside, st.booleans(), st.booleans(), st.sampled_from([None, 1])), max_size=3),
    st.sampled_from(["", "x ", '"', "\n\\", "é🙂"]),
    st.lists(st.integers(0, 500), max_size=5),
)
def test_every_string_around_a_place_counts(
    around: list[tuple[str, bool, bool, int | None]], before: str, cuts: list[int]
) -> None:
    text = before + HERE
    for other, listed, ascii_only, indent in around:
        value: JsonValue = [other, text] if listed else {"a": other, "b": text}
        text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert depth(text, *cuts) == len(around)


def test_outside_of_strings_and_in_what_is_no_json_nothing_counts() -> None:
    for text in (HERE, f'{{"a": "b", {HERE}', f'"{HERE}"', f'he said "{HERE}', f"[1, {HERE}]"):
        assert depth(text) == 0
    assert depth(f'{{"a": "he said \\"{HERE}') == 1
