"""A reload forgets nobody: neither who was valid, nor who guesses, nor what issuers said."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from sentinel_core.config import Settings, settings_from
from sentinel_core.context import Client
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject, TomlTable, TomlValue
from sentinel_core.testing import fake_services
from sentinel_core.testing.fake_clock import FakeClock
from sentinel_plugins.auth.admin.key_shapes import NewKey
from sentinel_plugins.auth.revocation import auth_of
from tests.plugins.auth.callers import PEPPER, STATIC, client, secret
from tests.plugins.auth.test_jwt import AUDIENCE, ISSUER, JWKS, NOW, RSA, jwks
from tests.plugins.auth.test_jwt import token as signed
from tests.plugins.auth.test_zion import BOTH, bearer, token
from tests.plugins.auth.web import Web
from tests.plugins.auth.zion_server import KEY, ZionServer

BODY: JsonObject = {"model": "echo", "messages": [{"role": "user", "content": "hi"}]}


def settings(**auth: TomlValue) -> Settings:
    return settings_from({"providers": {"echo": {"models": ["echo"]}}, "stages": {"auth": auth}})


@asynccontextmanager
async def live(web: Web, clock: FakeClock, **auth: TomlValue) -> AsyncIterator[Gateway]:
    """A gateway that is open, in this world."""
    async with fake_services(clock) as made, Gateway(settings(**auth), services=replace(made, http=web)) as gateway:
        yield gateway


@pytest.fixture
def clock() -> FakeClock:
    """Time, which a test moves."""
    return FakeClock(NOW)


async def code(gateway: Gateway, asking: Client) -> str | None:
    """The code of the refusal of one request; None where it is answered."""
    try:
        await gateway.complete(BODY, client=asking)
    except Refusal as error:
        return error.code
    return None


def jwt(**fields: TomlValue) -> TomlTable:
    return {"issuer": ISSUER, "audience": [AUDIENCE], "jwks_url": JWKS, **fields}


async def test_r13_published_keys_outlive_a_reload_while_their_issuer_is_away(clock: FakeClock) -> None:
    web = Web()
    web.answers["/keys"] = (200, jwks(one=RSA))
    async with live(web, clock, jwt=jwt()) as gateway:
        assert await code(gateway, bearer(signed())) is None
        web.answers["/keys"] = None
        await gateway.reload(settings(jwt=jwt(leeway_s=5)))
        assert await code(gateway, bearer(signed(sub="bob"))) is None
        assert web.asked == ["GET /keys"]
        await gateway.reload(settings(jwt=jwt(jwks_url="https://other.test/keys")))
        assert await code(gateway, bearer(signed())) == "state_unavailable"
        await gateway.reload(settings(jwt=jwt(issuer="https://other.test/")))
        assert await code(gateway, bearer(signed())) == "invalid_api_key"


async def test_published_keys_are_believed_as_long_as_the_new_table_says(clock: FakeClock) -> None:
    web = Web()
    web.answers["/keys"] = (200, jwks(one=RSA))
    async with live(web, clock, jwt=jwt()) as gateway:
        assert await code(gateway, bearer(signed())) is None
        await clock.advance(60)
        await gateway.reload(settings(jwt=jwt(jwks_ttl_s=30)))
        assert await code(gateway, bearer(signed())) is None
        assert web.asked == ["GET /keys"] * 2


def zion(key: str = KEY, **fields: TomlValue) -> TomlTable:
    return {"url": "https://zion.test", "api_key": secret(key), **fields}


@pytest.fixture
def server() -> ZionServer:
    """A Zion that knows `ann`."""
    found = ZionServer()
    found.user(token(), "ann", **BOTH)
    return found


async def test_r13_users_of_zion_outlive_a_reload_while_it_is_away(server: ZionServer, clock: FakeClock) -> None:
    async with live(server.web, clock, zion=zion()) as gateway:
        assert await code(gateway, bearer()) is None
        server.fail = {"users": ["down"], "limits": ["down"]}
        await gateway.reload()
        assert await code(gateway, bearer()) is None
        assert (server.asked("/me"), server.asked("/ann")) == (1, 1)
        for other in (zion("another-service-key"), zion(url="https://other.test")):
            await gateway.reload(settings(zion=other))
            assert await code(gateway, bearer()) == "state_unavailable"


async def test_a_token_is_believed_as_long_as_the_new_table_says(server: ZionServer, clock: FakeClock) -> None:
    async with live(server.web, clock, zion=zion()) as gateway:
        assert await code(gateway, bearer()) is None
        await clock.advance(20)
        await gateway.reload(settings(zion=zion(token_ttl_s=10, limits_ttl_s=15)))
        assert await code(gateway, bearer()) is None
        assert (server.asked("/me"), server.asked("/ann")) == (2, 2)


async def test_what_a_user_of_zion_used_outlives_a_reload(server: ZionServer, clock: FakeClock) -> None:
    server.user(token(), "ann", ai_requests=2)
    async with live(server.web, clock, zion=zion()) as gateway:
        assert await code(gateway, bearer()) is None
        await gateway.reload()
        assert await code(gateway, bearer()) is None
        await gateway.reload()
        assert await code(gateway, bearer()) == "insufficient_quota"


async def test_z22_who_guesses_goes_on_being_refused_after_a_reload_and_who_was_valid_served(clock: FakeClock) -> None:
    def keys(most: int) -> TomlTable:
        return {"pepper": secret(PEPPER), "api_key": secret(STATIC), "max_failures_per_minute": most}

    async with live(Web(), clock, **keys(3)) as gateway:
        auth = auth_of(gateway)
        assert auth.keys is not None
        made = [await auth.keys.create(lambda *parts: NewKey().key("default", NOW, *parts)) for _ in range(2)]
        (_, text), (_, unseen) = made
        assert await code(gateway, client(text)) is None
        assert [await code(gateway, client("sk-guess")) for _ in range(3)] == ["invalid_api_key"] * 3
        await gateway.reload()
        assert await code(gateway, client("sk-guess")) == "rate_limit_exceeded"
        assert await code(gateway, client(unseen)) == "rate_limit_exceeded"
        assert await code(gateway, client(text)) is None
        assert await code(gateway, client(STATIC)) is None
        await gateway.reload(settings(**keys(4)))
        assert await code(gateway, client("sk-guess")) == "invalid_api_key"
        assert await code(gateway, client("sk-guess")) == "rate_limit_exceeded"
        await gateway.reload(settings(**keys(2)))
        await clock.advance(60)
        assert await code(gateway, client("sk-guess")) == "invalid_api_key"
