"""Kinds of values that a configuration describes."""

from __future__ import annotations

import random
import re
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import ValidationError, convert

from sentinel_plugins.guarding.custom import Custom, CustomTable
from tests.long_form import long_form
from tests.plugins.guarding.defined import Defined
from tests.plugins.guarding.growth import MOST, growth, steps


def kind(pattern: str, max_length: int) -> Custom:
    return Custom("OWN", "pii", CustomTable(pattern=pattern, max_length=max_length))


def spans(kind: Custom, text: str) -> list[tuple[int, int]]:
    return [(one.start, one.end) for one in kind.find(text)]


def by_definition(pattern: str, longest: int, text: str) -> list[tuple[int, int]]:
    defined = Defined("OWN", {"pattern": pattern, "max_length": longest})
    return [(one.start, one.end) for one in defined.find(text)]


PATTERNS = (
    "E-1{1,3}",
    "a+",
    "(a|a-1)-?",
    "[^a]1",
    "é.",
    "E-1(?: a{1,2})?",
    "[aE1]{2,4}",
    "号1?",
    "(a|1 ?)+",
    "[a ]+E?",
)


@given(st.text("aE-1é 号한ก😀", max_size=80), st.sampled_from(PATTERNS))
def test_it_finds_what_the_definition_says(text: str, pattern: str) -> None:
    assert spans(kind(pattern, 5), text) == by_definition(pattern, 5, text)


@given(st.text("E-1 号a", max_size=40), st.integers(0, 40), st.sampled_from(("E-1+", "E-1(?: [a1]+)?")))
def test_what_begins_before_its_live_part_is_decided(text: str, place: int, pattern: str) -> None:
    own = kind(pattern, 6)
    seen = text[:place]
    live = own.live_from(seen)
    assert live >= len(seen) - 6
    assert [one for one in spans(own, seen) if one[0] < live] == [one for one in spans(own, text) if one[0] < live]


@pytest.mark.parametrize(
    "text",
    [
        "员工E-123456已离职", "社員番号E-123456です", "ｼｬｲﾝE-123456", "พนักงานE-123456ลาออก", "ពនE-123456ក",
        "직원E-123456입니다", "工号E-123456", "E-123456𠮷",
    ],
)  # fmt: skip
def test_a_value_is_found_beside_letters_of_scripts_without_spaces(text: str) -> None:
    start = text.index("E")
    assert spans(kind(r"E-\d{6}", 8), text) == [(start, start + 8)]


def test_a_value_of_such_a_script_is_found_in_its_middle() -> None:
    assert spans(kind(r"学号\d{4}", 6), "我的学号1234吧") == [(2, 8)]


@pytest.mark.parametrize("text", ["xE-123456", "éE-123456", "E-1234567", "E-123456и", "9E-123456x"])
def test_a_part_of_a_longer_word_is_not_found(text: str) -> None:
    assert spans(kind(r"E-\d{6}", 8), text) == []


@pytest.mark.parametrize(
    ("pattern", "longest", "text", "value"),
    [
        (r"E-\d{6}(?: [a-z]+)?", 12, "id E-123456 mississippi", "E-123456"),
        (r"\d{4}(?: \d{2})?", 7, "pin 1234 567", "1234"),
        (r"\d{4}(?: \d{2})*", 12, "pin 1234 56 78 901", "1234 56 78"),
        (r"E-\d(?:-\d)?", 5, "id E-1-23", "E-1"),
    ],
)
def test_where_the_longest_value_ends_in_a_word_a_shorter_one_is_found(
    pattern: str, longest: int, text: str, value: str
) -> None:
    assert [text[start:end] for start, end in spans(kind(pattern, longest), text)] == [value]


def test_a_half_of_a_surrogate_pair_is_no_reason_to_fail() -> None:
    assert spans(kind(r"E-\d", 5), "\ud83d E-1é \ude00E-2 é E-3") == [(8, 11), (14, 17)]


def test_a_pattern_of_bytes_finds_characters() -> None:
    assert spans(kind(r"x\C", 3), "xé xü1") == [(0, 2)]


@pytest.mark.parametrize("pattern", [r"\bE\d", "^E", "E$", r"\AE", r"[]$]^x", r"\Q^\E$", r"\\Q$", r"\p{^Greek}\B"])
def test_a_pattern_that_looks_around_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="leave out"):
        kind(pattern, 5)


@pytest.mark.parametrize(
    "pattern",
    [
        r"[$^]\$\d",
        r"[]$]\$\d",
        r"[^]^]\$\d",
        r"[[:punct:]$]\$\d",
        r"[\]$]\$\d",
        r"[[$]\$1",
        r"\Q$$\E1",
        r"\Q$$1",
        r"\p{^Lu}\$1",
    ],
)
def test_a_dollar_or_a_circumflex_in_a_class_or_escaped_is_a_character(pattern: str) -> None:
    assert spans(kind(pattern, 5), "x $$1") == [(2, 5)]


@pytest.mark.parametrize(
    ("pattern", "why"),
    [
        ("E-(", "not an RE2 pattern: missing ): E-("),
        (r"(a)\1", r"not an RE2 pattern: invalid escape sequence: \1"),
        ("a(?=é)", "not an RE2 pattern: invalid perl operator: (?="),
        ("([$", "not an RE2 pattern: missing ]: [$"),
        ("é(", "not an RE2 pattern: missing ): é("),
        ("a*", "empty"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason(pattern: str, why: str) -> None:
    with pytest.raises(ValueError, match=re.escape(why)):
        kind(pattern, 5)


@pytest.mark.parametrize(("pattern", "shortest"), [(r"E-\d{6}", 8), ("(ab|c)[0-9]+x?", 2), ("(?i)E(?:-1){2,}", 5)])
def test_a_length_that_no_value_has_is_refused(pattern: str, shortest: int) -> None:
    with pytest.raises(ValueError, match=f"max_length: .* {shortest} characters"):
        kind(pattern, shortest - 1)
    kind(pattern, shortest)


@pytest.mark.parametrize("pattern", ["[[:alpha:]]", r"\pL", "[a&&b]", "(?U)a+", r"\Qa\E", r"\x{e9}"])
def test_what_only_re2_reads_is_taken_at_any_length(pattern: str) -> None:
    kind(pattern, 1)


def test_a_length_is_needed() -> None:
    with pytest.raises(ValidationError):
        convert({"pattern": "a"}, CustomTable)


LONG = 8_192
TEXTS = {
    "one long word": "0f3a" * (LONG // 4),
    "a data URL": "data:image/png;base64," + b64encode(random.Random(7).randbytes(LONG)).decode()[:LONG],
    "one long word behind a value": "E-123456 ".ljust(40, "-") + "0f3a" * (LONG // 4),
    "prose": "The committee met on Monday. " * (LONG // 29),
    "a script without spaces": "员工号码已经离职" * (LONG // 8),
}
STEPS_PER_KB = 3_000
OWN = [
    ("[A-Za-z0-9]{8,20}", 20),
    ("[A-Za-z0-9_-]{32,512}", 512),
    (r"E-\d{6}(?: [a-z]+)?", 40),
    (r"[0-9a-f]+:[0-9a-f]+", 60),
]


@pytest.mark.parametrize(("pattern", "longest"), OWN)
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_the_steps_are_few(pattern: str, longest: int, text: str) -> None:
    own = kind(pattern, longest)
    assert steps(lambda: spans(own, text)) <= STEPS_PER_KB * len(text) / 1024


@long_form
@pytest.mark.parametrize("unit", ["a", "ab", "a "])
def test_the_time_is_linear(unit: str) -> None:
    own = kind("(a+)+b?|(ab|a)+", 64)
    assert growth(lambda text: spans(own, text), unit) <= MOST
