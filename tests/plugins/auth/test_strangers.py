"""A stranger is turned away by the head of a request: nobody waits for the body, and nobody reads it."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sentinel_core.decoding import JsonLimits, decode_json
from sentinel_core.testing import settle
from sentinel_plugins.auth.known import Known
from sentinel_plugins.auth.virtual_keys import VirtualKeys
from sentinel_server.app import SURFACES
from tests.pace import PATIENCE_S
from tests.plugins.auth.callers import ADMIN_KEY, STATIC
from tests.plugins.auth.gateway import house, tables
from tests.server.edge_fixture import access_lines
from tests.server.gateway_fixture import encoded
from tests.server.serving import RUNNERS
from tests.server.wire import Answer, Wire, request

pytestmark = pytest.mark.parametrize("runner", RUNNERS)

PATHS = [surface.operation.path for surface in SURFACES]
CHAT = "/v1/chat/completions"
BODY = encoded({"model": "o3", "messages": [{"role": "user", "content": "hi"}]})


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The sizes of the bodies that were decoded."""
    sizes: list[int] = []

    def noted(raw: bytes, limits: JsonLimits) -> Any:  # a decoded JSON value
        sizes.append(len(raw))
        return decode_json(raw, limits)

    monkeypatch.setattr("sentinel_server.surfaces.dialect.decode_json", noted)
    return sizes


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys that were looked up in the record store."""
    texts: list[str] = []
    known = VirtualKeys.known

    async def noted(self: VirtualKeys, text: str, fingerprint: bytes) -> Known:
        texts.append(text)
        return await known(self, text, fingerprint)

    monkeypatch.setattr(VirtualKeys, "known", noted)
    return texts


def head(path: str, length: int, *headers: str) -> bytes:
    """A request's head that announces a body."""
    return request(path, method="POST", headers=(*headers, f"content-length: {length}"), body=b"")


def code(answer: Answer) -> str:
    error = answer.json["error"]
    return str(error.get("code") or error["type"])


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_is_answered_at_once_in_the_routes_dialect(path: str, runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        answer = await wire.ask(head(path, 9))
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert code(answer) == ("authentication_error" if "/messages" in path else "invalid_api_key")
        assert answer.json.get("type") == ("error" if "/messages" in path else None)


async def test_a_stranger_who_asks_first_is_refused_and_not_told_to_go_on(runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        await wire.send(head(CHAT, 9, "expect: 100-continue"))
        first = await asyncio.wait_for(wire.reader.readuntil(b"\r\n"), PATIENCE_S)
        assert first.split(b" ")[1] == b"401"
        assert b"invalid_api_key" in await wire.reader.read()


async def test_a_caller_who_asks_first_is_told_to_go_on_and_served(runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        await wire.send(head(CHAT, len(BODY), "expect: 100-continue", f"x-api-key: {STATIC}"))
        first = await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert first.split(b" ")[1] == b"100"
        assert (await wire.ask(BODY)).status == 200


async def test_ten_megabytes_of_a_stranger_are_not_parsed_and_the_connection_ends(
    decoded: list[int], runner: str
) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        body = encoded({"model": "o3", "messages": [{"role": "user", "content": "x" * 10_000_000}]})
        await wire.send(request(CHAT, method="POST", body=body))
        answer = await wire.answer()
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert await wire.closed()
        assert decoded == []


async def test_a_body_without_an_announced_length_is_not_read_either(decoded: list[int], runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        answer = await wire.ask(request(CHAT, method="POST", headers=("transfer-encoding: chunked",), body=b""))
        assert (answer.status, answer.headers["connection"]) == (401, "close")
        assert decoded == []


async def test_who_sent_no_body_may_say_who_they_are_on_the_same_connection(runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        assert (await wire.ask(head(CHAT, 0))).status == 401
        assert (await _ask(wire, STATIC)).status == 200
        assert (await _ask(wire, STATIC)).status == 200


async def test_who_may_not_use_the_route_is_403_before_the_body(runner: str) -> None:
    async with house(runner=runner) as served, served.served.connect() as wire:
        _, text = await served.key(routes=("/v1/models*",))
        answer = await wire.ask(head(CHAT, 9, f"x-api-key: {text}"))
        assert (answer.status, answer.code) == (403, "route_not_allowed")


async def test_a_key_is_looked_up_once_however_slowly_the_body_comes(
    looked_up: list[str], decoded: list[int], runner: str
) -> None:
    async with house(tables(cache_ttl_s=60), runner) as served, served.served.connect() as wire:
        _, text = await served.key()
        await wire.send(head(CHAT, len(BODY), "expect: 100-continue", f"x-api-key: {text}"))
        await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert (looked_up, decoded) == ([text], [])
        assert (await wire.ask(BODY)).status == 200
        assert (looked_up, decoded) == ([text], [len(BODY)])


async def test_z10_a_key_that_is_revoked_while_the_body_comes_is_refused(runner: str) -> None:
    async with house(tables(cache_ttl_s=60), runner) as served, served.served.connect() as wire:
        key, text = await served.key()
        await wire.send(head(CHAT, len(BODY), "expect: 100-continue", f"x-api-key: {text}"))
        await asyncio.wait_for(wire.reader.readuntil(b"\r\n\r\n"), PATIENCE_S)
        assert (await served.ask(f"/admin/keys/{key.id}", ADMIN_KEY, "DELETE")).status == 200
        answer = await wire.ask(BODY)
        assert (answer.status, answer.code) == (401, "invalid_api_key")


async def test_a_guess_counts_once(runner: str) -> None:
    async with house(tables(max_failures_per_minute=3), runner) as served:
        asked = [await served.ask(CHAT, f"sk-guess-{n}", "POST", model="o3") for n in range(4)]
        assert [answer.status for answer in asked] == [401, 401, 401, 429]


async def test_a_refusal_is_in_the_audit_and_in_the_access_log(runner: str) -> None:
    settings = tables()
    settings["stages"] = {"audit": {}, "usage": {}, **settings["stages"]}
    with access_lines() as lines:
        async with house(settings, runner) as served:
            refused = await served.ask(CHAT, "sk-wrong", "POST", model="o3", messages=[])
            line = await asyncio.wait_for(lines.records.get(), PATIENCE_S)
            assert (line.status, line.error, line.path) == (401, "invalid_api_key", CHAT)
            await settle(20)
            found = (await served.ask(f"/v1/audit/{refused.headers['x-request-id']}", ADMIN_KEY)).json
            assert (found["status"], found["error"], found["attempts"]) == ("refused", "invalid_api_key", 0)


async def test_without_authentication_a_body_is_read_as_ever(decoded: list[int], runner: str) -> None:
    settings = {"providers": {"echo": {"models": ["o3"]}}, "stages": {"routing": {}}}
    async with house(settings, runner) as served:
        assert (await served.ask(CHAT, None, "POST", **json.loads(BODY))).status == 200
        assert decoded == [len(BODY)]


async def _ask(wire: Wire, key: str) -> Answer:
    return await wire.ask(request(CHAT, method="POST", headers=(f"x-api-key: {key}",), body=BODY))
