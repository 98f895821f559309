"""Tool arguments: values in JSON strings are replaced however these are written, and the JSON stays JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_plugins.guarding.custom import Custom, CustomTable
from sentinel_plugins.guarding.finder import Kind
from sentinel_plugins.guarding.merge import Cluster
from sentinel_plugins.guarding.replacing import redacted
from sentinel_plugins.guarding.transducer import Transducer
from sentinel_plugins.guarding.written import JsonText
from tests.plugins.guarding.kinds import KEY, LABELLED, MAIL, SSN, finder
from tests.plugins.guarding.oracle import RANK, expected
from tests.plugins.guarding.test_transducer import CUTS, cut
from tests.properties import promised

KINDS = (SSN, MAIL, KEY)


def through(pieces: Sequence[str], kinds: Sequence[Kind] = KINDS) -> str:
    looked_for = finder(*kinds)

    def decide(cluster: Cluster, value: str) -> str:
        return redacted(cluster.first, value)

    def make(left: str) -> Transducer:
        return Transducer(looked_for, lambda one: RANK[one.family], decide, left=left)

    text = JsonText(make, looked_for.left)
    return "".join([*(text.feed(piece) for piece in pieces), text.feed("", end=True)])


WORDS = st.lists(
    st.sampled_from(("123-45-6789", "bob@", "acme.com", "sk-ant-api03", " ", '"', "\\", "\n", "é", "😀", "x", "{", "1"))
).map("".join)
VALUES = st.recursive(
    WORDS | st.booleans() | st.none() | st.integers(0, 99_999),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(WORDS, VALUES, max_size=4)
FORMS: Sequence[Callable[[JsonValue], str]] = (
    json.dumps,
    lambda value: json.dumps(value, ensure_ascii=False),
    lambda value: json.dumps(value, indent=1).replace("@", "\\u0040").replace("-", "\\u002D"),
)


def rewritten(value: JsonValue) -> JsonValue:
    if isinstance(value, str):
        return expected(value, KINDS, redacted)
    if isinstance(value, list):
        return [rewritten(item) for item in value]
    if isinstance(value, dict):
        return {rewritten(key): rewritten(item) for key, item in value.items()}
    return value


@promised()
@given(OBJECTS, st.sampled_from(FORMS), CUTS)
def test_p6_every_string_and_key_is_redacted_however_it_is_written_and_cut(
    value: JsonObject, form: Callable[[JsonValue], str], places: list[int]
) -> None:
    written = form(value)
    out = through(cut(written, places))
    assert json.loads(out) == rewritten(value)
    if rewritten(value) == value:
        assert out == written


@promised()
@given(st.text('{}[]",:\\u0d8 123-4567@ab.', max_size=60), CUTS)
def test_p6_what_is_no_json_comes_out_the_same_however_it_is_cut(text: str, places: list[int]) -> None:
    assert through(cut(text, places)) == through([text])


def test_a_value_may_be_spelt_with_escapes() -> None:
    assert through(['{"to":"bob\\u00', '40acme.com"}']) == '{"to":"[EMAIL_ADDRESS]"}'
    assert (
        json.loads(through(['{"to":"\\ud83d', '\\ude00 bob@acme.com \\ud83d"}']))["to"][1:] == " [EMAIL_ADDRESS] \ud83d"
    )


def test_a_number_that_is_a_value_becomes_a_string() -> None:
    assert through(['{"ssn": 123-45-', '6789, "n": 12}']) == '{"ssn": "[US_SSN]", "n": 12}'


def test_literals_are_no_text() -> None:
    """To a model that recognises names, `null` may be one."""
    word = Custom("WORD", "pii", CustomTable(pattern="[a-z]+", max_length=9))
    for written in ('{"1": null, "2": [true,false]}', "[null]", "{ null }"):
        assert through(list(written), (word,)) == through([written], (word,)) == written
    assert through(['["null", nul, null true]'], (word,)) == '["[WORD]", "[WORD]", "[WORD]" "[WORD]"]'


def test_a_value_is_not_cut_where_there_is_no_json() -> None:
    """By colons, commas and brackets, or where it is long: parts of it would leave."""
    pair = Custom("PAIR", "pii", CustomTable(pattern="[0-9]+:[a-z]+,[a-z]+", max_length=20))
    for text, left in (
        ("{ ping 12:ab,cd; }", '{ ping "[PAIR]"; }'),
        ("[12:ab,cd]", '["[PAIR]"]'),
        ("[1, 12:ab,cd, 3]", '[1, "[PAIR]", 3]'),
        ("[ " + "word " * 204 + 'ab 12:ab,cd "12:ab,cd" ]', "[ " + "word " * 204 + 'ab "[PAIR]" "[PAIR]" ]'),
    ):
        assert through([text], (pair,)) == through(list(text), (pair,)) == left


def test_arguments_that_are_no_json_are_text() -> None:
    assert through(["to: bob@", 'acme.com, "x']) == 'to: [EMAIL_ADDRESS], "x'


def test_the_name_of_a_member_is_to_the_left_of_its_value() -> None:
    assert through(['{"pin ', '": ', '"1234"}'], (LABELLED,)) == '{"pin ": "1234"}'
    assert through(['{"a": "pin 12', '34"}'], (LABELLED,)) == '{"a": "pin [PIN]"}'


@pytest.mark.parametrize(
    "written", ['{"a":"\\/\\b\\f\\n\\r\\t\\"\\\\"}', '{"a": 1.50e+3, "b":null }', '{"a":"\\x"}', '{"a"']
)
def test_what_is_not_replaced_leaves_byte_for_byte(written: str) -> None:
    assert through(list(written)) == written
