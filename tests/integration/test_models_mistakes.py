"""What a model writes badly, or could not write to its end, is no failure of its provider."""

from __future__ import annotations

import pytest

from sentinel_core.gateway import Gateway
from sentinel_server.app import asgi
from tests.plugins.routing.test_outages import gateway_at
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.messages_fixture import MESSAGES
from tests.server.wire import Answer
from tests.upstream import Reply, Upstream, completion

BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
BREAKER = {"failure_threshold": 1, "recovery_timeout_s": 60.0, "max_recovery_timeout_s": 60.0}


def calling(arguments: str, finish: str) -> Reply:
    """A completion that calls a tool."""
    call = {"id": "c", "type": "function", "function": {"name": "w", "arguments": arguments}}
    said = {"role": "assistant", "content": None, "tool_calls": [call]}
    return Reply(completion(choices=[{"index": 0, "message": said, "finish_reason": finish}]))


async def asked(gateway: Gateway, path: str = MESSAGES) -> Answer:
    client = AsgiClient(asgi(gateway), path=path, body=encoded(BODY))
    await client.ended()
    return client.answer


@pytest.mark.parametrize(
    ("arguments", "finish", "status"), [('{"a": "hel', "length", 200), ('{"a" 1}', "tool_calls", 502)]
)
async def test_it_is_paid_once_and_opens_the_circuit_for_nobody(
    upstream: Upstream, arguments: str, finish: str, status: int
) -> None:
    async with gateway_at(upstream.base_url, breaker=BREAKER) as gateway:
        upstream.script("m", calling(arguments, finish))
        answer = await asked(gateway)
        assert (answer.status, len(upstream.requests)) == (status, 1)
        upstream.script("m", Reply(completion("well")))
        assert (await asked(gateway, CHAT)).status == 200
