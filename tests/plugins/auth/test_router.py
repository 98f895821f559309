"""Z01: every route of the router, with every kind of credential, over real sockets."""

from __future__ import annotations

import asyncio
import re
import secrets
from typing import Any, NamedTuple

import pytest
from starlette.routing import Route, WebSocketRoute

from sentinel_core.config import settings_from
from sentinel_core.endpoints import Policy
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.auth.revocation import auth_of
from sentinel_plugins.health.events import publish
from sentinel_server.app import Application, asgi
from tests.pace import PATIENCE_S, until
from tests.plugins.auth.callers import ADMIN_KEY, STATIC
from tests.plugins.auth.gateway import House, house, tables
from tests.server.edge_fixture import access_lines
from tests.server.serving import RUNNERS
from tests.server.wire import Answer, Wire, request


class Way(NamedTuple):
    """One route as the router has it."""

    method: str
    path: str
    policy: Policy
    scope: str = "admin"

    @property
    def target(self) -> str:
        """A path that matches it."""
        return re.sub(r"\{[a-z]+(:path)?\}", "key_0000000000000000", self.path)


def ways(gateway: Gateway) -> list[Way]:
    """Every route. Raises AttributeError for one that declares no policy."""
    application = asgi(gateway).app
    assert isinstance(application, Application)
    application.refresh()
    found = []
    for route in application.router.routes:
        assert isinstance(route, Route | WebSocketRoute)
        app: Any = route.endpoint  # Starlette's own Any
        scope = getattr(getattr(app, "_endpoint", getattr(app, "_socket", None)), "scope", "admin")
        methods = route.methods or set() if isinstance(route, Route) else {"SOCKET"}
        found += [Way(method, route.path, app.policy, scope) for method in methods - {"HEAD"}]
    return found


ALL = ways(Gateway(settings_from(tables())))
HTTP = [way for way in ALL if way.method != "SOCKET"]
SOCKETS = [way for way in ALL if way.method == "SOCKET"]
BODY = {"model": "o3", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5, "input": "hi", "prompt": "hi"}
"""What every route of every dialect understands."""
ANTHROPICS = {"authentication_error": "invalid_api_key", "permission_error": "route_not_allowed"}
UPGRADE = (
    *("upgrade: websocket", "connection: upgrade", "sec-websocket-version: 13"),
    "sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==",
)
HOSTS = ["x/health?", "x/health#", "x@health", "127.0.0.1/health", "health\\x"]
TARGETS = [
    *("//admin/keys", "/health/../admin/keys", "/health/%2e%2e/admin/keys", "/admin%2fkeys", "/admin/keys;x"),
    *("/./admin/keys", "http://x/health"),
]
FOREIGN = {"no_key", "bad", "empty", "revoked", "expired", "other_gateway"}


def test_z01_every_route_declares_its_policy() -> None:
    assert {way.policy for way in ALL} == {"public", "caller", "admin"}
    public = {way.path for way in ALL if way.policy == "public"}
    assert public == {
        *("/health", "/health/live", "/health/ready", "/openapi.json"),
        *("/docs", "/docs/docs.css", "/docs/docs.js"),
    }
    assert {way.path for way in ALL if way.path.startswith("/admin")} == {
        way.path for way in ALL if way.policy == "admin"
    }


def test_z01_a_route_without_a_policy_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    from sentinel_server.surfaces.docs import PageSurface

    monkeypatch.delattr(PageSurface, "policy")
    with pytest.raises(AttributeError, match="policy"):
        ways(Gateway(settings_from(tables())))


async def credentials(served: House) -> dict[str, str | None]:
    """One of each kind."""
    revoked, revoked_text = await served.key()
    await served.ask(f"/admin/keys/{revoked.id}", ADMIN_KEY, "DELETE")
    _, expired = await served.key(expires_in_s=1e-9)
    _, caller = await served.key()
    _, keeper = await served.key("default", scopes=("keys",))
    _, routed = await served.key(routes=("/nowhere/*",))
    return {
        "no_key": None,
        "bad": "sk-no-such-key",
        "empty": "",
        "revoked": revoked_text,
        "expired": expired,
        "other_gateway": f"sk-sentinel-{secrets.token_hex(8)}-{secrets.token_urlsafe(32)}",
        "static": STATIC,
        "caller": caller,
        "keeper": keeper,
        "routed": routed,
        "admin": ADMIN_KEY,
    }


def expected(way: Way, kind: str) -> str | None:
    """The code that a credential of this kind gets; None for whoever gets past authentication."""
    if way.policy == "public":
        return None
    if kind in FOREIGN:
        return "invalid_api_key"
    if kind == "routed":
        return "route_not_allowed"
    if way.policy == "admin" and kind != "admin" and not (kind == "keeper" and way.scope == "keys"):
        return "route_not_allowed"
    return None


def denied(answer: Answer) -> str | None:
    if answer.status not in (401, 403):
        return None
    return str((answer.json["error"]).get("code") or answer.json["error"]["type"])


async def test_z01_the_matrix_of_every_route_and_every_credential() -> None:
    async with house(tables(max_failures_per_minute=10_000)) as served:
        wrong = []
        for kind, key in (await credentials(served)).items():
            for way in HTTP:
                fields = {} if way.path.startswith("/admin") else BODY
                answer = await served.ask(way.target, key, way.method, **fields)
                found = denied(answer) or ""
                code = ANTHROPICS.get(found, found)
                if (code or None) != expected(way, kind):
                    wrong.append((kind, way, answer.status, answer.body[:120]))
        assert wrong == []


async def test_z01_sockets_are_refused_before_they_are_accepted() -> None:
    assert SOCKETS
    async with house() as served:
        for way in SOCKETS:
            for key, status in ((None, 401), ("sk-no-such-key", 401), (STATIC, 101)):
                headers = (*UPGRADE, *((f"x-api-key: {key}",) if key is not None else ()))
                async with served.served.connect() as wire:
                    await wire.send(request(way.path, headers=headers))
                    head = await asyncio.wait_for(wire.reader.readuntil(b"\r\n"), PATIENCE_S)
                    assert int(head.split(b" ")[1]) == status


async def opened(wire: Wire, key: str) -> None:
    await wire.send(request("/ws/system-events", headers=(*UPGRADE, f"x-api-key: {key}")))
    assert (await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)).startswith(b"HTTP/1.1 101")
    assert b"connected" in await asyncio.wait_for(wire.reader.readuntil(b"}}"), PATIENCE_S)


async def told(served: House, wire: Wire, expected: bytes) -> None:
    """Of an event the subscriber gets this, and not the event, unless it is that."""
    await publish(served.gateway.state, "metrics", {"seen": 1})
    got = await asyncio.wait_for(wire.reader.readuntil(expected), PATIENCE_S)
    assert got.count(b"seen") == expected.count(b"seen")


@pytest.mark.parametrize("runner", RUNNERS)
async def test_z10_a_key_that_is_revoked_while_its_request_arrives_makes_no_other_one(
    runner: str,
) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        key, text = await served.key(scopes=["admin"])
        asked = request("/admin/keys", method="POST", headers=(f"x-api-key: {text}",), body=b"{}")
        await wire.send(asked[:-1])
        await until(lambda: len(auth_of(served.gateway).callers.cache) == 1)
        assert (await served.ask(f"/admin/keys/{key.id}", ADMIN_KEY, "DELETE")).status == 200
        assert (await wire.ask(asked[-1:])).status == 401


@pytest.mark.parametrize("runner", RUNNERS)
async def test_z10_a_socket_ends_with_its_key(runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        key, text = await served.key()
        await opened(wire, text)
        await told(served, wire, b'"seen":1}}')
        with access_lines() as lines:
            assert (await served.ask(f"/admin/keys/{key.id}", ADMIN_KEY, "DELETE")).status == 200
            await lines.next()
            await told(served, wire, b"\x88\x02\x03\xf0")  # 1008, policy violation (RFC 6455)
            assert (await lines.next()).error == "invalid_api_key"


async def test_r13_a_socket_whose_key_cannot_be_looked_up_is_told_to_come_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def away(*_: object) -> None:
        raise Refusal("ledger_unavailable")

    async with house() as served, served.served.connect() as wire:
        key, text = await served.key()
        await opened(wire, text)
        auth_of(served.gateway).callers.cache.forget(key.tenant, key.id)
        monkeypatch.setattr(served.gateway.records, "get", away)
        await told(served, wire, b"\x88\x02\x03\xf5")  # 1013, try again later


async def test_a_socket_on_a_path_that_is_none_is_logged_as_such() -> None:
    async with house() as served, served.served.connect() as wire:
        with access_lines() as lines:
            await wire.send(request("/ws/none", headers=UPGRADE))
            record = await lines.next()
        assert (record.status, record.error, record.end) == (404, "not_found", "PR")


@pytest.mark.parametrize("kind", HOSTS)
async def test_z03_replay_7_a_host_that_reads_like_a_public_path_opens_nothing(kind: str) -> None:
    async with house() as served, served.served.connect() as wire:
        raw = f"GET /admin/keys HTTP/1.1\r\nhost: {kind}\r\n\r\n".encode()
        assert (await wire.ask(raw)).status in (400, 401)


@pytest.mark.parametrize("target", TARGETS)
async def test_z03_h10_replay_7_another_spelling_of_a_path_reaches_no_protected_route(target: str) -> None:
    async with house() as served, served.served.connect() as wire:
        answer = await wire.ask(request(target, headers=(f"x-api-key: {ADMIN_KEY}",)))
        assert answer.status in (400, 404)


async def test_h35_h12_replay_9_hostile_credentials_on_the_wire_are_401_or_431() -> None:
    async with house() as served:
        hostile = {
            "x-api-key: ' OR '1'='1": 401,
            "authorization: Bearer ": 401,
            "authorization: Bearer": 401,
            "x-api-key:": 401,
            "x-api-key: cl\u00e9": 401,
            "x-api-key: " + "k" * 40_000: 431,
            f"x-api-key: {STATIC}\r\nauthorization: Bearer other": 401,
            "authorization: Bearer a\r\nauthorization: Bearer b": 401,
            "x-api-key: sk-sentinel-0123456789abcdef-'; DROP TABLE auth_keys; --aaaaaaaaaaaaaa": 401,
        }
        for header, status in hostile.items():
            async with served.served.connect() as wire:
                raw = f"GET /v1/models HTTP/1.1\r\nhost: localhost\r\n{header}\r\n\r\n".encode("latin-1")
                answer = await wire.ask(raw)
                assert answer.status == status, header
                assert "DROP" not in answer.body.decode()


async def test_c10_without_keys_admin_routes_are_not_there_and_callers_are_served() -> None:
    settings = {"providers": {"echo": {"models": ["m"]}}, "stages": {"auth": {}, "health": {}, "routing": {}}}
    async with house(settings) as served:
        assert (await served.ask("/v1/models")).status == 200
        assert (await served.ask("/v1/models", "sk-whatever")).status == 200
        assert (await served.ask("/admin/keys")).status == 404


async def test_models_are_listed_as_far_as_the_caller_may_use_them() -> None:
    async with house() as served:
        _, text = await served.key(models=("gpt-4o*",))
        listed = {model["id"] for model in (await served.ask("/v1/models", text)).json["data"]}
        assert listed == {"gpt-4o", "gpt-4o-mini"}
        assert (await served.ask("/v1/models/o3", text)).code == "model_not_found"
        assert (await served.ask("/v1/models/o3", STATIC)).status == 200


async def test_of_models_that_nobody_lists_a_caller_finds_those_that_it_may_use() -> None:
    providers = {"up": {"kind": "openai", "base_url": "http://127.0.0.1:9/v1"}}
    async with house({**tables(), "providers": providers}) as served:
        everything = {model["id"] for model in (await served.ask("/v1/models", STATIC)).json["data"]}
        known, *_ = everything
        _, text = await served.key(models=(known, "own-*"))
        assert [model["id"] for model in (await served.ask("/v1/models", text)).json["data"]] == [known]
        assert (await served.ask("/v1/models/own-1", text)).status == 200
        assert (await served.ask("/v1/models/o3", text)).code == "model_not_found"
        assert (await served.ask("/v1/models/o3", STATIC)).status == 200


async def test_z10_a_key_revoked_here_ends_at_once_also_on_an_open_connection() -> None:
    async with house() as served:
        key, text = await served.key()
        async with served.served.connect() as wire:
            ask = request("/v1/models", headers=(f"x-api-key: {text}",))
            assert (await wire.ask(ask)).status == 200
            await served.ask(f"/admin/keys/{key.id}", ADMIN_KEY, "DELETE")
            assert (await wire.ask(ask)).status == 401


async def test_h37_a_forwarded_address_counts_from_a_trusted_proxy_only() -> None:
    for trusted, codes in (((), {"rate_limit_exceeded"}), (("127.0.0.0/8",), {"invalid_api_key"})):
        settings = {**tables(max_failures_per_minute=3), "server": {"trusted_proxies": list(trusted)}}
        async with house(settings) as served:
            for number in range(6):
                forwarded = f"203.0.113.{number}"
                headers = ("x-api-key: sk-no-such-key", f"x-forwarded-for: {forwarded}", f"x-real-ip: {forwarded}")
                async with served.served.connect() as wire:
                    answer = await wire.ask(request("/v1/models", headers=headers))
            assert {answer.code} == codes
