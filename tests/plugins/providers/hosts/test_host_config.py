"""The hosts' tables: addresses that are safe, and variables that turn them on."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.config import Settings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_plugins.providers.openai.hosts.config import AzureConfig
from tests.plugins.providers.hosts.served import KINDS

BASES = {
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "deepseek": "https://api.deepseek.com",
    "xai": "https://api.x.ai/v1",
    "together": "https://api.together.ai/v1",
    "llama": "https://api.llama.com/compat/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "vercel": "https://ai-gateway.vercel.sh/v1",
    "azure": "https://my-resource.openai.azure.com/openai/v1",
}


def converted(settings: Settings, name: str) -> Any:  # the kind's own Config
    config, problems = settings.providers[name].convert(KINDS[name].Config)
    assert problems == []
    return config


@pytest.mark.parametrize(("kind", "base"), BASES.items())
def test_every_host_is_where_its_documentation_says(kind: str, base: str) -> None:
    table = {"resource": "my-resource"} if kind == "azure" else {}
    assert converted(settings_from({"providers": {kind: table}}), kind).root() == base


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_unknown_key_is_an_error(kind: str) -> None:
    table = {"resource": "my-resource"} if kind == "azure" else {}
    settings = settings_from({"providers": {kind: {**table, "no_such_key_": 1}}})
    assert "no_such_key_" in str(settings.providers[kind].convert(KINDS[kind].Config)[1][0])


HOSTILE = ["evil.example/#", "a@b", "a#b", "a/b", "a?b", "a.b", "A", "", "-a", "a-", "a b", "a\n", "ä", "x" * 65]


@pytest.mark.parametrize("name", HOSTILE)
def test_h33_a_resource_name_that_could_lead_elsewhere_is_a_configuration_error(name: str) -> None:
    with pytest.raises(ConfigError, match="resource"):
        Gateway(settings_from({"providers": {"azure": {"resource": name}}}))


@pytest.mark.parametrize(
    "table",
    [
        {},
        {"resource": "a", "endpoint": "https://a.openai.azure.com"},
        {"endpoint": "https://user:pass@a.example"},
        {"resource": "a", "api_version": "2024-10-21&x=y"},
        {"resource": "a", "api_version": "latest"},
    ],
)
def test_an_azure_table_that_cannot_work_is_refused(table: dict[str, Any]) -> None:  # fields of the config
    with pytest.raises(ValueError):
        AzureConfig(**table)


KEYS = {
    "groq": "GROQ_API_KEY",
    "mistral": "MISTRAL_API_KEY",
    "deepseek": "DEEPSEEK_API_KEY",
    "xai": "XAI_API_KEY",
    "together": "TOGETHER_API_KEY",
    "llama": "LLAMA_API_KEY",
    "openrouter": "OPENROUTER_API_KEY",
    "vercel": "AI_GATEWAY_API_KEY",
}


@pytest.mark.parametrize(("kind", "name"), KEYS.items())
def test_a_key_in_the_environment_turns_its_host_on(kind: str, name: str) -> None:
    settings = settings_from({}, environ={name: "sk-1"})
    assert list(settings.providers) == [kind]
    config = converted(settings, kind)
    assert (config.api_key.reveal(), config.root()) == ("sk-1", BASES[kind])


@pytest.mark.parametrize(
    ("kind", "name"),
    [("groq", "GROQ_BASE_URL"), ("llama", "LLAMA_BASE_URL"), ("vercel", "VERCEL_AI_GATEWAY_URL")],
)
def test_an_address_in_the_environment_moves_a_host(kind: str, name: str) -> None:
    settings = settings_from({}, environ={KEYS[kind]: "sk-1", name: "http://localhost:9/v1"})
    assert converted(settings, kind).root() == "http://localhost:9/v1"


@pytest.mark.parametrize(("kind", "name"), [("llama", "LLAMA_BASE_URL"), ("vercel", "VERCEL_AI_GATEWAY_URL")])
def test_c06_an_address_alone_is_enough_where_the_key_is_optional(kind: str, name: str) -> None:
    settings = settings_from({}, environ={name: "http://localhost:9/v1"})
    assert list(settings.providers) == [kind]
    assert converted(settings, kind).api_key is None


def test_s1_09_vercels_older_name_of_the_key_works() -> None:
    config = converted(settings_from({}, environ={"VERCEL_AI_GATEWAY_API_KEY": "sk-1"}), "vercel")
    assert config.api_key.reveal() == "sk-1"
    both = {"VERCEL_AI_GATEWAY_API_KEY": "sk-1", "AI_GATEWAY_API_KEY": "sk-2"}
    assert converted(settings_from({}, environ=both), "vercel").api_key.reveal() == "sk-2"


def test_azure_needs_its_address_beside_its_key() -> None:
    assert list(settings_from({}, environ={"AZURE_OPENAI_API_KEY": "k"}).providers) == ["echo"]
    environ = {"AZURE_OPENAI_API_KEY": "k", "AZURE_OPENAI_ENDPOINT": "https://r.openai.azure.com/"}
    settings = settings_from({}, environ=environ)
    assert list(settings.providers) == ["azure"]
    assert converted(settings, "azure").root() == "https://r.openai.azure.com/openai/v1"


def test_a_file_that_names_providers_decides_alone_which_are_on() -> None:
    settings = settings_from({"providers": {"echo": {}}}, environ=dict.fromkeys(KEYS.values(), "sk-1"))
    assert list(settings.providers) == ["echo"]


def test_s0_19_the_request_timeout_is_every_hosts() -> None:
    settings = settings_from({"providers": {"xai": {}}}, environ={"REQUEST_TIMEOUT_SECONDS": "7.5"})
    assert converted(settings, "xai").first_byte_timeout_s == 7.5


def test_a_host_is_asked_only_for_what_it_serves() -> None:
    assert KINDS["deepseek"].operations == {"chat"}
    assert KINDS["groq"].operations == KINDS["xai"].operations == {"chat", "response"}
    assert KINDS["mistral"].operations == {"chat", "embedding"}
    assert KINDS["azure"].operations == KINDS["openrouter"].operations == {"chat", "completion", "embedding"}
