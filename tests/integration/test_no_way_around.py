"""What a client says about itself moves no money, switches nothing off and learns nothing: Z07, Z12, Z14, Z17, Z20."""

from __future__ import annotations

from typing import ClassVar

import pytest

from sentinel_core.config import Secret
from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import JsonObject, TomlTable
from sentinel_core.registry import Registry
from sentinel_core.stage import Stage
from tests.plugins.auth.gateway import House, house
from tests.plugins.recording.written import flushed
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.wire import Answer, request
from tests.upstream import Reply, Upstream

OURS, THEIRS = "sk-of-tenant-ours", "sk-of-tenant-theirs"
UPSTREAMS = "sk-upstream-canary"
CLAIMS = (
    "x-user: boss",
    "x-user-id: boss",
    "x-tenant: theirs",
    "x-tenant-id: theirs",
    "x-end-user-id: boss",
    "openai-organization: theirs",
    "openai-project: theirs",
)
OFF = (
    "x-sentinel-guards: off",
    "x-guardrails: []",
    "x-no-log: true",
    "x-litellm-disable-guardrails: true",
    "x-portkey-config: {}",
    "cache-control: no-store",
    "dnt: 1",
)


class Words(Stage):
    """A guard that refuses one word."""

    name: ClassVar[str] = "words"
    guard = True

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Read every slot."""
        if any("forbidden" in slot.text for slot in ctx.request.texts()):
            raise Refusal("content_policy_violation")


def tables() -> TomlTable:
    """Two tenants that may ask twice in a minute, each with a user of the same name."""
    keys = {
        name: {"secret": Secret(text, "TEST"), "tenant": name, "user": "boss" if name == "theirs" else None}
        for name, text in (("ours", OURS), ("theirs", THEIRS))
    }
    limits = {"requests_per_minute": 2, "daily_usd": 1.0}
    return {
        "providers": {"echo": {"models": ["m"]}},
        "stages": {
            "audit": {},
            "usage": {},
            "auth": {"keys": keys, "tenants": {name: {"limits": limits} for name in keys}},
            "rate_limit": {"user": {"requests_per_minute": 2}},
            "words": {},
            "health": {},
            "routing": {},
        },
        "chain": {"stages": ["audit", "usage", "health", "auth", "rate_limit", "words", "routing"]},
    }


def behind(base_url: str) -> TomlTable:
    """The same in front of an API at this address."""
    provider = {"kind": "openai", "base_url": base_url, "api_key": Secret(UPSTREAMS, "TEST"), "models": ["m"]}
    return {**tables(), "providers": {"up": provider}}


def registry() -> Registry:
    """With the guard."""
    known = Registry()
    known.register(Words)
    return known


async def chat(served: House, key: str, *headers: str, said: str = "hello", fields: JsonObject | None = None) -> Answer:
    body = encoded({"model": "m", "messages": [{"role": "user", "content": said}], **(fields or {})})
    async with served.served.connect() as wire:
        answer = await wire.ask(request(CHAT, method="POST", headers=(f"x-api-key: {key}", *headers), body=body))
    await flushed(served.gateway)
    return answer


async def test_z12_whatever_a_client_says_it_is_its_own_tenant_that_pays() -> None:
    async with house(tables(), registry=registry()) as served:
        said = {"user": "boss", "metadata": {"tenant": "theirs", "user_id": "boss", "key": "theirs"}}
        answers = [await chat(served, OURS, *CLAIMS, fields=said) for _ in range(3)]
        assert [answer.status for answer in answers] == [200, 200, 429]
        rows = (await served.gateway.records.query("usage", tenant=None, limit=9)).records
        assert {(row.tenant, row.fields["key"], row.fields["user"]) for row in rows} == {("ours", "ours", None)}
        assert [(await chat(served, THEIRS)).status for _ in range(3)] == [200, 200, 429]


@pytest.mark.parametrize("header", ["x-api-key: {}", "authorization: Bearer {}", "x-admin-key: {}"])
async def test_z14_neither_side_ever_sees_the_others_key(header: str) -> None:
    async with Upstream() as upstream, house(behind(upstream.base_url), registry=registry()) as served:
        refusal = {"error": {"message": f"Incorrect API key provided: {UPSTREAMS}.", "code": "invalid_api_key"}}
        upstream.script("m", Reply({}, status=500), Reply(refusal, status=401))
        for _ in range(2):
            body = encoded({"model": "m", "messages": [{"role": "user", "content": "hello"}]})
            async with served.served.connect() as wire:
                answer = await wire.ask(request(CHAT, method="POST", headers=(header.format(OURS),), body=body))
            assert answer.status in (500, 502, 503)
            assert UPSTREAMS not in f"{answer.headers}{answer.body!r}"
        assert upstream.requests
        for received in upstream.requests:
            assert UPSTREAMS.encode() in received.raw
            assert OURS.encode() not in received.raw


async def test_z17_no_client_switches_off_guards_limits_or_the_audit() -> None:
    async with house(tables(), registry=registry()) as served:
        refusals: list[JsonObject] = [
            {"metadata": {"disable_guardrails": True}},
            {"guardrails": []},
            {"no-log": True},
        ]
        for said in refusals:
            assert (await chat(served, OURS, fields=said)).code == "unsupported_parameter"
        refused = await chat(served, OURS, *OFF, said="a forbidden word")
        assert (refused.status, refused.code) == (400, "content_policy_violation")
        assert (await chat(served, OURS, *OFF)).status == 200
        assert (await chat(served, OURS, *OFF)).status == 429
        rows = (await served.gateway.records.query("audit", tenant="ours", limit=9)).records
        assert [row.fields["status"] for row in rows] == ["refused", "completed", "refused"]


async def test_z20_what_is_public_names_no_host_no_tenant_and_no_key() -> None:
    async with house(behind("http://127.0.0.1:9/inside"), registry=registry()) as served:
        await chat(served, OURS)
        for path in ("/health", "/health/live", "/health/ready", "/openapi.json", "/docs", "/docs/docs.js"):
            answer = await served.ask(path)
            assert answer.status in (200, 503)  # nobody answers at that address
            shown = f"{answer.headers} {answer.body.decode()}"
            for hidden in ("127.0.0.1:9", "/inside", "sk-", "theirs", '"ours', "boss"):
                assert hidden not in shown, (path, hidden)


async def test_z07_the_same_prompt_of_two_tenants_shares_no_header_but_what_every_answer_has() -> None:
    async with house(tables(), registry=registry()) as served:
        first, second = await chat(served, OURS), await chat(served, THEIRS)
        assert first.headers.keys() == second.headers.keys()
        assert not [name for name in first.headers if "cache" in name]
        assert first.headers["x-request-id"] != second.headers["x-request-id"]
        assert second.headers["x-ratelimit-remaining"] == "1"  # as if nobody had asked before
