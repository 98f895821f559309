"""Which circuits a provider is judged by: those of the chain in force, and of nobody's target any more."""

from __future__ import annotations

import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.config import Settings, settings_from
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway.circuits import states_by_provider
from sentinel_core.provider import ProviderConfig
from sentinel_core.testing import FakeProvider, chat_body
from sentinel_core.testing.fake_provider import Script

BROKEN = UpstreamError("upstream_error", upstream_status=500)


class Anything(FakeProvider):
    """Serves whatever is asked for."""

    def __init__(self, *scripts: Script, default_model: str | None = None) -> None:
        super().__init__(*scripts)
        self.config = ProviderConfig(default_model=default_model)


def settings(*targets: str, breaker: bool = True) -> Settings:
    """The model `m` on these models of the provider `fake`."""
    named = [{"provider": "fake", "model": target} for target in targets]
    models = [{"name": "m", "targets": named}] if named else []
    stages = {"breaker": {"failure_threshold": 1}} if breaker else {}
    return settings_from({"providers": {"fake": {}}, "models": models, "stages": stages})


def gateway(up: FakeProvider, *targets: str) -> Gateway:
    registry = Registry()
    registry.register(up.kind())
    return Gateway(settings(*targets), registry=registry)


async def fails(live: Gateway, model: str = "m") -> None:
    with pytest.raises(UpstreamError):
        await live.complete({**chat_body(), "model": model})


async def test_before_it_is_open_nothing_is_known() -> None:
    assert states_by_provider(gateway(Anything(), "bad")) == {}


async def test_a_target_that_a_reload_took_away_is_judged_no_more_and_one_that_is_named_still_is() -> None:
    async with gateway(up := Anything(BROKEN), "bad") as live:
        await fails(live)
        await live.reload(settings("bad", "other"))
        assert states_by_provider(live) == {"fake": {"open"}}, "a reload forgets no failing target"
        await live.reload(settings("good"))
        assert states_by_provider(live) == {}
        up.script(("well",))
        await live.complete({**chat_body(), "model": "m"})
        assert states_by_provider(live) == {"fake": {"closed"}}


async def test_a_model_that_nobody_named_is_judged_until_a_reload_and_again_once_it_is_called() -> None:
    async with gateway(Anything(BROKEN), "m") as live:
        await fails(live, "made-up")
        assert states_by_provider(live) == {"fake": {"open"}}
        await live.reload(settings("m"))
        assert states_by_provider(live) == {}
        await fails(live, "made-up")
        assert states_by_provider(live) == {"fake": {"open"}}


async def test_the_model_that_stands_for_its_provider_is_named() -> None:
    async with gateway(Anything(BROKEN, default_model="d")) as live:
        await fails(live, "d")
        await live.reload(settings())
        assert states_by_provider(live) == {"fake": {"open"}}


async def test_without_a_breaker_nothing_is_judged_by_what_it_knew() -> None:
    async with gateway(Anything(BROKEN), "m") as live:
        await fails(live)
        await live.reload(settings("m", breaker=False))
        assert states_by_provider(live) == {}
        await live.reload(settings("m"))
        assert states_by_provider(live) == {"fake": {"open"}}, "it knew all along"


async def test_a_provider_that_is_gone_has_no_circuits() -> None:
    async with gateway(Anything(BROKEN), "m") as live:
        await fails(live)
        await live.reload(settings_from({"providers": {"echo": {}}, "stages": {"breaker": {}}}))
        assert states_by_provider(live) == {}
