"""An upstream's key, and its address, reach no caller where the upstream itself repeats them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonObject
from sentinel_server.app import asgi
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import encoded
from tests.server.wire import Answer
from tests.upstream import Reply, Stream, Upstream, delta, sse

KEY = "gw_7f3a9c-internal-token"
"""Of no form that a guard knows."""
ROUTES = ("/v1/chat/completions", "/v1/messages", "/v1/responses")
BODY: JsonObject = {
    "model": "m",
    "max_tokens": 9,
    "messages": [{"role": "user", "content": "hi"}],
    "input": "hi",
}
FIELDS = ("message", "type", "code", "param")


@pytest_asyncio.fixture(params=[(), ("pii", "secrets")], ids=["no_guards", "guards"])
async def gateway(request: pytest.FixtureRequest, upstream: Upstream) -> AsyncIterator[Gateway]:
    """A gateway without and with guards, which wrote a log of everything."""
    stages: Sequence[str] = request.param
    table = {"kind": "openai", "base_url": upstream.base_url, "api_key": Secret(KEY, "TEST"), "models": ["m"]}
    settings = settings_from(
        {
            "providers": {"up": table},
            "models": [{"name": "m", "targets": [{"provider": "up"}]}],
            "stages": {name: {} for name in ("metrics", *stages)},
        }
    )
    async with Gateway(settings) as opened:
        yield opened


async def asked(gateway: Gateway, route: str, *, stream: bool = False) -> Answer:
    """What a caller of this route gets."""
    unread = "messages" if route.endswith("responses") else "input"
    body = {name: value for name, value in BODY.items() if name != unread}
    client = AsgiClient(asgi(gateway), path=route, body=encoded({**body, "stream": stream}))
    await client.ended()
    return client.answer


def telling(upstream: Upstream) -> JsonObject:
    """An error that repeats all it should not, in every place."""
    said = f"of {KEY} at {upstream.base_url}/chat/completions"
    return {"error": dict.fromkeys(FIELDS, said)}


def assert_untold(answer: Answer, upstream: Upstream, log: str) -> None:
    """Neither the caller nor the log has it; the caller has the rest of the words."""
    address = upstream.root.removeprefix("http://")
    assert not [text for text in (KEY, address) if text in answer.body.decode() + log]
    assert b"of [secret] at [address]/v1/chat/completions" in answer.body


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("status", [200, 400, 404, 422, 429, 500, 503])
async def test_an_error_that_repeats_the_key(
    gateway: Gateway, upstream: Upstream, caplog: pytest.LogCaptureFixture, status: int, route: str
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.script("m", Reply(telling(upstream), status))
    answer = await asked(gateway, route)
    assert answer.status >= 400
    assert_untold(answer, upstream, caplog.text)


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("before", [[], [delta("a")]], ids=["first", "in_the_middle"])
async def test_a_stream_that_repeats_the_key(
    gateway: Gateway, upstream: Upstream, caplog: pytest.LogCaptureFixture, before: Sequence[JsonObject], route: str
) -> None:
    caplog.set_level(logging.DEBUG)
    upstream.script("m", Stream([*map(sse, before), sse(telling(upstream))]))
    assert_untold(await asked(gateway, route, stream=True), upstream, caplog.text)


async def test_words_without_a_bound_are_cut(gateway: Gateway, upstream: Upstream) -> None:
    upstream.script("m", Reply({"error": dict.fromkeys(FIELDS, "x" * 10_000)}, 400))
    error = (await asked(gateway, ROUTES[0])).json["error"]
    assert {name: len(error[name]) for name in FIELDS} == {"message": 500, "type": 128, "code": 128, "param": 128}
