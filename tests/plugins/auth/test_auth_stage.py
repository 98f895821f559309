"""`auth` in a chain: who gets in, to which models and routes."""

from __future__ import annotations

from typing import ClassVar

import pytest

from sentinel_core.chain import Tracker
from sentinel_core.context import Client, Context
from sentinel_core.errors import ConfigError
from sentinel_core.json_types import TomlTable, TomlValue
from sentinel_core.keys import CANDIDATES, PRINCIPAL, Target
from sentinel_core.registry import Registry
from sentinel_core.testing import FakeProvider, StageConformance
from sentinel_core.testing.harness import Driven, chain_of, context, run
from sentinel_plugins.auth import Auth
from tests.plugins.auth.callers import STATIC, Known, client, known, secret

TINY, SMART = Target("up", "gpt-4o-mini"), Target("up", "o3")


class TestAuth(StageConformance):
    """The anonymous stage keeps what every stage must keep; with keys, whoever has none is refused before anything."""

    stage = Auth
    minimum: ClassVar[TomlTable] = {}


def table(**key: TomlValue) -> TomlTable:
    return {"keys": {"ci": {"secret": secret(STATIC), **key}}, "tenants": {"acme": {}}}


async def drive(auth: Known, asking: Client, *candidates: Target) -> tuple[Driven, Context, FakeProvider]:
    provider, tracker = FakeProvider(["hello"]), Tracker()
    ctx = context(client=asking)
    ctx[CANDIDATES] = candidates or (Target("fake", "fake"),)
    driven = await run(chain_of([auth.auth], provider, tracker), ctx)
    await tracker.drained()
    return driven, ctx, provider


async def test_z16_a_refused_caller_makes_no_upstream_call_and_states_no_principal() -> None:
    async with known(table()) as auth:
        driven, ctx, provider = await drive(auth, client("wrong"))
        assert driven.error is not None
        assert driven.error.code == "invalid_api_key"
        assert PRINCIPAL not in ctx
        assert provider.calls == []


async def test_the_principal_is_stated() -> None:
    async with known(table(tenant="acme")) as auth:
        driven, ctx, _ = await drive(auth, client(STATIC))
        assert driven.error is None
        assert (ctx[PRINCIPAL].tenant, ctx[PRINCIPAL].id) == ("acme", "ci")


async def test_z11_what_an_alias_or_a_fallback_leads_to_is_checked_by_its_own_name() -> None:
    async with known(table(models=["gpt-4o*"])) as auth:
        _, ctx, _ = await drive(auth, client(STATIC), SMART, TINY)
        assert ctx[CANDIDATES] == (TINY,)
        driven, _, provider = await drive(auth, client(STATIC), SMART)
        assert driven.error is not None
        assert (driven.error.code, driven.error.status) == ("model_not_allowed", 403)
        assert provider.calls == []


async def test_a_model_that_nobody_knows_is_left_to_routing() -> None:
    async with known(table(models=["gpt-4o*"])) as auth:
        ctx = context(client=client(STATIC))
        ctx[CANDIDATES] = ()
        driven = await run(chain_of([auth.auth], FakeProvider(["x"]), Tracker()), ctx)
        assert driven.error is not None
        assert driven.error.code == "model_not_found"


@pytest.mark.parametrize(
    ("route", "code"),
    [
        ("/v1/chat/completions", None),
        ("/v1/embeddings", "route_not_allowed"),
        ("/admin/keys", "route_not_allowed"),
        ("", None),
    ],
)
async def test_a_route_that_is_not_the_keys_is_403(route: str, code: str | None) -> None:
    async with known(table(routes=["/v1/chat/*"])) as auth:
        driven, ctx, provider = await drive(auth, client(STATIC, route=route))
        assert (driven.error.code if driven.error is not None else None) == code
        assert ctx[PRINCIPAL].id == "ci", "records say whom it was refused"
        assert len(provider.calls) == (code is None)
        assert await auth.code(client(STATIC, route=route)) == code


async def test_a_key_that_must_be_looked_up_is_waited_for() -> None:
    async with known() as auth:
        key, text = await auth.create(models=("fa*",))
        _, ctx, _ = await drive(auth, client(text))
        assert ctx[PRINCIPAL].id == key.id


@pytest.mark.parametrize("field", [{"on_fault": "open"}, {"mode": "monitor"}])
def test_authentication_never_fails_open(field: dict[str, str]) -> None:
    from sentinel_core.config import settings_from
    from sentinel_core.gateway import Gateway

    with pytest.raises(ConfigError):
        Gateway(settings_from({"stages": {"auth": field}}), registry=Registry())
