"""From a model's name to the targets that serve it."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core import Gateway, Registry
from sentinel_core.config import ModelSettings, TargetSettings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway.catalogue import Catalogue, Knowledge
from sentinel_core.json_types import TomlTable
from sentinel_core.keys import Target
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.testing import FakeClock, FakeProvider, chat_body
from sentinel_plugins.catalogue.catalogue import FileCatalogue
from sentinel_plugins.providers.openai.config import OpenAIConfig


def catalogue(*models: ModelSettings, **providers: tuple[str, ...]) -> Catalogue:
    """A catalogue of these `[[models]]`, and of providers by the models they list."""
    opened = {name: Provider(ProviderConfig(models=listed)) for name, listed in providers.items()}
    return Catalogue(models, opened, 1, Knowledge(FileCatalogue.shipped(), {}, FakeClock()))


def model(name: str, *targets: TargetSettings) -> ModelSettings:
    return ModelSettings(name=name, targets=targets)


def test_a_configured_model_is_served_by_its_targets_in_their_order_under_their_names() -> None:
    fast = model("fast", TargetSettings(provider="b", model="b-1"), TargetSettings(provider="a"))
    found = catalogue(fast, a=(), b=())
    assert found.candidates("fast") == (Target("b", "b-1"), Target("a", "fast"))
    assert [(listed.id, listed.owned_by, listed.created) for listed in found.models] == [("fast", "b", 1)]


def test_a_model_that_a_provider_lists_is_served_by_the_first_that_does_unless_it_is_configured() -> None:
    both = model("both", TargetSettings(provider="b"))
    found = catalogue(both, a=("both", "shared"), b=("shared", "own"))
    assert found.candidates("both") == (Target("b", "both"),)
    assert found.candidates("shared") == (Target("a", "shared"),)
    assert found.candidates("own") == (Target("b", "own"),)
    assert [(listed.id, listed.owned_by) for listed in found.models] == [("both", "b"), ("shared", "a"), ("own", "b")]


def test_a_provider_without_a_list_takes_every_other_name_and_without_one_there_is_none() -> None:
    assert catalogue(a=("listed",), b=(), c=()).candidates("any") == (Target("b", "any"),)
    assert catalogue(a=("listed",)).candidates("any") == ()


def test_a_request_without_a_model_goes_where_the_first_listed_one_goes() -> None:
    assert catalogue(a=("first", "second")).candidates(None) == (Target("a", "first"),)
    assert catalogue(a=()).candidates(None) == ()


@pytest.mark.parametrize("name", ["gpt-4o-mini", "openai/gpt-4o", "llama3.2:70b", "ft:gpt@v1", "org+x", "a" * 128])
def test_a_name_that_reads_like_a_models_reaches_an_open_provider(name: str) -> None:
    assert catalogue(a=()).candidates(name) == (Target("a", name),)


@pytest.mark.parametrize("name", ["", "../admin", "a/../b", "-flag", "a b", "a\n", "a?x=1", "a#b", "a%2e", "a" * 129])
def test_a_name_that_could_mean_something_else_to_an_upstream_is_unknown(name: str) -> None:
    assert catalogue(a=()).candidates(name) == ()


@given(st.text())
def test_whatever_reaches_an_open_provider_is_harmless_in_a_path_and_a_log(name: str) -> None:
    if catalogue(a=()).candidates(name):
        assert name.isascii()
        assert name.isprintable()
        assert not set(name) & set(" ?#%\\\"'<>")
        assert ".." not in name


def test_a_target_of_a_disabled_provider_is_a_configuration_error_that_names_both() -> None:
    tables = {
        "providers": {"echo": {"enabled": False}},
        "models": [{"name": "fast", "targets": [{"provider": "echo"}]}],
    }
    with pytest.raises(ConfigError) as caught:
        Gateway(settings_from(tables))
    assert "[models] targets" in str(caught.value)
    assert "'fast' is served by 'echo', which is disabled" in str(caught.value)
    assert "enabled = true in [providers.echo]" in str(caught.value)


def with_keys(*models: ModelSettings, **providers: ProviderConfig) -> Catalogue:
    opened = {name: Provider(config) for name, config in providers.items()}
    return Catalogue(models, opened, 1, Knowledge(FileCatalogue.shipped(), {"a": "openai"}, FakeClock()))


A_TOO = ProviderConfig(same_as="a")


def test_a_providers_further_keys_serve_what_it_serves_right_behind_it() -> None:
    fast = model("fast", TargetSettings(provider="a", model="x"), TargetSettings(provider="b", model="y"))
    listed, open_ = ProviderConfig(models=("one",)), ProviderConfig()
    found = with_keys(fast, a=listed, a_too=A_TOO, b=open_, a_three=A_TOO)
    keys = (Target("a", "x"), Target("a_too", "x", "a"), Target("a_three", "x", "a"))
    assert found.candidates("fast") == (*keys, Target("b", "y"))
    assert found.candidates("one") == (Target("a", "one"), Target("a_too", "one", "a"), Target("a_three", "one", "a"))
    assert found.candidates("any") == (Target("b", "any"),)
    assert [(listed.id, listed.owned_by) for listed in found.models] == [("fast", "a"), ("one", "a")]
    assert with_keys(a=open_, a_too=A_TOO).candidates("any") == (Target("a", "any"), Target("a_too", "any", "a"))


def test_a_further_key_has_no_default_of_its_own_and_shares_that_of_its_provider() -> None:
    found = with_keys(a=ProviderConfig(), a_too=A_TOO)
    assert found.candidates(None) == (Target("a", "gpt-4o-mini"), Target("a_too", "gpt-4o-mini", "a"))


def test_a_key_that_a_model_names_itself_is_there_once_and_known_for_what_it_is() -> None:
    both = model("both", TargetSettings(provider="a"), TargetSettings(provider="a_too"))
    alone = model("alone", TargetSettings(provider="a_too"))
    found = with_keys(both, alone, a=ProviderConfig(), a_too=A_TOO)
    assert found.candidates("both") == (Target("a", "both"), Target("a_too", "both", "a"))
    assert found.candidates("alone") == (Target("a_too", "alone", "a"),)


HOST = {"kind": "openai", "base_url": "http://127.0.0.1:9/v1", "first_byte_timeout_s": 7.0, "models": ["m"]}


def test_a_further_key_takes_over_what_its_table_does_not_say_the_host_above_all() -> None:
    tables = {"providers": {"up": HOST, "up_too": {"same_as": "up", "idle_timeout_s": 3.0}}}
    gateway = Gateway(settings_from(tables, environ={"SENTINEL__PROVIDERS__UP__CONNECT_TIMEOUT_S": "2"}))
    first, second = (plan.config for plan in gateway.blueprint.providers)
    assert isinstance(second, OpenAIConfig)
    assert (second.base_url, second.first_byte_timeout_s) == (HOST["base_url"], 7.0)
    assert (second.connect_timeout_s, second.idle_timeout_s, second.models) == (2.0, 3.0, ())
    assert first.models == ("m",)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"a": {"kind": "echo"}, "b": {"kind": "echo", "same_as": "nobody"}}, "no such other provider.*found .nobody."),
        ({"a": {"kind": "echo"}, "b": {"kind": "echo", "same_as": "b"}}, r"\[providers.b\] same_as: no such other"),
        ({"a": HOST, "b": {"kind": "echo", "same_as": "a"}}, "unknown key"),
        (
            {"a": {"kind": "echo"}, "b": {"kind": "openai", "same_as": "a"}},
            "must name an enabled provider of this kind",
        ),
        ({"a": {"kind": "echo", "enabled": False}, "b": {"same_as": "a"}}, "must name an enabled provider"),
        (
            {"a": {"kind": "echo"}, "b": {"same_as": "a"}, "c": {"same_as": "b"}},
            r"\[providers.c\] same_as: .*expected a",
        ),
        ({"a": {"kind": "echo"}, "b": {"same_as": "a", "models": ["x"]}}, r"models: belongs into \[providers.a\]"),
        ({"a": {"kind": "echo"}, "b": {"same_as": "a", "default_model": "x"}}, "default_model: belongs into"),
        ({"a": {"kind": "echo"}, "b": {"kind": "echo", "same_as": 3}}, "same_as: .*found 3"),
    ],
)
def test_a_further_key_of_nothing_that_could_have_one_is_refused(tables: TomlTable, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        Gateway(settings_from({"providers": tables}))
    assert re.search(message, str(refused.value)), str(refused.value)


async def test_a_call_without_a_model_names_the_targets_model_to_the_upstream() -> None:
    provider = FakeProvider()
    registry = Registry()
    registry.register(provider.kind())
    body = {name: value for name, value in chat_body().items() if name != "model"}
    async with Gateway(settings_from({"providers": {"fake": {}}}), registry=registry) as live:
        await live.complete(body)
    (call,) = provider.calls
    assert call.target == Target("fake", "fake")
    assert b'"model":"fake"' in call.request.dialect.encode_request(call.request, call.target.model)
