"""Two tenants over the routes and the socket: all hear of a provider, nobody of another's request (Z05, Z06)."""

from __future__ import annotations

import json
from contextlib import AsyncExitStack

import aiohttp
import pytest

from sentinel_core.errors import UpstreamError
from sentinel_core.json_types import TomlTable
from sentinel_core.keys import Principal
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.health.incidents import TABLE, Incidents
from sentinel_plugins.recording.reach import reach
from tests.plugins.auth import gateway as keyed
from tests.plugins.auth.callers import ADMIN_KEY
from tests.plugins.auth.gateway import House, house
from tests.plugins.health.test_health_routes import next_of
from tests.plugins.health.watched import provider, registry, tables
from tests.server.serving import RUNNERS

SHOWN = {"id", "type", "timestamp", "provider", "message", "to_provider"}
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def settings() -> TomlTable:
    """The two providers, behind keys."""
    found = tables()
    return {**found, "stages": {"auth": keyed.tables()["stages"]["auth"], **found["stages"]}}


async def readers(h: House) -> dict[str, str]:
    """A key of each kind of reader; what fails over is asked with the first one's."""
    for tenant in ("acme", "other"):
        assert (await h.ask("/admin/tenants", ADMIN_KEY, "POST", id=tenant)).status == 201
    kinds = {"own": {}, "neighbour": {}, "head": {"scopes": ["keys"]}}
    made = {name: (await h.key("acme", **fields))[1] for name, fields in kinds.items()}
    foreign = {"foreign": (await h.key("other"))[1], "foreign head": (await h.key("other", scopes=["keys"]))[1]}
    return {**made, **foreign, "administrator": ADMIN_KEY}


@pytest.mark.parametrize("runner", RUNNERS)
async def test_z05_z06_a_failover_names_the_request_to_whoever_may_see_it(runner: str) -> None:
    async with (
        house(settings(), runner, registry()) as h,
        aiohttp.ClientSession(h.served.url) as session,
        AsyncExitStack() as stack,
    ):
        keys = await readers(h)
        sockets = {}
        for who, key in keys.items():
            connecting = session.ws_connect("/ws/system-events", headers={"x-api-key": key})
            sockets[who] = await stack.enter_async_context(connecting)
            await next_of(sockets[who], "system")
        provider(h.gateway, "first").error = UpstreamError("upstream_timeout")
        answer = await h.ask("/v1/chat/completions", keys["own"], "POST", **BODY)
        named = answer.headers["x-request-id"]

        told = {who: await next_of(socket, "incident") for who, socket in sockets.items()}
        listed = {who: (await h.ask("/api/incidents", key)).json["incidents"] for who, key in keys.items()}
        assert listed == {who: [one] for who, one in told.items()}
        may_see = {"own", "head", "administrator"}
        assert {who: one.get("trace_id") for who, one in told.items()} == {
            who: named if who in may_see else None for who in keys
        }
        assert all(one.keys() == SHOWN | ({"trace_id"} if who in may_see else set()) for who, one in told.items())


async def test_z05_no_other_route_names_a_request_a_key_or_a_tenant() -> None:
    async with house(settings(), registry=registry()) as h:
        keys = await readers(h)
        provider(h.gateway, "first").fail()
        answer = await h.ask("/v1/chat/completions", keys["own"], "POST", **BODY)
        asked = [("/api/providers/first/probe", "POST")]
        asked += [(path, "GET") for path in ("/api/providers/status", "/api/incidents", "/api/metrics")]
        for path, method in asked:
            found = await h.ask(path, keys["foreign"], method)
            assert found.status == 200
            assert not any(text in json.dumps(found.json) for text in (answer.headers["x-request-id"], "key_", "acme"))


async def test_z05_a_row_that_does_not_say_who_asked_names_its_request_to_administrators_only(
    records: RecordStore,
) -> None:
    fields = {"id": "i", "type": "failover_triggered", "timestamp": "t", "provider": "a", "message": "b answers"}
    await records.append(TABLE, [Record("i", "", 1.0, {**fields, "trace_id": "req-1"})])
    (kept,) = await Incidents(records).latest(1)
    key = Principal("", "key_1", "key")
    administrator = Principal("", "key_2", "key", scopes=frozenset({"admin"}))
    assert [kept.shown(reach(who)).trace_id for who in (None, key, administrator)] == [None, None, "req-1"]
