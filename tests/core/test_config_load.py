"""`load_settings`: which file, which sources, and what is refused."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.config import Settings, load_settings, settings_from
from sentinel_core.errors import ConfigError, ConfigProblem
from tests.core.configuration import UpstreamConfig, load, problems, settings_or_error, upstream


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_file_and_key_echo_answers() -> None:
    settings = load_settings(environ={})
    assert {name: table.kind for name, table in settings.providers.items()} == {"echo": "echo"}
    assert settings.path is None
    assert (settings.state.kind, settings.records.kind) == ("memory", "memory")


def test_an_openai_key_turns_openai_on() -> None:
    settings = load_settings(environ={"OPENAI_API_KEY": "sk-1"})
    assert list(settings.providers) == ["openai"]
    assert upstream(settings).base_url == "https://api.openai.com/v1"
    key = upstream(settings).api_key
    assert key is not None
    assert key.reveal() == "sk-1"


def test_an_empty_key_is_no_key() -> None:
    assert list(load_settings(environ={"OPENAI_API_KEY": ""}).providers) == ["echo"]


def test_a_file_that_names_providers_is_taken_at_its_word() -> None:
    settings = load('[providers.mine]\nkind = "openai"', OPENAI_API_KEY="sk-1")
    assert list(settings.providers) == ["mine"]
    assert upstream(settings, "mine").api_key is None


def test_a_file_without_providers_gets_those_of_the_environment() -> None:
    assert list(load("[server]\nport = 1", OPENAI_API_KEY="sk-1").providers) == ["openai"]


def test_a_provider_of_the_environment_alone_takes_echos_place() -> None:
    settings = load_settings(environ={"SENTINEL__PROVIDERS__MINE__KIND": "openai"})
    assert {name: table.kind for name, table in settings.providers.items()} == {"mine": "openai"}


def test_the_file_asked_for_beats_the_variable_and_the_variable_beats_the_folder(folder: Path) -> None:
    for number, name in enumerate(("sentinel.toml", "named.toml", "asked.toml"), start=1):
        (folder / name).write_text(f"[server]\nport = {number}")
    named = {"SENTINEL_CONFIG": str(folder / "named.toml")}
    assert load_settings(environ={}).server.port == 1
    assert load_settings(environ=named).server.port == 2
    assert load_settings(folder / "asked.toml", environ=named).server.port == 3


@pytest.mark.parametrize("environ", [{"SENTINEL_CONFIG": "none.toml"}, {}])
def test_s07_a_file_that_is_not_there_is_a_problem(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"^none\.toml: cannot be read: No such file or directory$"):
        load_settings(None if environ else Path("none.toml"), environ=environ)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"[server", "is not valid TOML"),
        (b"\xff", "is not UTF-8 text"),
        (b"a = " + b"[" * 5000, "is nested too deeply"),
        (b"a = " + b"1" * 5000, "is not valid TOML"),
    ],
)
def test_s07_a_file_that_is_not_toml_is_a_problem(raw: bytes, message: str) -> None:
    Path("sentinel.toml").write_bytes(raw)
    with pytest.raises(ConfigError, match=message):
        load_settings(environ={})


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_s07_any_bytes_load_or_are_explained(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    path = tmp_path_factory.mktemp("any") / "sentinel.toml"
    path.write_bytes(raw)
    result = settings_or_error(partial(load_settings, path, environ={}))
    assert isinstance(result, Settings) or result.problems


def test_s07_every_problem_of_every_source_is_told_at_once() -> None:
    text = """
    [sever]
    port = 1
    [server]
    port = 70000
    runner = "uvicorm"
    [[models]]
    name = "a"
    targets = []
    """
    assert problems(text, SENTINEL__SERVER__WORKERS="0", APP_ENV="prod", SENTINEL__SERVR__PORT="1") == [
        "sentinel.toml: [sever]: unknown table; did you mean 'server'?",
        "SENTINEL__SERVR__PORT: [servr]: unknown table; did you mean 'server'?",
        "sentinel.toml: [server] port: not a valid value; found 70000; expected an integer from 0 to 65535",
        "SENTINEL__SERVER__WORKERS: [server] workers: not a valid value; found 0; expected an integer >= 1",
        'sentinel.toml: [server] runner: not a valid value; found "uvicorm"; expected "hypercorn" or "uvicorn"; '
        "did you mean 'uvicorn'?",
        'APP_ENV: [server] environment: not a valid value; found "prod"; '
        'expected "development" or "staging" or "production"',
        "sentinel.toml: [models[0]] targets: not a valid value; found a list of 0; "
        "expected a list of (a table) of length >= 1",
    ]


def test_s07_what_only_others_can_tell_is_told_with_the_rest(folder: Path) -> None:
    tables = (
        "[stages.good]",
        "[stages.9lives]",
        "[providers.echo]",
        "[chain]\nstages = ['good']",
        "[server]\nprot = 1",
    )
    (folder / "sentinel.toml").write_text("\n".join(tables))

    def further(settings: Settings) -> list[ConfigProblem]:
        assert (list(settings.stages), list(settings.providers)) == (["good"], ["echo"])
        assert settings.chain.stages == ("good",)
        return [ConfigProblem("more", where="further")]

    with pytest.raises(ConfigError) as caught:
        load_settings(environ={}, further=further)
    assert [(problem.table, problem.key) for problem in caught.value.problems] == [
        ("server", "prot"),
        ("stages", "9lives"),
        ("", ""),
    ]


def test_s07_others_see_all_of_a_broken_configuration_that_can_be_read(folder: Path) -> None:
    (folder / "sentinel.toml").write_text("""
    [server]
    port = 99999
    workers = 3
    [stages]
    wrong = 1
    [stages.good]
    [providers]
    wrong = 1
    [providers.echo]
    [[models]]
    name = "a"
    targets = [{ provider = "echo" }, { provider = 3 }]
    [[models]]
    name = "b"
    """)

    def further(settings: Settings) -> list[ConfigProblem]:
        assert (settings.server.port, settings.server.workers) == (8000, 3)
        assert (list(settings.stages), list(settings.providers)) == (["good"], ["echo"])
        assert [(model.name, len(model.targets)) for model in settings.models] == [("a", 1)]
        return [ConfigProblem("more", where="further")]

    with pytest.raises(ConfigError, match="further: more"):
        load_settings(environ={}, further=further)


@pytest.mark.parametrize("key", ["", "sk-1"])
@pytest.mark.parametrize(
    "text",
    [
        *("stages = 3", "stages = ['a']", "[stages]\na = 1", "models = {}"),
        *("providers = 'x'", "providers = ''", "providers = []", "providers = 0"),
    ],
)
def test_s07_a_table_that_is_none_is_told_however_wrong_the_rest_is(text: str, key: str) -> None:
    found = problems(f"{text}\n[server]\nprot = 1", OPENAI_API_KEY=key)
    assert len(found) == 2
    assert "prot" in " ".join(found)


def test_a_file_that_begins_with_a_byte_order_mark_is_taken() -> None:
    Path("sentinel.toml").write_bytes(b"\xef\xbb\xbf[server]\nport = 9000\n")
    assert load_settings(environ={}).server.port == 9000


@pytest.mark.parametrize("line", ['default_model = ""', 'models = [""]'])
def test_no_model_of_a_provider_is_without_a_name(line: str) -> None:
    _, found = load(f"[providers.echo]\n{line}").providers["echo"].convert(UpstreamConfig)
    assert [problem.expected for problem in found] == ["a string that is not empty"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('cors_origins = ["example.com"]', 'found "example.com"; expected an origin such as https://app.example.com'),
        ('cors_origins = ["https://a.example/"]', "expected an origin"),
        ('cors_origins = ["https://[a"]', "expected an origin"),
        ('cors_origins = ["https://a.example\\n"]', "expected an origin"),
        ('allowed_hosts = ["x.example\\n"]', "expected a host name"),
        ('allowed_hosts = ["https://x"]', 'found "https://x"; expected a host name without port'),
        ('allowed_hosts = ["example.com:80"]', "expected a host name"),
        ('allowed_hosts = ["*"]', "expected a host name"),
        ('allowed_hosts = ["[::1]:80"]', "expected a host name"),
        ('http2 = true\nrunner = "uvicorn"', 'http2 needs runner = "hypercorn"'),
        ("drain_timeout_s = 0", "expected a number > 0"),
        ("drain_timeout_s = inf", "expected a finite number"),
        ("workers = true", "expected an integer >= 1"),
        ('host = ""', "expected a string that is not empty"),
        ("max_body_bytes = -1", "expected an integer >= 1"),
    ],
)
def test_s4_48_values_out_of_range_are_refused(line: str, message: str) -> None:
    (problem,) = problems(f"[server]\n{line}")
    assert message in problem


def test_usable_hosts_and_origins_are_taken() -> None:
    hosts = ("api.example.com", "*.example.com", "localhost", "my_host", "[::1]", "10.0.0.1")
    origins = ("*", "https://app.example.com", "http://localhost:3000", "http://[::1]:3000")
    server = settings_from({"server": {"allowed_hosts": [*hosts], "cors_origins": [*origins]}}).server
    assert (server.allowed_hosts, server.cors_origins) == (hosts, origins)


def test_every_bad_value_of_server_is_told_at_once() -> None:
    bad = """
    [server]
    trusted_proxies = ["here", "there"]
    cors_origins = ["example.com"]
    http2 = true
    runner = "uvicorn"
    """
    (origin,) = problems(bad)
    assert "cors_origins" in origin
    first, second, http2 = problems(bad.replace('"example.com"', '"https://example.com"'))
    assert "trusted_proxies: 'here' is not a network" in first
    assert "trusted_proxies: 'there' is not a network" in second
    assert "http2 needs" in http2


@pytest.mark.parametrize(
    "url", ["api.openai.com", "ftp://a", "https://", "https://a b", "https://a/?q=1", "https://a#f"]
)
def test_s4_48_h33_a_url_that_cannot_be_called_is_refused(url: str) -> None:
    _, found = load(OPENAI_API_KEY="k", OPENAI_BASE_URL=url).providers["openai"].convert(UpstreamConfig)
    assert [problem.expected for problem in found] == ["a URL such as https://api.example.com/v1"]
    assert found[0].where == "OPENAI_BASE_URL"


def test_the_process_environment_beats_the_env_file(folder: Path) -> None:
    env_file = folder / ".env"
    env_file.write_text("PORT=1\nOPENAI_API_KEY='sk-1'\nLOG_LEVEL=debug\n")
    settings = load_settings(environ={"PORT": "2"}, env_file=env_file)
    assert (settings.server.port, settings.server.log_level) == (2, "debug")
    shown = {value.key: value.source for value in settings.effective()}
    assert (shown["port"], shown["log_level"]) == ("PORT", "LOG_LEVEL (.env)")
    assert list(settings.providers) == ["openai"]


def test_an_env_file_that_cannot_be_read_is_a_problem(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"\.env: cannot be read"):
        load_settings(environ={}, env_file=folder / ".env")
