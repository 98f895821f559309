"""Where a model is served: by name, by what is known about it, and where a request names none."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from sentinel_core.config import load_settings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway import Gateway
from sentinel_core.gateway.catalogue import Catalogue, Knowledge
from sentinel_core.json_types import TomlTable
from sentinel_core.keys import Target
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.services import CATALOGUE, SERVER
from sentinel_core.testing import FakeClock
from sentinel_plugins.catalogue.catalogue import FileCatalogue

SHIPPED = FileCatalogue.shipped()


def catalogue(models: list[TomlTable], day: str = "2026-11-21", **providers: ProviderConfig) -> Catalogue:
    """Providers by the names of their tables; a table's kind is its name unless its configuration says otherwise."""
    clock = FakeClock(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())
    kinds = {name: config.kind or name for name, config in providers.items()}
    settings = settings_from({"models": models, "providers": {name: {} for name in providers}})
    opened = {name: Provider(config) for name, config in providers.items()}
    return Catalogue(settings.models, opened, 0, Knowledge(SHIPPED, kinds, clock))


OPEN = ProviderConfig()


def test_c_05_groq_takes_unknown_models_and_openai_keeps_its_own() -> None:
    both = catalogue([], groq=OPEN, openai=OPEN)
    assert both.candidates("gpt-4o") == (Target("openai", "gpt-4o"),)
    assert both.candidates("somebody/else") == (Target("groq", "somebody/else"),)
    assert both.candidates("openai/gpt-oss-120b") == (Target("groq", "openai/gpt-oss-120b"),)


def test_c_05_the_keys_alone_put_groq_first() -> None:
    environ = {"OPENAI_API_KEY": "sk-1", "GROQ_API_KEY": "sk-2"}
    assert list(settings_from({}, environ=environ).providers) == ["groq", "openai"]


def test_a_known_model_whose_provider_is_not_here_goes_to_the_first_open_one() -> None:
    assert catalogue([], openrouter=OPEN).candidates("gpt-4o") == (Target("openrouter", "gpt-4o"),)


def test_a_table_of_another_name_counts_by_its_kind() -> None:
    named = catalogue([], a=ProviderConfig(kind="xai"), b=ProviderConfig(kind="openai"))
    assert named.candidates("gpt-4o") == (Target("b", "gpt-4o"),)


def test_what_the_configuration_says_is_stronger_than_what_is_known() -> None:
    models = [{"name": "gpt-4o", "targets": [{"provider": "groq", "model": "x"}]}]
    assert catalogue(models, groq=OPEN, openai=OPEN).candidates("gpt-4o") == (Target("groq", "x"),)
    listing = catalogue([], groq=ProviderConfig(models=("gpt-4o",)), openai=OPEN)
    assert listing.candidates("gpt-4o") == (Target("groq", "gpt-4o"),)


def listed(found: Catalogue) -> list[tuple[str, str]]:
    return [(model.id, model.owned_by) for model in found.listed()]


def test_of_a_provider_without_a_list_the_models_that_live_there_today_are_listed() -> None:
    known = listed(catalogue([], openai=OPEN))
    assert ("gpt-4o", "openai") in known
    assert not {("gpt-4", "openai"), ("claude-sonnet-5", "openai")} & {*known}, "retired, or another provider's"
    assert ("gpt-4o", "openai") not in listed(catalogue([], "2040-01-01", openai=OPEN))
    assert listed(catalogue([], ollama=OPEN, llama=OPEN)) == [("llama3.2", "ollama")], (
        "what a host has, it knows itself"
    )
    assert listed(catalogue([], echo=OPEN)) == []


def test_what_is_known_stands_behind_what_the_configuration_lists_and_only_where_any_name_is_taken() -> None:
    models = [{"name": "gpt-4o", "targets": [{"provider": "groq", "model": "x"}]}]
    known = listed(catalogue(models, groq=ProviderConfig(models=("y",)), xai=OPEN))
    assert known[:2] == [("gpt-4o", "groq"), ("y", "groq")]
    assert {owner for _, owner in known[2:]} == {"xai"}
    assert listed(catalogue([], openai=ProviderConfig(models=("m",)))) == [("m", "openai")]


def test_a_default_model_is_listed_as_what_answers_in_its_place_today() -> None:
    chosen = catalogue([], a=ProviderConfig(default_model="own"), openai=ProviderConfig(default_model="gpt-4"))
    assert listed(chosen)[:2] == [("own", "a"), ("gpt-5.6-terra", "openai")]
    closed = ProviderConfig(models=("m",), default_model="nowhere")
    assert listed(catalogue([], openai=closed)) == [("m", "openai")], "no request could name it"


def test_whatever_would_be_served_is_found() -> None:
    both = catalogue([], groq=ProviderConfig(models=("m",)), openai=OPEN)
    found = both.listed("never-heard-of", "../x", "m")
    assert [(model.id, model.owned_by) for model in found] == [("never-heard-of", "openai"), ("m", "groq")]


@pytest.mark.parametrize("model", ["../x", "a b", "", "x" * 200])
def test_a_name_that_reads_like_no_model_is_served_nowhere(model: str) -> None:
    assert catalogue([], openai=OPEN).candidates(model) == ()


def test_s3_05_the_local_model_is_at_ollama_and_stands_last_where_no_model_is_named() -> None:
    both = catalogue([], openai=OPEN, ollama=OPEN)
    assert both.candidates("llama3.2") == (Target("ollama", "llama3.2"),)
    assert both.candidates(None) == (Target("openai", "gpt-4o-mini"), Target("ollama", "llama3.2"))


def test_without_a_name_each_providers_own_model_stands_in_the_order_of_the_tables() -> None:
    both = catalogue([], groq=OPEN, openai=OPEN)
    assert both.candidates(None) == (Target("groq", "openai/gpt-oss-120b"), Target("openai", "gpt-4o-mini"))
    assert catalogue([], echo=OPEN).candidates(None) == ()


def test_s3_06_c_33_a_default_model_is_named_per_provider() -> None:
    chosen = catalogue([], openai=ProviderConfig(default_model="gpt-5.6-luna"), xai=OPEN)
    assert chosen.candidates(None) == (Target("openai", "gpt-5.6-luna"), Target("xai", "grok-4.7"))


def test_s3_06_openai_model_sets_it() -> None:
    settings = settings_from({}, environ={"OPENAI_API_KEY": "sk-1", "OPENAI_MODEL": "gpt-5.6-sol"})
    assert settings.providers["openai"].convert(ProviderConfig)[0] is None  # has keys of its own besides
    assert settings.document.get("providers", "openai", "default_model").text == "gpt-5.6-sol"


def test_c_07_without_a_name_a_retired_model_is_passed_over() -> None:
    targets = [{"provider": "openai", "model": "gpt-4"}]
    models = [{"name": "old", "targets": targets}, {"name": "new", "targets": [{"provider": "openai"}]}]
    assert catalogue(models, openai=OPEN).candidates(None) == (Target("openai", "new"),)
    assert catalogue(models, openai=OPEN).candidates("old") == (Target("openai", "gpt-4"),), "asked for by name"
    assert catalogue(models[:1], openai=OPEN).candidates(None) == ()


def test_c_07_a_default_model_that_is_retired_gives_way_to_its_successor() -> None:
    named = catalogue([], openai=ProviderConfig(default_model="gpt-4"))
    assert named.candidates(None) == (Target("openai", "gpt-5.6-terra"),)
    assert catalogue([], "2027-01-14", openai=OPEN).candidates(None) == (Target("openai", "gpt-6-luna"),)


def test_of_a_providers_list_the_first_that_answers_stands_for_it() -> None:
    listed = ProviderConfig(models=("gpt-4", "gpt-4o"))
    assert catalogue([], openai=listed).candidates(None) == (Target("openai", "gpt-4o"),)
    beside = catalogue([], openai=listed, xai=ProviderConfig(default_model="grok-4.6"))
    assert beside.candidates(None) == (Target("openai", "gpt-4o"), Target("xai", "grok-4.6"))


def test_a_configuration_that_names_a_retired_model_is_warned_about() -> None:
    models = [{"name": "best", "targets": [{"provider": "echo", "model": "gpt-4"}]}]
    gateway = Gateway(settings_from({"providers": {"echo": {"models": ["grok-beta", "echo"]}}, "models": models}))
    assert [warning for warning in gateway.warnings if "shut down" in warning] == [
        "the model 'gpt-4' was shut down on 2026-10-23; its successor is 'gpt-5.6-terra'",
        "the model 'grok-beta' was shut down; its successor is 'grok-4.7'",
    ]


def test_an_own_file_is_found_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('[[models]]\nid = "mine"\nprovider = "echo"\n', "utf-8")
    config = tmp_path / "sentinel.toml"
    config.write_text('[catalogue]\nfile = "own.toml"\n', "utf-8")
    gateway = Gateway(load_settings(config, environ={}))
    assert gateway.blueprint.catalogue.find("mine") is not None


def test_an_own_file_that_is_missing_is_one_of_the_problems(tmp_path: Path) -> None:
    config = tmp_path / "sentinel.toml"
    config.write_text('[catalogue]\nfile = "none.toml"\n[stages.nobody]\n', "utf-8")
    with pytest.raises(ConfigError) as refused:
        Gateway(load_settings(config, environ={}))
    assert "none.toml: cannot be read" in str(refused.value)
    assert "nobody" in str(refused.value)


async def test_plugins_get_the_catalogue_with_the_operators_rows_and_a_reload_reads_them_anew(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[[models]]\nid = "mine"\nprovider = "echo"\n', "utf-8")
    gateway = Gateway(settings_from({"providers": {"echo": {}}, "catalogue": {"file": str(own)}}))
    async with gateway:
        before = gateway.services.find(CATALOGUE)
        assert before is not None
        assert before.find("mine") is not None
        own.write_text('[[models]]\nid = "newer"\nprovider = "echo"\n', "utf-8")
        await gateway.reload()
        after = gateway.services.find(CATALOGUE)
        assert after is not None
        assert (after.find("mine"), after.find("newer") is not None) == (None, True)


async def test_plugins_get_what_the_server_is_told() -> None:
    gateway = Gateway(settings_from({"providers": {"echo": {}}, "server": {"request_timeout_s": 3}}))
    async with gateway:
        found = gateway.services.find(SERVER)
        assert found is gateway.settings.server
        assert found.request_timeout_s == 3
