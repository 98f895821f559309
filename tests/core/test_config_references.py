"""What tables say of each other: names that are taken, names of nothing, whatever else is wrong beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.configuration import problems


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_models_share_no_name_and_need_a_provider() -> None:
    text = """
    [providers.echo]
    [[models]]
    name = "a"
    targets = [{ provider = "ecko" }]
    [[models]]
    name = "a"
    targets = [{ provider = "echo" }]
    """
    assert problems(text) == [
        'sentinel.toml: [models[0].targets[0]] provider: no such provider is configured; found "ecko"; '
        "expected a table [providers.ecko], or one of: echo; did you mean 'echo'?",
        'sentinel.toml: [models[1]] name: two models have this name; found "a"',
    ]


def test_no_model_has_one_target_twice() -> None:
    text = """
    [providers.echo]
    [[models]]
    name = "a"
    targets = [{ provider = "echo" }, { provider = "echo", model = "b" }, { provider = "echo", model = "a" }]
    """
    assert problems(text) == [
        'sentinel.toml: [models[0]] targets[2]: two targets of this model are the same; found "echo/a"',
    ]


def test_names_of_tables_can_be_written_as_variables() -> None:
    assert problems('[providers.Open-AI]\nkind = "echo"\n[stages.9lives]') == [
        "sentinel.toml: [stages] 9lives: not a name; "
        "expected a lower-case letter, then lower-case letters, digits and _",
        "sentinel.toml: [providers] Open-AI: not a name; "
        "expected a lower-case letter, then lower-case letters, digits and _",
    ]


def test_an_unknown_key_hides_no_other_problem() -> None:
    text = """
    [providers.echo]
    [[models]]
    name = "a"
    naem = "b"
    targets = [{ provider = "echo" }]
    [[models]]
    name = "b"
    targets = [{ provider = "ecko" }]
    """
    unknown, nowhere = problems(text)
    assert "unknown key; did you mean 'name'?" in unknown
    assert "no such provider is configured" in nowhere


def test_a_model_that_is_wrong_hides_nothing_of_the_others_or_of_itself() -> None:
    text = """
    [providers.echo]
    [[models]]
    name = 7
    targets = [{ provider = "ecko", model = 7 }, { provider = "echo", modle = "b" }, { provider = "echo" }]
    [[models]]
    name = "a"
    targets = [{ provider = "nobody" }]
    [[models]]
    name = "a"
    targets = [{ provider = "echo" }, { provider = "echo" }]
    """
    assert [problem.split(";")[0] for problem in problems(text)] == [
        "sentinel.toml: [models[0]] name: not a valid value",
        "sentinel.toml: [models[0].targets[0]] model: not a valid value",
        "sentinel.toml: [models[0].targets[1]] modle: unknown key",
        "sentinel.toml: [models[0].targets[0]] provider: no such provider is configured",
        "sentinel.toml: [models[1].targets[0]] provider: no such provider is configured",
        "sentinel.toml: [models[2]] name: two models have this name",
        "sentinel.toml: [models[2]] targets[1]: two targets of this model are the same",
    ]


def test_the_first_models_of_a_list_that_holds_something_else_are_looked_at() -> None:
    text = 'models = [{ name = "a", targets = [{ provider = "ecko" }] }, 3]\n[providers.echo]'
    other, nowhere = problems(text)
    assert other.startswith("sentinel.toml: models[1]: not a valid value; found 3")
    assert "no such provider is configured" in nowhere


def test_a_provider_that_is_no_table_hides_no_other_one() -> None:
    text = """
    [providers]
    timeout_s = 3
    [providers.echo]
    [providers.again]
    same_as = "nobody"
    [[models]]
    name = "a"
    targets = [{ provider = "echo" }, { provider = "ecko" }]
    """
    assert [problem.split(";")[0] for problem in problems(text)] == [
        "sentinel.toml: [providers] timeout_s: not a valid value",
        "sentinel.toml: [models[0].targets[1]] provider: no such provider is configured",
        "sentinel.toml: [providers.again] same_as: no such other provider is configured",
    ]


def test_a_name_that_a_variable_says_is_compared_as_well() -> None:
    text = '[[models]]\nname = "x"\ntargets = [{ provider = "echo" }]\n' * 2 + "[providers.echo]"
    (taken,) = problems(text, SENTINEL__MODELS__0__NAME="7", SENTINEL__MODELS__1__NAME='"7"')
    assert taken == 'SENTINEL__MODELS__1__NAME: [models[1]] name: two models have this name; found "7"'
