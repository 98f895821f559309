"""`/admin/keys` and `/admin/tenants`: made, shown once, changed, ended, and nobody beyond what is theirs."""

from __future__ import annotations

from typing import Any

import pytest

from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.limits import Limits
from sentinel_core.testing.fake_clock import settle
from sentinel_plugins.auth.revocation import auth_of, tell
from sentinel_plugins.auth.tenants import Tenant
from tests.plugins.auth.callers import ADMIN_KEY, STATIC, secret
from tests.plugins.auth.gateway import House, house, tables

KEYS, TENANTS = "/admin/keys", "/admin/tenants"


async def made(served: House, key: str = ADMIN_KEY, **fields: JsonValue) -> JsonObject:
    answer = await served.ask(KEYS, key, "POST", **fields)
    assert answer.status == 201, answer.body
    body: JsonObject = answer.json
    return body


async def acme(served: House, **fields: JsonValue) -> None:
    assert (await served.ask(TENANTS, ADMIN_KEY, "POST", id="acme", **fields)).status == 201


async def test_a_key_is_shown_once_and_works_until_it_is_revoked() -> None:
    async with house() as served:
        await acme(served, limits={"requests_per_minute": 60})
        key = await made(served, tenant="acme", name="ci", models=["gpt-4o*"], limits={"daily_usd": 2.5})
        assert (key["tenant"], key["status"], key["hint"]) == ("acme", "active", key["key"][-4:])
        assert (await served.ask("/v1/models", key["key"])).status == 200
        shown = (await served.ask(f"{KEYS}/{key['id']}", ADMIN_KEY)).json
        assert "key" not in shown
        assert "digest" not in shown
        listed = (await served.ask(KEYS, ADMIN_KEY)).json
        assert [row["id"] for row in listed["data"]] == [key["id"]]
        assert key["key"] not in str(listed)
        ended = (await served.ask(f"{KEYS}/{key['id']}", ADMIN_KEY, "DELETE")).json
        assert ended["status"] == "revoked"
        assert (await served.ask("/v1/models", key["key"])).status == 401


async def test_a_rotated_key_is_shown_once_and_the_old_text_ends_at_once() -> None:
    async with house() as served:
        key = await made(served)
        assert (await served.ask("/v1/models", key["key"])).status == 200
        rotated = (await served.ask(f"{KEYS}/{key['id']}/rotate", ADMIN_KEY, "POST")).json
        assert rotated["id"] == key["id"]
        assert (await served.ask("/v1/models", key["key"])).status == 401
        assert (await served.ask("/v1/models", rotated["key"])).status == 200


async def test_a_changed_key_is_changed_at_once_and_keeps_the_rest() -> None:
    async with house() as served:
        key = await made(served, name="ci", models=["o3"])
        after = (await served.ask(f"{KEYS}/{key['id']}", ADMIN_KEY, "PATCH", models=["gpt-4o"])).json
        assert (after["name"], after["models"]) == ("ci", ["gpt-4o"])
        assert [row["id"] for row in (await served.ask("/v1/models", key["key"])).json["data"]] == ["gpt-4o"]


async def test_pages_follow_each_other_by_cursor() -> None:
    async with house() as served:
        ids = {(await made(served))["id"] for _ in range(5)}
        found, cursor = [], ""
        while cursor is not None:
            page = (
                await served.ask(f"{KEYS}?limit=2&cursor={cursor}" if cursor else f"{KEYS}?limit=2", ADMIN_KEY)
            ).json
            found += [row["id"] for row in page["data"]]
            cursor = page["cursor"]
        assert (len(found), set(found)) == (5, ids)


def nested(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = {"a": value}
    return value


BAD: list[tuple[JsonObject, str]] = [
    ({"nobody_knows": 1}, "invalid_parameter"),
    ({"tenant": "no/such"}, "invalid_parameter"),
    ({"tenant": "nobody"}, "invalid_parameter"),
    ({"limits": {"requests_per_minute": -1}}, "invalid_parameter"),
    ({"models": ["a&b"]}, "invalid_parameter"),
    ({"models": [""]}, "invalid_parameter"),
    ({"models": ["small\n"]}, "invalid_parameter"),
    ({"models": ["a*" * 9]}, "invalid_parameter"),
    ({"models": ["m" * 257]}, "invalid_parameter"),
    ({"models": ["m"] * 101}, "invalid_parameter"),
    ({"routes": ["/v1/*"] * 101}, "invalid_parameter"),
    ({"scopes": ["keys"] * 33}, "invalid_parameter"),
    ({"scopes": ["guard\n"]}, "invalid_parameter"),
    ({"tenant": "default\n"}, "invalid_parameter"),
    ({"name": "a\nkey_0123456789abcdef"}, "invalid_parameter"),
    ({"user": "\x1b[8mann"}, "invalid_parameter"),
    ({"limits": {"windows": [{"limit": 1, "period_s": 1}] * 17}}, "invalid_parameter"),
    ({"expires_in_s": 0}, "invalid_parameter"),
    ({"expires_in_s": 1e12}, "invalid_parameter"),
    ({"limits": {"daily_usd": 1e300}}, "invalid_parameter"),
    ({"limits": {"requests_per_minute": 10**30}}, "invalid_parameter"),
    ({"limits": {"windows": [{"limit": 1, "period_s": 1e16}]}}, "invalid_parameter"),
    ({"scopes": "admin"}, "invalid_parameter"),
    ({"preferences": nested(100)}, "json_too_deep"),
]


@pytest.mark.parametrize(("fields", "code"), BAD)
async def test_a_body_that_makes_no_sense_is_400(fields: JsonObject, code: str) -> None:
    async with house() as served:
        answer = await served.ask(KEYS, ADMIN_KEY, "POST", **fields)
        assert (answer.status, answer.code) == (400, code)
        assert (await served.ask(f"{KEYS}?limit=0", ADMIN_KEY)).status == 400
        assert (await served.ask(f"{KEYS}?cursor=none", ADMIN_KEY)).status == 400


@pytest.mark.parametrize("at", [-1.0, 1e12, 1e300])
async def test_a_time_that_no_calendar_has_is_400(at: float) -> None:
    async with house() as served:
        key = await made(served)
        answer = await served.ask(f"{KEYS}/{key['id']}", ADMIN_KEY, "PATCH", expires_at=at)
        assert (answer.status, answer.code) == (400, "invalid_parameter")


GREEDY: list[JsonObject] = [
    {},
    {"models": ["*"]},
    {"models": ["gpt-4o*", "o3"]},
    {"models": ["gpt-4o"], "routes": ["/v1/*"], "scopes": ["admin"]},
    {"models": ["gpt-4o"], "routes": ["/*"]},
    {"models": ["gpt-4o"]},
    {"models": ["gpt-4o"], "routes": ["/v1/*"], "limits": {"daily_usd": 5.01}},
    {"models": ["gpt-4o"], "routes": ["/v1/*"], "limits": {}},
    {"models": ["gpt-4o"], "routes": ["/v1/*"], "limits": {"daily_usd": 5}, "tenant": "default"},
]


@pytest.mark.parametrize("fields", GREEDY)
async def test_z04_nobody_gives_a_key_more_than_they_have(fields: JsonObject) -> None:
    async with house() as served:
        await acme(served)
        _, keeper = await served.key(
            "acme",
            scopes=("keys",),
            models=("gpt-4o*",),
            routes=("/v1/*", "/admin/*"),
            limits=Limits(daily_usd=5.0),
        )
        refused = await served.ask(KEYS, keeper, "POST", **fields)
        assert (refused.status, refused.code) == (403, "route_not_allowed")
        allowed = await made(
            served, keeper, models=["gpt-4o"], routes=["/v1/chat/*"], limits={"daily_usd": 5}, scopes=["keys"]
        )
        assert allowed["tenant"] == "acme"
        grown = await served.ask(f"{KEYS}/{allowed['id']}", keeper, "PATCH", models=None)
        assert grown.code == "route_not_allowed"


BOUND: JsonObject = {"models": ["gpt-4o*"], "routes": ["/v1/*", "/admin/*"]}


async def test_who_has_no_lists_of_their_own_administers_the_keys_of_a_tenant_that_has() -> None:
    async with house() as served:
        await acme(served, **BOUND)
        (plain, _), (own, keeper) = await served.key("acme"), await served.key("acme", scopes=("keys",))
        assert (await served.ask(f"{KEYS}/{plain.id}", keeper, "PATCH", name="ci")).json["name"] == "ci"
        assert (await served.ask(f"{KEYS}/{plain.id}/rotate", keeper, "POST")).status == 200
        assert (await served.ask(f"{KEYS}/{plain.id}", keeper, "DELETE")).json["status"] == "revoked"
        text = (await made(served, keeper))["key"]
        assert (await served.ask("/v1/models/gpt-4o", text)).status == 200
        assert (await served.ask("/v1/models/o3", text)).status == 404
        rotated = (await served.ask(f"{KEYS}/{own.id}/rotate", keeper, "POST")).json["key"]
        assert (await served.ask(f"{KEYS}/{own.id}", rotated, "DELETE")).json["status"] == "revoked"


async def test_an_administrator_of_a_bound_tenant_administers_all_keys() -> None:
    async with house(tables(tenants={"default": {"models": ["o3"]}})) as served:
        await acme(served)
        key = await made(served, tenant="acme")
        assert (await served.ask(f"{KEYS}/{key['id']}", ADMIN_KEY, "DELETE")).json["status"] == "revoked"


@pytest.mark.parametrize("mine", [{"models": ["gpt-4o*"]}, {"routes": ["/v1/*", "/admin/*"]}])
async def test_z04_what_a_tenant_forbids_today_is_not_what_a_key_may_not(mine: JsonObject) -> None:
    """A keeper with the very lists of the tenant gives no key without: it would grow with the tenant, its giver not."""
    async with house() as served:
        await acme(served, **BOUND)
        plain, _ = await served.key("acme")
        _, keeper = await served.key("acme", scopes=("keys",), **mine)
        assert (await served.ask(KEYS, keeper, "POST")).code == "route_not_allowed"
        assert (await served.ask(f"{KEYS}/{plain.id}/rotate", keeper, "POST")).code == "route_not_allowed"
        assert (await served.ask(KEYS, keeper, "POST", **mine)).status == 201


async def test_z04_a_key_of_the_configuration_gives_no_more_than_it_has() -> None:
    mine = {"models": ["o3"]}
    keys = {"head": {"secret": secret("head-of-the-tenant-0001"), "scopes": ["keys"], **mine}}
    async with house(tables(keys=keys)) as served:
        assert (await served.ask(KEYS, "head-of-the-tenant-0001", "POST")).code == "route_not_allowed"
        assert (await served.ask(KEYS, "head-of-the-tenant-0001", "POST", **mine)).status == 201


async def test_a_keeper_ends_whatever_may_more_than_itself_but_no_administrator() -> None:
    async with house() as served:
        _, keeper = await served.key(scopes=("keys",), models=("o3",), routes=("/admin/*",))
        beyond: list[dict[str, Any]] = [{}, {"scopes": ("guard",)}, {"models": ("gpt-4o",)}]  # fields of a NewKey
        for fields in beyond:
            key, _ = await served.key("default", **fields)
            assert (await served.ask(f"{KEYS}/{key.id}/rotate", keeper, "POST")).code == "route_not_allowed"
            assert (await served.ask(f"{KEYS}/{key.id}", keeper, "DELETE")).json["status"] == "revoked"
        mighty, text = await served.key(scopes=("admin",))
        assert (await served.ask(f"{KEYS}/{mighty.id}", keeper, "DELETE")).code == "route_not_allowed"
        assert (await served.ask(KEYS, text)).status == 200


LIMITED = Limits(requests_per_minute=5, daily_usd=5.0)
NO_REQUESTS = Limits(daily_usd=5.0)
BEYOND: list[tuple[dict[str, Any], dict[str, Any]]] = [  # fields of a NewKey, JSON
    ({"expires_in_s": 3600}, {}),
    ({"expires_in_s": 3600}, {"expires_in_s": 4000}),
    ({"user": "alice"}, {}),
    ({"user": "alice"}, {"user": "bob"}),
    ({}, {"limits": {"requests_per_minute": 100_000}}),  # in the place of what the configuration says for each key
    ({"limits": NO_REQUESTS}, {"limits": {"daily_usd": 5, "requests_per_minute": 100_000}}),
]


@pytest.mark.parametrize(("own", "fields"), BEYOND)
async def test_z04_a_given_key_neither_outlives_its_giver_nor_leaves_what_binds_them(
    own: dict[str, Any],  # fields of a NewKey
    fields: JsonObject,
) -> None:
    async with house() as served:
        _, keeper = await served.key(scopes=("keys",), **own)
        refused = await served.ask(KEYS, keeper, "POST", **fields)
        assert (refused.status, refused.code) == (403, "route_not_allowed")
        assert (await served.ask(KEYS, ADMIN_KEY, "POST", **fields)).status == 201


async def test_z04_a_given_key_may_have_just_what_its_giver_has() -> None:
    async with house() as served:
        _, keeper = await served.key(scopes=("keys",), user="alice", limits=LIMITED, expires_in_s=3600)
        key = await made(
            served, keeper, user="alice", limits={"requests_per_minute": 5, "daily_usd": 1}, expires_in_s=60
        )
        assert (await served.ask("/v1/models", key["key"])).status == 200


@pytest.mark.parametrize("change", [{"expires_at": None}, {"expires_at": 1e10}, {"limits": {"daily_usd": 9}}])
async def test_z04_nobody_gives_themselves_more(change: JsonObject) -> None:
    async with house() as served:
        key, text = await served.key(scopes=("keys",), expires_in_s=3600)
        assert (await served.ask(f"{KEYS}/{key.id}", text, "PATCH", **change)).code == "route_not_allowed"
        assert (await served.ask(f"{KEYS}/{key.id}", text, "PATCH", name="mine")).json["expires_at"] == key.expires_at


async def test_a_keeper_ends_keys_that_it_could_not_have_given() -> None:
    async with house() as served:
        _, keeper = await served.key(scopes=("keys",), expires_in_s=3600)
        key, _ = await served.key(user="bob", limits=LIMITED)
        for method, tail in (("POST", "/rotate"), ("PATCH", "")):
            assert (await served.ask(f"{KEYS}/{key.id}{tail}", keeper, method)).code == "route_not_allowed"
        assert (await served.ask(f"{KEYS}/{key.id}", keeper, "DELETE")).json["status"] == "revoked"


async def test_z04_a_key_that_may_more_cannot_be_rotated_into_ones_hands() -> None:
    async with house() as served:
        await acme(served)
        _, keeper = await served.key("acme", scopes=("keys",))
        mighty, text = await served.key("acme", scopes=("admin",))
        for target, method in ((f"{KEYS}/{mighty.id}/rotate", "POST"), (f"{KEYS}/{mighty.id}", "DELETE")):
            assert (await served.ask(target, keeper, method)).status == 403
        assert (await served.ask(KEYS, text)).status == 200


async def test_z05_another_tenants_key_answers_like_one_that_does_not_exist() -> None:
    async with house() as served:
        await acme(served)
        theirs, _ = await served.key("default")
        _, keeper = await served.key("acme", scopes=("keys",))
        for method, tail, fields in (
            ("GET", "", {}),
            ("DELETE", "", {}),
            ("PATCH", "", {"name": "x"}),
            ("POST", "/rotate", {}),
        ):
            foreign = await served.ask(f"{KEYS}/{theirs.id}{tail}", keeper, method)
            absent = await served.ask(f"{KEYS}/key_0123456789abcdef{tail}", keeper, method, **fields)
            assert (foreign.status, foreign.body) == (absent.status, absent.body)
            assert foreign.code == "not_found"
        assert (await served.ask(f"{KEYS}/{theirs.id}", ADMIN_KEY)).json["status"] == "active"


async def test_z06_a_list_holds_the_callers_tenant_only_even_for_a_key_that_an_admin_made() -> None:
    async with house() as served:
        await acme(served)
        await made(served)
        keeper = await made(served, tenant="acme", scopes=["keys"])
        assert {row["tenant"] for row in (await served.ask(KEYS, keeper["key"])).json["data"]} == {"acme"}
        assert (await served.ask(f"{KEYS}?tenant=default", keeper["key"])).status == 404
        assert {row["tenant"] for row in (await served.ask(KEYS, ADMIN_KEY)).json["data"]} == {"acme", "default"}
        assert {row["tenant"] for row in (await served.ask(f"{KEYS}?tenant=acme", ADMIN_KEY)).json["data"]} == {"acme"}


async def test_s2_40_tenants_are_made_changed_disabled_and_listed() -> None:
    settings = tables(tenants={"fixed": {"models": ["o3"]}})
    async with house(settings) as served:
        await acme(served, models=["gpt-4o*"], preferences={"region": "eu"})
        key = await made(served, tenant="acme")
        assert (await served.ask("/v1/models/o3", key["key"])).status == 404
        changed = (await served.ask(f"{TENANTS}/acme", ADMIN_KEY, "PATCH", models=None)).json
        assert (changed["models"], changed["preferences"]) == (None, {"region": "eu"})
        assert (await served.ask("/v1/models/o3", key["key"])).status == 200
        await served.ask(f"{TENANTS}/acme", ADMIN_KEY, "PATCH", disabled=True)
        assert (await served.ask("/v1/models", key["key"])).status == 401
        await served.ask(f"{TENANTS}/acme", ADMIN_KEY, "PATCH", disabled=False)
        assert (await served.ask("/v1/models", key["key"])).status == 200
        listed = {row["id"]: row["declared"] for row in (await served.ask(TENANTS, ADMIN_KEY)).json["data"]}
        assert listed == {"acme": False, "fixed": True}
        for answer in (
            await served.ask(TENANTS, ADMIN_KEY, "POST", id="acme"),
            await served.ask(TENANTS, ADMIN_KEY, "POST", id="fixed"),
            await served.ask(TENANTS, ADMIN_KEY, "POST", id="anonymous"),
            await served.ask(f"{TENANTS}/fixed", ADMIN_KEY, "PATCH", models=None),
        ):
            assert (answer.status, answer.code) == (400, "invalid_parameter")
        assert (await served.ask(f"{TENANTS}/nobody", ADMIN_KEY)).status == 404


async def test_every_page_of_tenants_has_at_most_as_many_as_were_asked_for_and_none_that_is_hidden() -> None:
    fixed: JsonObject = {name: {} for name in ("globex", "initech", "acme")}
    async with house(tables(tenants=fixed)) as served:
        rows = auth_of(served.gateway).tenants.rows
        assert rows is not None
        for number, name in enumerate(("acme", "umbrella", "wayne")):
            await rows.add(Tenant(id=name, tenant=name, created_at=float(number)))
        for limit in (1, 2, 3, 50):
            cursor, pages = "", list[list[str]]()
            while not pages or cursor:
                page = (await served.ask(f"{TENANTS}?limit={limit}{cursor}", ADMIN_KEY)).json
                pages.append([row["id"] for row in page["data"]])
                cursor = f"&cursor={page['cursor']}" if page["cursor"] else ""
            assert all(len(page) <= limit for page in pages)
            assert [name for page in pages for name in page] == [*fixed, "wayne", "umbrella"]
        assert (await served.ask(f"{TENANTS}?cursor=:x", ADMIN_KEY)).code == "invalid_parameter"


async def test_the_tenant_of_keys_in_the_configuration_is_neither_made_nor_changed_elsewhere() -> None:
    async with house() as served:
        for answer in (
            await served.ask(TENANTS, ADMIN_KEY, "POST", id="default", limits={"requests_per_minute": 1}),
            await served.ask(f"{TENANTS}/default", ADMIN_KEY, "PATCH", disabled=True),
        ):
            assert (answer.status, answer.code) == (400, "invalid_parameter")
            assert b"in the configuration" in answer.body
    settings = tables()
    del settings["stages"]["auth"]["api_key"]  # the administrator's own key lives by no tenant's limits
    async with house(settings) as served:
        key = await made(served)
        assert (await served.ask(TENANTS, ADMIN_KEY, "POST", id="default")).status == 201
        assert (await served.ask(f"{TENANTS}/default", ADMIN_KEY, "PATCH", disabled=True)).status == 200
        assert (await served.ask("/v1/models", key["key"])).status == 401
        assert (await served.ask(TENANTS, ADMIN_KEY)).status == 200


async def test_tenants_are_for_administrators_only() -> None:
    async with house() as served:
        _, keeper = await served.key(scopes=("keys",))
        for key in (keeper, STATIC):
            assert (await served.ask(TENANTS, key)).status == 403


async def test_without_a_pepper_no_key_is_made_at_run_time() -> None:
    settings = tables()
    del settings["stages"]["auth"]["pepper"]
    async with house(settings) as served:
        assert (await served.ask(KEYS, ADMIN_KEY)).status == 404


async def test_z10_other_workers_hear_of_a_changed_key_before_they_would_look_again() -> None:
    async with house(tables(cache_ttl_s=3600)) as served:
        key, text = await served.key()
        assert (await served.ask("/v1/models", text)).status == 200
        auth = auth_of(served.gateway)
        assert auth.keys is not None
        await auth.keys.revoke(key.id, None)
        assert (await served.ask("/v1/models", text)).status == 200
        await tell(served.gateway.state, key.tenant, key.id)
        await settle()
        assert (await served.ask("/v1/models", text)).status == 401
