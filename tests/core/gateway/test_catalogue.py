"""From a model's name to the targets that serve it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core import Gateway, Registry
from sentinel_core.config import ModelSettings, TargetSettings, settings_from
from sentinel_core.errors import ConfigError
from sentinel_core.gateway.catalogue import Catalogue, Knowledge
from sentinel_core.keys import Target
from sentinel_core.provider import Provider, ProviderConfig
from sentinel_core.testing import FakeClock, FakeProvider, chat_body
from sentinel_plugins.catalogue.catalogue import FileCatalogue


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
