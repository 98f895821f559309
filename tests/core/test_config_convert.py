"""Tables become Structs: every problem at once, nothing unknown accepted, load(dump(c)) == c (P12)."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from sentinel_core.config import Document, Origin, Secret, dump
from sentinel_core.config.convert import convert_table
from sentinel_core.config.expectation import show
from sentinel_core.config.secret import SecretReader
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.stage import StageConfig
from tests.json_values import json_values
from tests.properties import promised

KEY = Secret("sk-1", "KEY")


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Limit(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    per_minute: Annotated[int, Meta(ge=1)] = 60


class Words(StageConfig, frozen=True, kw_only=True):
    words: tuple[str, ...] = ()
    limits: Annotated[tuple[Limit, ...], Meta(max_length=3)] = ()
    fallback: Limit | None = None
    weights: dict[str, float] = msgspec.field(default_factory=dict)
    named: dict[Annotated[str, Meta(pattern=r"^[a-z]+\Z", description="a word")], int] = msgspec.field(
        default_factory=dict
    )
    tags: frozenset[str] = frozenset()
    colour: Colour = Colour.RED
    pair: tuple[int, str] = (0, "")
    renamed: bool = msgspec.field(default=False, name="new-name")
    api_key: Secret | None = None

    def __post_init__(self) -> None:
        if self.words and self.mode == "monitor":
            raise ValueError("words do nothing in mode 'monitor'")


def converted(table: TomlTable, kind: Literal["file", "environment"] = "file") -> tuple[Words | None, list[str]]:
    document = Document()
    document.put(("stages", "words"), table, Origin(kind, "sentinel.toml"))
    value, problems = convert_table(document, ("stages", "words"), Words, SecretReader({"KEY": "sk-1"}, Path()))
    return value, [str(problem) for problem in problems]


limits = st.builds(Limit, name=st.text(), per_minute=st.integers(1, 2**40))
configs = st.builds(
    Words,
    enabled=st.booleans(),
    on_fault=st.sampled_from(["open", "closed", None]),
    timeout_s=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    words=st.lists(st.text(), max_size=3).map(tuple),
    limits=st.lists(limits, max_size=3).map(tuple),
    fallback=st.none() | limits,
    weights=st.dictionaries(st.text(), st.floats(allow_nan=False, allow_infinity=False), max_size=3),
    tags=st.frozensets(st.text(), max_size=3),
    colour=st.sampled_from(Colour),
    pair=st.tuples(st.integers(-(2**60), 2**60), st.text()),
    renamed=st.booleans(),
    api_key=st.none() | st.just(KEY),
)


@promised()
@given(configs)
def test_p12_what_was_dumped_loads_as_the_same(config: Words) -> None:
    assert converted(dump(config)) == (config, [])


@promised()
@given(st.text().filter(lambda key: key not in {field.encode_name for field in msgspec.structs.fields(Words)}))
def test_p12_an_unknown_key_is_refused(key: str) -> None:
    value, problems = converted({key: 1})
    assert value is None
    assert len(problems) == 1
    assert "unknown key" in problems[0]


VALUES = json_values(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.text(), levels=2, width=3)


@given(
    st.dictionaries(st.sampled_from([field.encode_name for field in msgspec.structs.fields(Words)]), VALUES, max_size=4)
)
def test_any_table_gives_a_value_or_problems_and_never_both(table: TomlTable) -> None:
    value, problems = converted(table)
    assert (value is None) == bool(problems)


def test_every_problem_is_reported_with_its_place() -> None:
    table = {
        "enabld": True,
        "on_fault": "opn",
        "timeout_s": "1",
        "words": ["a", 1],
        "limits": [{"name": "a", "per_minute": 0}, {"nme": "b"}],
        "weights": {"a": "heavy"},
    }
    assert converted(table)[1] == [
        "sentinel.toml: [stages.words] enabld: unknown key; did you mean 'enabled'?",
        'sentinel.toml: [stages.words] on_fault: not a valid value; found "opn"; expected "closed" or "open"; '
        "did you mean 'open'?",
        'sentinel.toml: [stages.words] timeout_s: not a valid value; found "1"; expected a number',
        "sentinel.toml: [stages.words] words[1]: not a valid value; found 1; expected a string",
        "sentinel.toml: [stages.words.limits[0]] per_minute: not a valid value; found 0; expected an integer >= 1",
        "sentinel.toml: [stages.words.limits[1]] nme: unknown key; did you mean 'name'?",
        "sentinel.toml: [stages.words.limits[1]] name: missing; expected a string",
        'sentinel.toml: [stages.words.weights] a: not a valid value; found "heavy"; expected a number',
    ]


@pytest.mark.parametrize(
    ("table", "found"),
    [
        ({"limits": [{"name": "x"}] * 4}, "found a list of 4; expected a list of (a table) of length <= 3"),
        ({"limits": 1}, "found 1; expected a list of (a table)"),
        ({"fallback": "x"}, "found a string; expected a table"),
        ({"words": {}}, "found a table; expected a list of (a string)"),
        ({"colour": "rde"}, 'found "rde"; expected "red" or "blue"; did you mean \'red\'?'),
        ({"pair": [1]}, "found a list; expected a list of (an integer)"),
        ({"timeout_s": float("inf")}, "found inf; expected a finite number"),
        ({"weights": {"a": float("nan")}}, "found nan; expected a finite number"),
        ({"named": {"a\n": 1}}, 'found "a\\n"; expected a word'),
        ({"enabled": 1}, "found 1; expected true or false"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_what_would_work(table: TomlTable, found: str) -> None:
    value, problems = converted(table)
    assert value is None
    assert len(problems) == 1
    assert found in problems[0]


def test_a_complaint_of_the_struct_is_a_problem_of_its_table() -> None:
    assert converted({"words": ["a"], "mode": "monitor"})[1] == [
        "sentinel.toml: [stages.words]: words do nothing in mode 'monitor'"
    ]


class Broken(StageConfig, frozen=True, kw_only=True):
    """As a plugin has it whose author forgot a case."""

    def __post_init__(self) -> None:
        raise KeyError("forgotten")


def test_a_mistake_in_the_struct_names_its_table_and_is_the_cause() -> None:
    with pytest.raises(ConfigError) as refused:
        convert_table(Document(), ("stages", "broken"), Broken, SecretReader({}, Path()))
    assert str(refused.value) == f"[stages.broken]: {__name__}.Broken raised KeyError('forgotten')"
    assert isinstance(refused.value.__cause__, KeyError)


def test_an_absent_table_is_one_of_defaults() -> None:
    secrets = SecretReader({}, Path())
    assert convert_table(Document(), ("stages", "words"), Words, secrets) == (Words(), [])


def test_a_missing_key_names_the_table_even_where_nothing_stands() -> None:
    _, problems = convert_table(Document(), ("limit",), Limit, SecretReader({}, Path()))
    assert problems == [ConfigProblem("missing", table="limit", key="name", expected="a string")]


@pytest.mark.parametrize(
    ("key", "value", "noun"),
    [
        ("api_kye", {"env": "KEY"}, "key"),
        ("fallbakc", {"name": "a"}, "table"),
        ("weihgts", {"a": 1.0}, "table"),
        ("wordz", [], "key"),
        ("nothing_like_it", {}, "table"),
    ],
)
def test_what_nobody_knows_is_called_what_it_was_meant_to_be(key: str, value: TomlValue, noun: str) -> None:
    assert f"{key}: unknown {noun}; " in converted({key: value})[1][0]


def test_a_check_across_keys_names_the_variables_that_set_those_that_it_is_about() -> None:
    document = Document()
    document.put(("stages", "words"), {"words": ["a"]}, Origin("file", "sentinel.toml"))
    table = ("stages", "words")
    for key, value in {"mode": "monitor", "api_key": KEY}.items():
        document.put((*table, key), value, Origin("environment", f"THE_{key.upper()}"))
    _, problems = convert_table(document, table, Words, SecretReader({}, Path()))
    assert [str(one) for one in problems] == ["THE_MODE: [stages.words]: words do nothing in mode 'monitor'"]
    document.put((*table, "words"), ["a"], Origin("option", "--words"))
    _, problems = convert_table(document, table, Words, SecretReader({}, Path()))
    assert problems[0].where == "THE_MODE and --words"


def test_credentials_in_a_url_are_not_shown() -> None:
    _, problems = converted({"mode": "redis://user:hunter2@host/0"})
    assert "hunter2" not in problems[0]
    assert "redis://***@host/0" in problems[0]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/v1?key=hunter2", '"https://h/v1?…"'),
        ("https://h/v1#hunter2", '"https://h/v1#…"'),
        ("https://u:hunter2?hunter2@h/v1?key=hunter2", '"https://***@h/v1?…"'),
        ("h/v1?key=hunter2", '"h/v1?…"'),
        ("openai/gpt-?", '"openai/gpt-?"'),
        ("what? nothing", '"what? nothing"'),
    ],
)
def test_what_stands_behind_an_address_is_not_shown(text: str, shown: str) -> None:
    assert show(text) == shown
