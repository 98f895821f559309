"""Everything that is wrong with a configuration is said at once, with its table and key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

import pytest

from sentinel_core import Gateway
from sentinel_core.config import settings_from
from sentinel_core.errors import ConfigError, ConfigProblem
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage, StageConfig


class Needy(Stage):
    """A stage whose configuration asks for something that is not there."""

    name: ClassVar[str] = "needy"
    guard = True

    @classmethod
    def missing(cls, config: StageConfig) -> Iterable[ConfigProblem]:
        return (ConfigProblem("needs the package acme", table="stages.needy"),) if config.mode == "enforce" else ()


class MistakenConfig(StageConfig, frozen=True, kw_only=True):
    def __post_init__(self) -> None:
        raise KeyError("mine")


class Mistaken(Stage):
    """A stage whose table raises what no table should."""

    name: ClassVar[str] = "mistaken"
    Config: ClassVar[type[StageConfig]] = MistakenConfig


def test_a_plugin_that_is_mistaken_about_its_table_hides_no_other_problem() -> None:
    registry = Registry()
    registry.register(Mistaken)
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from({"stages": {"mistaken": {}, "no_such_stage": {}}}), registry=registry)
    mistake, unknown = caught.value.problems
    assert (mistake.table, "MistakenConfig raised KeyError('mine')" in mistake.message) == ("stages.mistaken", True)
    assert unknown.table == "stages.no_such_stage"


def test_every_problem_is_reported_at_once_with_its_table_and_key() -> None:
    tables = {
        "stages": {"no_such_stage": {}},
        "providers": {"echo": {"no_such_key": 1}, "other": {"kind": "no_such_kind"}},
        "state": {"kind": "no_such_store"},
    }
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables))
    problems = [str(problem) for problem in caught.value.problems]
    for place in ("[stages.no_such_stage]", "[providers.echo] no_such_key", "[providers.other]", "[state]"):
        assert any(place in problem for problem in problems), (place, problems)


def test_what_a_stage_does_not_find_is_a_problem_before_anything_is_opened() -> None:
    registry = Registry()
    registry.register(Needy)
    with pytest.raises(ConfigError, match=r"\[stages.needy\]: needs the package acme"):
        Gateway(settings_from({"stages": {"needy": {}}}), registry=registry)
    registry = Registry()
    registry.register(Needy)
    Gateway(settings_from({"stages": {"needy": {"mode": "monitor"}}}), registry=registry)


@pytest.mark.parametrize("question", ["missing", "misfits"])
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda: 1 // 0, "() failed: ZeroDivisionError"),
        (lambda: None, "() returned something else than problems; found NoneType"),
        (lambda: "no package", "() returned something else than problems; found str"),
    ],
    ids=["raises", "None", "text"],
)
def test_a_stage_that_cannot_say_what_is_wrong_hides_no_other_problem(
    question: str, answer: Callable[[], object], message: str
) -> None:
    registry = Registry()
    registry.register(type("Acme", (Stage,), {"name": "acme", question: classmethod(lambda *_: answer())}))
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from({"stages": {"acme": {}}, "providers": {"no_such_provider": {}}}), registry=registry)
    problems = [str(problem) for problem in caught.value.problems]
    assert any(f"[stages.acme]: Acme.{question}{message}" in problem for problem in problems)
    assert any("no_such_provider" in problem for problem in problems)


@pytest.mark.parametrize(
    ("answer", "warnings"),
    [
        (lambda: ["one", "two"], ["one", "two"]),
        (lambda: "a text", ["a text"]),
        (lambda: None, []),
        (lambda: 1 // 0, ["[stages.acme]: Acme.warnings() failed: ZeroDivisionError ("]),
    ],
    ids=["several", "one", "none", "raises"],
)
def test_a_stage_warns_of_what_it_likes_and_its_failure_is_a_warning(
    answer: Callable[[], object], warnings: list[str]
) -> None:
    registry = Registry()
    registry.register(type("Acme", (Stage,), {"name": "acme", "warnings": classmethod(lambda *_: answer())}))
    gateway = Gateway(settings_from({"stages": {"acme": {}}, "providers": {"echo": {}}}), registry=registry)
    said = [warning for warning in gateway.warnings if "echo" not in warning]
    assert [warning.partition(__file__)[0] for warning in said] == warnings


def test_a_listed_stage_that_is_turned_off_is_said_to_be_so() -> None:
    tables = {"stages": {"metrics": {}, "pii": {"enabled": False}}, "chain": {"stages": ["metrics", "pii"]}}
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables))
    (problem,) = caught.value.problems
    assert problem.message == "'pii' is listed but not enabled"
    assert problem.expected == "enabled = true in [stages.pii]"
