"""The variables that people already have: each name, each rank, each quarrel."""

from __future__ import annotations

import pytest

from sentinel_core.config import Secret, Settings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.state import StoreConfig
from tests.core.configuration import UpstreamConfig, upstream


def load(**environ: str) -> Settings:
    return settings_from({}, environ=environ)


@pytest.mark.parametrize(
    ("environ", "port"),
    [({}, 8000), ({"PORT": "1"}, 1), ({"SENTINEL_PORT": "2"}, 2), ({"PORT": "1", "SENTINEL_PORT": "2"}, 2)],
)
def test_c22_sentinel_port_beats_port_beats_8000(environ: dict[str, str], port: int) -> None:
    assert load(**environ).server.port == port


def test_c22_the_host_is_loopback_unless_a_variable_says_otherwise() -> None:
    assert load().server.host == "127.0.0.1"
    assert load(HOST="0.0.0.0").server.host == "0.0.0.0"
    assert load(HOST="my-laptop", SENTINEL_HOST="::1").server.host == "::1"


def test_the_port_that_kubernetes_announces_for_a_service_is_not_ours() -> None:
    assert load(SENTINEL_PORT="tcp://10.0.0.1:8000").server.port == 8000
    assert load(SENTINEL_PORT="tcp://10.0.0.1:8000", PORT="9").server.port == 9


@pytest.mark.parametrize("name", ["SENTINEL_ENV", "APP_ENV"])
@pytest.mark.parametrize("value", ["development", "staging", "production", "Production"])
def test_c21_both_names_of_the_environment_work(name: str, value: str) -> None:
    assert load(**{name: value}).server.environment == value.lower()


@pytest.mark.parametrize("name", ["SENTINEL_LOG_LEVEL", "LOG_LEVEL"])
def test_s1_31_both_names_of_the_log_level_work(name: str) -> None:
    assert load(**{name: "WARNING"}).server.log_level == "warning"


def test_s4_49_cors_origins_are_a_comma_list() -> None:
    assert load(CORS_ORIGINS="https://a.example, https://b.example,").server.cors_origins == (
        "https://a.example",
        "https://b.example",
    )


def test_two_names_of_one_thing_set_differently_are_a_problem() -> None:
    with pytest.raises(ConfigError) as caught:
        load(SENTINEL_ENV="production", APP_ENV="staging", SENTINEL_LOG_LEVEL="info", LOG_LEVEL="INFO")
    assert str(caught.value) == "SENTINEL_ENV and APP_ENV set the same thing differently; expected only SENTINEL_ENV"


def test_an_empty_variable_counts_as_unset() -> None:
    assert load(SENTINEL_ENV="", APP_ENV="staging", PORT="").server.environment == "staging"


def test_s0_19_the_request_timeout_goes_to_every_openai_provider() -> None:
    tables = {"providers": {"openai": {}, "mine": {"kind": "openai"}, "echo": {}}}
    settings = settings_from(tables, environ={"REQUEST_TIMEOUT_SECONDS": "7.5"})
    assert upstream(settings).first_byte_timeout_s == 7.5
    assert upstream(settings, "mine").first_byte_timeout_s == 7.5
    assert settings.providers["echo"].convert(UpstreamConfig) == (UpstreamConfig(), [])


def test_the_openai_variables_are_for_the_table_of_that_name_only() -> None:
    tables = {"providers": {"openai": {}, "mine": {"kind": "openai"}}}
    settings = settings_from(tables, environ={"OPENAI_BASE_URL": "http://localhost:1/v1", "OPENAI_API_KEY": "sk-1"})
    assert upstream(settings).base_url == "http://localhost:1/v1"
    assert upstream(settings).api_key is not None
    assert upstream(settings, "mine") == UpstreamConfig(kind="openai")


def test_a_key_that_the_file_names_is_not_replaced_by_one_that_happens_to_be_set() -> None:
    tables = {"providers": {"openai": {"api_key": {"env": "TEAM_KEY"}}}}
    key = upstream(settings_from(tables, environ={"OPENAI_API_KEY": "sk-1", "TEAM_KEY": "sk-2"})).api_key
    assert key is not None
    assert key.reveal() == "sk-2"


def test_a_key_and_an_address_that_the_file_names_stay_together() -> None:
    tables = {"providers": {"openai": {"api_key": {"env": "TEAM_KEY"}, "base_url": "https://proxy.example/v1"}}}
    environ = {"OPENAI_BASE_URL": "https://api.openai.com/v1", "OPENAI_API_KEY": "sk-1", "TEAM_KEY": "sk-2"}
    found = upstream(settings_from(tables, environ=environ))
    assert found.base_url == "https://proxy.example/v1"
    assert found.api_key is not None
    assert found.api_key.reveal() == "sk-2"
    overridden = environ | {"SENTINEL__PROVIDERS__OPENAI__BASE_URL": "https://other.example/v1"}
    assert upstream(settings_from(tables, environ=overridden)).base_url == "https://other.example/v1"


def test_a_table_of_another_kind_is_left_alone() -> None:
    tables = {"providers": {"openai": {"kind": "echo"}}}
    assert upstream(settings_from(tables, environ={"OPENAI_BASE_URL": "http://x"})) == UpstreamConfig(kind="echo")


class Store(StoreConfig, frozen=True, kw_only=True):
    """What the REDIS_ variables set."""

    url: Secret | None = None
    host: str = "localhost"
    port: int = 6379
    timeout_s: float = 0.25


def store(tables: dict[str, str] | None = None, **environ: str) -> Store:
    settings = settings_from({"state": tables} if tables else {}, environ=environ)
    value, problems = settings.state.convert(Store)
    assert value is not None, problems
    return value


def test_c23_redis_is_found_by_its_url_or_by_its_parts() -> None:
    found = store({"kind": "redis"}, REDIS_URL="redis://there/0", REDIS_HOST="elsewhere", REDIS_PORT="1")
    assert found.url is not None
    assert (found.url.reveal(), found.host, found.port) == ("redis://there/0", "elsewhere", 1)
    assert store({"kind": "redis"}) == Store(kind="redis")


def test_c23_what_kubernetes_says_of_a_service_called_redis_is_no_port() -> None:
    assert store({"kind": "redis"}, REDIS_PORT="tcp://10.0.0.2:6379") == Store(kind="redis")


def test_c47_the_socket_timeout_of_redis_is_honoured() -> None:
    assert store({"kind": "redis"}, REDIS_SOCKET_TIMEOUT="5.0").timeout_s == 5.0
    assert store({"kind": "redis"}).timeout_s == 0.25


def test_c23_without_redis_in_the_tables_its_variables_are_somebody_elses() -> None:
    assert store(REDIS_URL="redis://there", REDIS_HOST="there", REDIS_SOCKET_TIMEOUT="5") == Store(kind="memory")


def test_c23_an_override_turns_redis_on_and_its_variables_are_read_then() -> None:
    found = store(SENTINEL__STATE__KIND="redis", REDIS_URL="redis://there", SENTINEL__STATE__PORT="7", REDIS_PORT="8")
    assert found.url is not None
    assert (found.kind, found.url.reveal(), found.port) == ("redis", "redis://there", 7)


def test_an_override_beats_a_variable_that_people_already_have() -> None:
    assert load(PORT="1", SENTINEL__SERVER__PORT="2").server.port == 2
    server = load(PORT="1", SENTINEL__SERVER__WORKERS="2").server
    assert (server.port, server.workers) == (1, 2)
