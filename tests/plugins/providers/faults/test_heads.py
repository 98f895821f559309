"""U23 and U24: heads that lead elsewhere, lie about their body, or carry what is not for the client."""

from __future__ import annotations

import pytest

from sentinel_server.app import asgi
from tests.plugins.providers.faults.rig import BODY, SAID, error_of, heard_of, streamed
from tests.plugins.providers.spoken import gateway_with, table_of
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.serving import serving
from tests.server.wire import request
from tests.upstream import Raw, Redirect, Reply, Upstream
from tests.upstream.apis import Spoken


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_u23_a_redirect_leads_nowhere(spoken: Spoken, upstream: Upstream, stream: bool, status: int) -> None:
    async with Upstream() as other:
        upstream.script(None, Redirect(other.root + spoken.api.path(stream=stream), status))
        error = await error_of(spoken, upstream, stream)
        assert (error.code, error.status, error.should_retry) == ("upstream_redirect", 502, False)
        assert other.connections == 0


HEADS = {
    "20 KB header": b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 20_000 + b"\r\n",
    "300 headers": b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: a\r\n" % number for number in range(300)),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n",
    "negative length": b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n",
    "upgrade": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: upgrade\r\n",
    "no http": b"SSH-2.0-OpenSSH_9.6\r\n",
}


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
async def test_u24_a_head_that_cannot_be_trusted(spoken: Spoken, upstream: Upstream, stream: bool, head: bytes) -> None:
    upstream.script(None, Raw([head + b"\r\n"]))
    error = await error_of(spoken, upstream, stream)
    assert (error.code, error.status) == ("upstream_invalid_response", 502)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_u24_a_coding_that_the_body_does_not_have(
    spoken: Spoken, upstream: Upstream, stream: bool, coding: str
) -> None:
    whole = b"".join(spoken.api.stream(SAID).whole)
    kind = spoken.api.content_type if stream else "application/json"
    body = whole if stream else spoken.api.answer(SAID)
    upstream.script(None, Reply(body, 200, [("Content-Encoding", coding)], content_type=kind))
    assert (await heard_of(spoken, upstream, stream)).code == "upstream_invalid_response"


HOSTILE = [
    ("Set-Cookie", "tenant=canary; Path=/"),
    ("Server", "canary"),
    ("X-LiteLLM-Model-Id", "canary"),
    ("X-Sentinel-Provider", "canary"),
    ("X-Request-Id", "canary"),
    ("Access-Control-Allow-Origin", "canary"),
    ("Keep-Alive", "timeout=canary"),
    ("Proxy-Authenticate", "canary"),
    ("Link", "<http://canary/>; rel=preload"),
]


async def test_u24_no_header_of_the_upstreams_reaches_the_client(
    spoken: Spoken, upstream: Upstream, stream: bool
) -> None:
    wire = spoken.api.stream(SAID).whole
    good = streamed(spoken, wire, headers=HOSTILE) if stream else Reply(spoken.api.answer(SAID), 200, HOSTILE)
    upstream.script(None, good)
    gateway = gateway_with({"up": table_of(spoken, upstream.root)}, {"m": ["up"]})
    async with gateway, serving(asgi(gateway)) as served, served.connect() as client:
        answers = [
            await client.ask(request(CHAT, method="POST", body=encoded({**BODY, "stream": stream}))) for _ in range(2)
        ]
    for answer in answers:
        assert answer.status == 200
        assert "canary" not in str(answer.headers)
        assert "hello" in answer.body.decode().lower()
    assert upstream.requests[1].header("cookie") is None, "nor is a cookie kept for the next caller"
