"""`SENTINEL__TABLE__KEY`: every key can be set from the environment, and a name that means nothing is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Settings, settings_from
from tests.core.configuration import UpstreamConfig, load, problems, settings_or_error, upstream


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_override_is_stronger_than_an_alias_and_that_than_the_file() -> None:
    assert load("[server]\nport = 1").server.port == 1
    assert load("[server]\nport = 1", SENTINEL_PORT="2").server.port == 2
    assert load("[server]\nport = 1", SENTINEL_PORT="2", SENTINEL__SERVER__PORT="3").server.port == 3


def test_overrides_are_read_as_the_type_that_is_asked_for() -> None:
    settings = load(
        SENTINEL__SERVER__HOST="0.0.0.0",
        SENTINEL__SERVER__HTTP2="true",
        SENTINEL__SERVER__DRAIN_TIMEOUT_S="5",
        SENTINEL__SERVER__ALLOWED_HOSTS='["a.example", "b.example"]',
        SENTINEL__SERVER__CORS_ORIGINS='["*"]',
        SENTINEL__MODELS='[{ name = "m", targets = [{ provider = "echo" }] }]',
        SENTINEL__PROVIDERS__OPENAI__ORGANIZATION="123",
        SENTINEL__PROVIDERS__ECHO__KIND='"echo"',
    )
    server = settings.server
    assert (server.host, server.http2, server.drain_timeout_s) == ("0.0.0.0", True, 5.0)
    assert server.allowed_hosts == ("a.example", "b.example")
    assert settings.models[0].targets[0].provider == "echo"
    assert upstream(settings).organization == "123"
    assert settings.providers["echo"].kind == "echo"


def test_an_override_reaches_into_a_list_and_into_a_table_of_another_override() -> None:
    text = '[[models]]\nname = "a"\ntargets = [{ provider = "echo" }]\n[providers.echo]'
    settings = load(
        text,
        SENTINEL__MODELS__0__NAME="b",
        SENTINEL__MODELS__0__TARGETS__0__MODEL="tiny",
        SENTINEL__PROVIDERS__OPENAI='{ organization = "x" }',
        SENTINEL__PROVIDERS__OPENAI__FIRST_BYTE_TIMEOUT_S="2",
    )
    assert settings.models[0].name == "b"
    assert settings.models[0].targets[0].model == "tiny"
    assert upstream(settings) == UpstreamConfig(organization="x", first_byte_timeout_s=2.0)


@pytest.mark.parametrize("enabled", ["false", '"no"', "true"])
def test_a_toggle_in_the_environment_counts(enabled: str) -> None:
    assert load(SENTINEL__STAGES__PII__ENABLED=enabled).stages["pii"].enabled is (enabled != "false")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("SENTINEL__SERVER__PRT", "[server] prt: unknown key; did you mean 'port'?"),
        ("SENTINEL__server__port", "not the name of a setting"),
        ("sentinel__server__port", "not the name of a setting"),
        ("SENTINEL__", "not the name of a setting"),
        ("SENTINEL__SERVER____PORT", "not the name of a setting"),
        ("SENTINEL_SERVER__PORT", "not the name of a setting; expected SENTINEL__SERVER__PORT"),
        ("SENTINEL__SERVER__PORT__X", "server.port is not a table"),
        ("SENTINEL__MODELS__7__NAME", "models[7] is not a table"),
        ("SENTINEL__SERVER", "server: not a valid value; found 1; expected a table"),
    ],
)
def test_s07_an_override_that_means_nothing_is_refused_by_its_name(name: str, message: str) -> None:
    text = '[server]\nport = 1\n[[models]]\nname = "a"\ntargets = [{ provider = "echo" }]\n[providers.echo]'
    (problem,) = problems(text, **{name: "1"})
    assert problem.startswith(f"{name}: ")
    assert message in problem


@given(st.text(st.characters(exclude_characters="\0")), st.text(st.characters(exclude_characters="\0")))
def test_s07_any_override_loads_or_is_explained_by_its_name(name: str, value: str) -> None:
    result = settings_or_error(partial(settings_from, {}, environ={f"SENTINEL__{name}": value}))
    assert isinstance(result, Settings) or str(result).startswith(f"SENTINEL__{name}: ")
