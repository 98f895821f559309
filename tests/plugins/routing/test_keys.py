"""Several keys of one provider: they share the load, fail each for itself, and are no way around the budget."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import FAILOVER, PLAN, Target
from sentinel_core.testing import Driven, FakeProvider, run, settle
from sentinel_plugins.retry.budget import ALWAYS
from sentinel_server.app import asgi
from tests.pace import PATIENCE_S
from tests.plugins.routing.test_outages import ask, failure
from tests.plugins.targets import Targets, targets
from tests.server.gateway_fixture import chat
from tests.server.serving import serving
from tests.server.wire import request
from tests.upstream import Reply, Upstream, completion

WELL = ("well",)
A, A_TOO, B = Target("a", "fake"), Target("a_too", "fake", "a"), Target("b", "fake")
ABOUT_THE_KEY = (
    UpstreamError("upstream_auth_error", upstream_status=401),
    UpstreamError("rate_limit_exceeded", upstream_status=429),
    UpstreamError("overloaded", upstream_status=402, wire_code="upstream_quota"),
    UpstreamError("circuit_open", attempted=False, retry_after_s=5.0),
)
ABOUT_THE_PROVIDER = (
    UpstreamError("upstream_timeout"),
    UpstreamError("upstream_error", upstream_status=500),
    UpstreamError("overloaded", upstream_status=503),
    UpstreamError("upstream_unreachable"),
    UpstreamError("model_not_found", upstream_status=404),
)


@pytest.fixture(autouse=True)
def in_order(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """The first key first, except where the test is about their turns."""
    if "turn" not in request.node.name:
        monkeypatch.setattr("random.sample", lambda items, _: list(items))


def called(driven: Driven) -> list[str]:
    assert driven.ctx is not None
    return [row.target.provider for row in driven.ctx.attempts]


@pytest.mark.parametrize("error", ABOUT_THE_KEY, ids=lambda error: f"{error.code}-{error.upstream_status}")
async def test_what_is_about_the_key_is_mended_by_the_next_key(error: UpstreamError) -> None:
    up = {"a": FakeProvider(error), "a_too": FakeProvider(WELL), "b": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, B, routing={}, retry={}, breaker={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (driven.text, called(driven), driven.ctx[FAILOVER]) == ("well", ["a", "a_too"], (A,))


@pytest.mark.parametrize("error", ABOUT_THE_PROVIDER, ids=lambda error: f"{error.code}-{error.upstream_status}")
async def test_what_is_about_the_provider_is_not_tried_by_its_other_keys(error: UpstreamError) -> None:
    up = {"a": FakeProvider(error), "a_too": FakeProvider(WELL), "b": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, B, routing={}, retry={}, breaker={}) as live:
        driven = await live.ask()
        assert driven.ctx is not None
        assert (called(driven), driven.ctx[PLAN]) == (["a", "b"], (A, B))


async def waited(live: Targets, count: int = 1) -> list[Driven]:
    """So many requests at one time, with all their waits passed."""
    tasks = [asyncio.create_task(run(live.chain, live.context())) for _ in range(count)]
    for _ in range(3):
        await settle(20)
        await live.clock.advance(200.0)
    async with asyncio.timeout(PATIENCE_S):
        return await asyncio.gather(*tasks)


async def test_p10_another_key_is_no_way_around_the_retry_budget() -> None:
    up = {name: FakeProvider(UpstreamError("upstream_connection_reset")) for name in ("a", "a_too")}
    async with targets(up, A, A_TOO, routing={}, retry={}) as live:
        await waited(live, 50)
        assert sum(len(provider.calls) for provider in up.values()) <= 50 * 1.1 + ALWAYS


async def test_a_passing_fault_of_the_only_provider_is_repeated_by_the_same_key() -> None:
    up = {"a": FakeProvider(UpstreamError("upstream_connection_reset"), WELL), "a_too": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, routing={}, retry={}) as live:
        assert called(*await waited(live)) == ["a", "a"]


async def test_a_repetition_is_made_where_only_targets_are_left_that_failed_already() -> None:
    reset = UpstreamError("upstream_connection_reset")
    up = {"a": FakeProvider(reset), "b": FakeProvider(reset, WELL), "a_too": FakeProvider(WELL)}
    async with targets(up, A, B, A_TOO, routing={}, retry={}) as live:
        assert called(*await waited(live)) == ["a", "b", "b"]


async def test_a_key_that_named_a_wait_rests_and_the_others_go_on() -> None:
    limited = UpstreamError("rate_limit_exceeded", upstream_status=429, retry_after_s=30.0)
    up = {"a": FakeProvider(limited, WELL), "a_too": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, routing={}, retry={}, breaker={}) as live:
        assert [called(await live.ask()) for _ in range(3)] == [["a", "a_too"], ["a_too"], ["a_too"]]
        await live.clock.advance(30.0)
        assert called(await live.ask()) == ["a"]


async def test_a_key_that_is_refused_is_quarantined_for_itself() -> None:
    up = {"a": FakeProvider(ABOUT_THE_KEY[0]), "a_too": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, routing={}, retry={}, breaker={}) as live:
        assert [called(await live.ask()) for _ in range(3)] == [["a", "a_too"], ["a_too"], ["a_too"]]
        await live.clock.advance(60.0)
        assert called(await live.ask()) == ["a", "a_too"]


async def test_keys_take_turns() -> None:
    up = {"a": FakeProvider(WELL), "a_too": FakeProvider(WELL), "b": FakeProvider(WELL)}
    async with targets(up, A, A_TOO, B, routing={}) as live:
        first = Counter([called(await live.ask())[0] for _ in range(400)])
    assert first.keys() == {"a", "a_too"}
    assert 130 < first["a"] < 270


KEYS = ("sk-first-canary", "sk-second-canary")


def tables(upstream: Upstream, **more: TomlValue) -> TomlTable:
    """One provider with two keys that takes every model, and a second table of nothing but the key."""
    return {
        "providers": {
            "up": {"kind": "openai", "base_url": upstream.base_url, "api_key": Secret(KEYS[0], "KEY_1")},
            "up_too": {"same_as": "up", "api_key": Secret(KEYS[1], "KEY_2"), **more},
        },
        "stages": {"health": {}, "routing": {}, "retry": {}, "breaker": {}},
    }


def keys_used(upstream: Upstream) -> list[str]:
    """The keys of the calls that arrived, without the monitor's looks."""
    calls = (request for request in upstream.requests if request.method == "POST")
    return [str(request.header("authorization")).removeprefix("Bearer ") for request in calls]


async def test_a_table_of_nothing_but_a_key_serves_whatever_the_first_one_serves(upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"message": f"bad key {KEYS[0]}"}}, 401), Reply(completion("well")))
    async with Gateway(settings_from(tables(upstream))) as gateway:
        assert [await ask(gateway) for _ in range(3)] == ["well"] * 3
        assert keys_used(upstream) == [*KEYS, KEYS[1], KEYS[1]], "the refused key is left alone"


async def test_where_every_key_is_refused_the_error_is_ours_and_names_none(upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": {"message": f"bad key {KEYS[0]}"}}, 401))
    async with Gateway(settings_from(tables(upstream))) as gateway:
        error = await failure(gateway)
        assert (error.code, error.status, len(keys_used(upstream))) == ("upstream_auth_error", 502, 2)
        assert not any(key in str(error) for key in KEYS)


SHOWN = ("/health", "/api/providers/status", "/api/metrics", "/api/incidents", "/v1/models")


async def test_h39_no_key_is_shown_anywhere(upstream: Upstream, caplog: pytest.LogCaptureFixture) -> None:
    upstream.script("m", Reply({"error": {"message": f"bad key {KEYS[0]}"}}, 401), Reply(completion("well")))
    gateway = Gateway(settings_from(tables(upstream)))
    async with gateway, serving(asgi(gateway)) as served, served.connect() as wire:
        answer = await wire.ask(chat())
        assert answer.headers["x-sentinel-provider"] == "up_too"
        seen = [answer.body, *[(await wire.ask(request(path))).body for path in SHOWN]]
    said = b"".join(seen).decode() + caplog.text + repr(gateway.settings) + str(gateway.settings.effective())
    assert "up_too" in said
    assert [key for key in KEYS if key in said] == []
