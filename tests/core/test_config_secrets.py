"""A secret's value is in no message and in no repr, wherever it stands and whatever is wrong."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Secret, dump, settings_from
from sentinel_core.config.load import load_settings
from sentinel_core.config.secret import MAX_SECRET_BYTES
from sentinel_core.errors import ConfigError
from sentinel_core.provider import ProviderConfig
from tests.core.configuration import settings_or_error

CANARY = "sk-canary-4242"


class AcmeConfig(ProviderConfig, frozen=True, kw_only=True):
    base_url: str = "https://acme.example.com"
    api_key: Secret


def acme(table: dict[str, object], environ: dict[str, str] | None = None) -> tuple[AcmeConfig | None, str]:
    settings = settings_from({"providers": {"acme": table}}, environ=environ)
    value, problems = settings.providers["acme"].convert(AcmeConfig)
    return value, f"{settings} {problems} {' '.join(map(str, problems))}"


def from_file(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> tuple[AcmeConfig | None, str]:
    path = tmp_path / "sentinel.toml"
    path.write_text(text)
    value, problems = load_settings(path, environ=environ or {}).providers["acme"].convert(AcmeConfig)
    return value, " ".join(map(str, problems))


def test_a_reference_to_a_variable_is_resolved_and_hidden() -> None:
    config, text = acme({"api_key": {"env": "ACME_KEY"}}, {"ACME_KEY": CANARY})
    assert config is not None
    assert config.api_key.reveal() == CANARY
    assert CANARY not in f"{text} {config!r} {config} {config.api_key} {dump(config)}"
    assert "ACME_KEY" in repr(config)


def test_a_reference_to_a_file_starts_at_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(CANARY + "\n")
    config, text = from_file(tmp_path, '[providers.acme]\napi_key = { file = "key" }')
    assert text == ""
    assert config is not None
    assert config.api_key.reveal() == CANARY
    assert repr(config.api_key) == "Secret(file=key)"


def test_a_literal_in_the_file_is_refused_with_the_remedy(tmp_path: Path) -> None:
    config, text = from_file(tmp_path, f'[providers.acme]\napi_key = "{CANARY}"')
    assert config is None
    assert "[providers.acme] api_key: a secret does not belong into the configuration" in text
    assert '{ env = "NAME" }' in text
    assert CANARY not in text


def test_a_literal_in_the_environment_is_where_it_belongs(tmp_path: Path) -> None:
    config, text = from_file(tmp_path, "", {"SENTINEL__PROVIDERS__ACME__API_KEY": CANARY})
    assert text == ""
    assert config is not None
    assert config.api_key.reveal() == CANARY
    assert config.api_key.reference == {"env": "SENTINEL__PROVIDERS__ACME__API_KEY"}


@pytest.mark.parametrize("text", ["12345", "true", "2024-01-01", "1 # 2", '"quoted'])
def test_a_secret_that_looks_like_something_else_is_still_text(text: str) -> None:
    config, _ = acme({}, {"SENTINEL__PROVIDERS__ACME__API_KEY": text})
    assert config is not None
    assert config.api_key.reveal() == text


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ({"env": "NO_SUCH"}, "environment variable 'NO_SUCH' is not set"),
        ({"env": f"{CANARY}-1"}, "what env names is not the name of a variable"),
        ({"env": "EMPTY"}, "environment variable 'EMPTY' is empty"),
        ({"env": "SPACE"}, "environment variable 'SPACE' is empty"),
        ({"file": "no-such"}, "secret file 'HERE/no-such' cannot be read: No such file or directory"),
        ({"file": "."}, "secret file 'HERE' cannot be read: Is a directory"),
        ({"file": "a\0b"}, "cannot be read: not a path"),
        ({"file": "binary"}, "secret file 'HERE/binary' is not UTF-8 text"),
        ({"file": "blank"}, "secret file 'HERE/blank' is empty"),
        ({"file": "space"}, "secret file 'HERE/space' is empty"),
        ({"file": "large"}, "is larger than"),
        ({"evn": "X"}, "not a reference to a secret"),
        ({"env": "X", "file": "y"}, "not a reference to a secret"),
        (5, "not a reference to a secret"),
    ],
)
def test_a_reference_that_leads_nowhere_is_a_problem(
    reference: object, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("binary").write_bytes(CANARY.encode() + b"\xff")
    Path("blank").write_text("\n")
    Path("space").write_text(" \t\n\n")
    Path("large").write_text(CANARY * MAX_SECRET_BYTES)
    config, text = acme({"api_key": reference}, {"EMPTY": "", "SPACE": " \n"})
    assert config is None
    assert message.replace("HERE", str(tmp_path)) in text
    assert CANARY not in text


@pytest.mark.parametrize("key", ["gsk_abcDEF0123456789", "c0ffee0011223344", "correcthorsebatterystaple", "hunter2"])
@pytest.mark.parametrize("kind", ["env", "file"])
def test_a_secret_where_its_place_should_be_named_is_not_shown(kind: str, key: str) -> None:
    config, text = acme({"api_key": {kind: key}}, {})
    assert config is None
    assert "the secret itself does not belong there" in text
    assert key not in text


@pytest.mark.parametrize("name", ["GROQ_API_KEY_2", "AZURE_OPENAI_API_KEY_OF_TEAM_B", "groq_api_key"])
def test_a_variable_that_is_not_set_is_named(name: str) -> None:
    assert f"environment variable {name!r} is not set" in acme({"api_key": {"env": name}}, {})[1]


@pytest.mark.parametrize("name", ["/run/secrets/key2", "key2.txt", "groq-key"])
def test_a_file_that_is_not_there_is_named_in_full(name: str) -> None:
    assert f"secret file {str(Path.cwd() / name)!r} cannot be read" in acme({"api_key": {"file": name}}, {})[1]


def test_a_secret_is_not_pickled_and_not_encoded() -> None:
    secret = Secret(CANARY, "KEY")
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(secret)
    with pytest.raises(TypeError):
        msgspec.json.encode(secret)


def test_secrets_are_equal_by_value_and_source() -> None:
    assert Secret("a", "X") == Secret("a", "X")
    assert hash(Secret("a", "X")) == hash(Secret("a", "X"))
    assert Secret("a", "X") != Secret("b", "X")
    assert Secret("a", "X") != Secret("a", "Y")


VARIABLES = st.sampled_from(
    [
        "OPENAI_API_KEY",
        "SENTINEL__PROVIDERS__OPENAI__API_KEY",
        "SENTINEL__PROVIDERS__ACME__API_KEY",
        "SENTINEL__PROVIDERS__ACME__API_KYE",
        "SENTINEL__PROVIDERS__ACME",
        "SENTINEL__STATE__URL",
        "SENTINEL__NOWHERE__AT__ALL",
        "sentinel__providers__acme__api_key",
    ]
)
WRITTEN = st.sampled_from(
    [CANARY, f'"{CANARY}"', f'["{CANARY}"]', f'{{ api_key = "{CANARY}" }}', f"[{CANARY}", f"{CANARY}\n"]
)


@given(st.dictionaries(VARIABLES, WRITTEN, max_size=4))
def test_s07_no_secret_of_the_environment_is_ever_shown(environ: dict[str, str]) -> None:
    tables = {"providers": {"acme": {"api_key": {"env": "OPENAI_API_KEY"}}}}
    settings = settings_or_error(partial(settings_from, tables, environ=environ))
    if isinstance(settings, ConfigError):
        assert CANARY not in f"{settings} {settings!r} {settings.problems}"
        return
    config, problems = settings.providers["acme"].convert(AcmeConfig)
    assert CANARY not in f"{settings!r} {settings.document!r} {problems} {config!r} {settings.effective()}"


PLACES = st.sampled_from(
    [
        'api_key = "{}"',
        'api_key = ["{}"]',
        'api_key = {{ env = "A", literal = "{}" }}',
        'api_key = {{ value = "{}" }}',
        'api_kye = "{}"',
        'api_key = "{}',
        '[providers.acme.api_key]\nx = "{}"',
        '[nowhere]\nkey = "{}"',
    ]
)


@given(PLACES)
def test_s07_no_secret_of_a_file_is_ever_shown(tmp_path_factory: pytest.TempPathFactory, line: str) -> None:
    path = tmp_path_factory.mktemp("config") / "sentinel.toml"
    path.write_text("[providers.acme]\n" + line.format(CANARY) + "\n")
    settings = settings_or_error(partial(load_settings, path, environ={}))
    if isinstance(settings, ConfigError):
        assert CANARY not in f"{settings} {settings!r} {settings.problems}"
        return
    config, problems = settings.providers["acme"].convert(AcmeConfig)
    assert config is None
    assert problems
    assert CANARY not in f"{settings!r} {problems} {' '.join(map(str, problems))}"
