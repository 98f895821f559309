"""A host that leaves its gateway while clients of the mounted application still wait: each is told so, in its form."""

from __future__ import annotations

import msgspec
import pytest

from sentinel_core import Gateway, Registry
from sentinel_core.config import settings_from
from sentinel_core.testing import HANG, FakeProvider, chat_body
from sentinel_server.app import asgi
from tests.pace import until
from tests.server.asgi_client import AsgiClient


@pytest.mark.parametrize("stream", [False, True])
async def test_a_client_of_a_mounted_gateway_hears_that_it_drains(
    stream: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sentinel_core.gateway.drain.FINISHERS_S", 0.05)
    provider, registry = FakeProvider(("a", HANG)), Registry()
    registry.register(provider.kind())
    tables = {"providers": {"fake": {"models": ["fake"]}}, "server": {"drain_timeout_s": 0.05}}
    async with Gateway(settings_from(tables), registry=registry) as live:
        body = msgspec.json.encode({**chat_body(), "stream": stream})
        client = AsgiClient(asgi(live), path="/v1/chat/completions", body=body)
        await until(lambda: bool(provider.calls) and (not stream or len(client.sent) > 1))
    await client.ended()
    assert client.answer.status == (200 if stream else 503)
    assert b'"code":"draining"' in client.answer.body
    assert b"[DONE]" not in client.answer.body
    assert (provider.opened, live.in_flight) == (provider.closed, 0)
