"""Calls without HTTP are authenticated by the headers that they are given."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.config import load_settings, settings_from
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject
from tests.plugins.auth.callers import STATIC
from tests.plugins.auth.gateway import tables

BODY: JsonObject = {"model": "o3", "messages": [{"role": "user", "content": "hi"}]}


async def test_a_call_in_process_says_who_asks() -> None:
    async with Gateway(settings_from(tables())) as gateway:
        answer = await gateway.complete(BODY, client=Client(headers={"x-api-key": STATIC}))
        assert answer.body["object"] == "chat.completion"
        async with gateway.stream(BODY, client=Client(headers={"authorization": f"Bearer {STATIC}"})) as events:
            assert [event async for event in events]
        for client in (None, Client(headers={"x-api-key": "wrong"})):
            with pytest.raises(Refusal) as refusal:
                await gateway.complete(BODY, client=client)
            assert refusal.value.code == "invalid_api_key"


async def test_an_embedded_gateway_without_keys_asks_nobody_who_they_are() -> None:
    settings = {"providers": {"echo": {"models": ["o3"]}}, "stages": {"auth": {}}}
    async with Gateway(settings_from(settings)) as gateway:
        assert (await gateway.complete(BODY)).body["object"] == "chat.completion"


async def test_a_reload_that_takes_a_key_away_ends_it() -> None:
    without = tables()
    del without["stages"]["auth"]["api_key"]
    async with Gateway(settings_from(tables())) as gateway:
        asking = Client(headers={"x-api-key": STATIC})
        await gateway.complete(BODY, client=asking)
        await gateway.reload(settings_from(without))
        with pytest.raises(Refusal) as refusal:
            await gateway.complete(BODY, client=asking)
        assert refusal.value.code == "invalid_api_key"


VARIABLES = {
    "SENTINELLA_API_KEY": STATIC,
    "ADMIN_API_KEY": "an-administrators-key",
    "SENTINEL_KEY_PEPPER": "a-pepper-of-some-length",
    "ZION_API_URL": "https://zion.test",
    "ZION_API_KEY": "zion-service-key",
    "CACHE_TTL_SECONDS": "60",
    "JWT_CACHE_TTL_SECONDS": "30",
}


def test_s2_37_s1_17_the_variables_that_people_have_turn_it_on() -> None:
    gateway = Gateway(load_settings(environ=VARIABLES))
    config: Any = next(plan.config for plan in gateway.chain.stages if plan.name == "auth")  # an AuthConfig
    assert (config.api_key.reveal(), config.admin_key.source) == (STATIC, "ADMIN_API_KEY")
    assert (config.zion.url, config.zion.limits_ttl_s, config.zion.token_ttl_s) == ("https://zion.test", 60, 30)
    assert VARIABLES["ZION_API_KEY"] not in repr(config)


def test_c12_zions_other_variables_mean_nothing_without_its_address() -> None:
    environ = {name: value for name, value in VARIABLES.items() if name != "ZION_API_URL"}
    gateway = Gateway(load_settings(environ=environ))
    config: Any = next(plan.config for plan in gateway.chain.stages if plan.name == "auth")  # an AuthConfig
    assert config.zion is None
