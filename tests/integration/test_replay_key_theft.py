"""Peers' bug 10: a caller chose where the gateway goes, or a route was forgotten, and the provider's key went along.

CVE-2024-6587, Portkey CVE-2025-66405, #1718 and #1597, MLflow CVE-2026-71211, litellm #32202. Where the caller points
to stands a listener that must receive nothing, not even a connection. Neither side ever sees the other's key.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from sentinel_core.context import Call
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.openai_chat.steering import REFUSED_FIELDS
from sentinel_core.errors import SentinelError
from sentinel_core.json_types import JsonObject, JsonValue
from sentinel_core.keys import Target
from sentinel_server.app import asgi
from tests.plugins.providers.calls import Nobody
from tests.plugins.providers.faults.behind import gateway_at
from tests.plugins.providers.faults.rig import BODY
from tests.plugins.providers.spoken import KEY, provider_at
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.messages_fixture import MESSAGES
from tests.server.serving import serving
from tests.server.wire import Answer, request
from tests.upstream import Redirect, Reply, Upstream
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

CLIENTS_KEY = "sk-client-canary"
HEADERS = (
    "X-Base-Url",
    "X-Api-Base",
    "Api-Base",
    "X-Portkey-Custom-Host",
    "X-Portkey-Config",
    "X-Upstream",
    "X-Forwarded-Host",
    "X-Original-Url",
    "Forwarded",
    "Helicone-Target-Url",
    "X-LiteLLM-Api-Base",
)
FIELDS = (*sorted(REFUSED_FIELDS), "api_url", "endpoint", "webhook", "callback_url", "litellm_params", "provider")


@pytest_asyncio.fixture
async def listener() -> AsyncIterator[Upstream]:
    """Where callers point to."""
    async with Upstream() as running:
        yield running
        assert running.connections == 0


async def asked(spoken: Spoken, upstream: Upstream, *requests: bytes) -> list[Answer]:
    """The answers to these requests, none of which holds the provider's key."""
    async with gateway_at(spoken, upstream.root) as gateway, serving(asgi(gateway)) as served, served.connect() as wire:
        answers = [await wire.ask(each) for each in requests]
    assert not any(KEY in f"{answer.headers}{answer.body!r}" for answer in answers)
    return answers


def post(path: str = CHAT, *headers: str, **fields: JsonValue) -> bytes:
    """A chat of a caller who has a key of this gateway's."""
    own = f"Authorization: Bearer {CLIENTS_KEY}"
    return request(path, method="POST", headers=(own, *headers), body=encoded({**BODY, **fields}))


def went_only_where_it_was_configured(spoken: Spoken, upstream: Upstream) -> None:
    """Every request went to the API's own path, with the provider's key and not the caller's."""
    for each in upstream.requests:
        assert each.target == spoken.api.path(stream=False)
        assert KEY.encode() in each.raw
        assert CLIENTS_KEY.encode() not in each.raw
        assert each.header("host") == upstream.root.removeprefix("http://")


async def test_replay_10_no_field_of_a_body_chooses_the_upstream(
    spoken: Spoken, upstream: Upstream, listener: Upstream
) -> None:
    upstream.script(None, Reply(spoken.api.answer(Said())))
    several: JsonValue = {"base_url": listener.base_url, "Host": listener.root}
    pairs = [(name, several if name in ("headers", "extra_headers") else listener.base_url) for name in FIELDS]
    answers = await asked(
        spoken, upstream, *(post(path, **{name: value}) for path in (CHAT, MESSAGES) for name, value in pairs)
    )
    assert {answer.status for answer in answers} == {200, 400}
    went_only_where_it_was_configured(spoken, upstream)


async def test_replay_10_no_header_and_no_query_chooses_the_upstream(
    spoken: Spoken, upstream: Upstream, listener: Upstream
) -> None:
    upstream.script(None, Reply(spoken.api.answer(Said())))
    answers = await asked(
        spoken,
        upstream,
        *(post(CHAT, f"{name}: {listener.base_url}") for name in HEADERS),
        *(post(f"{CHAT}?{name}={listener.base_url}") for name in ("api_base", "base_url", "url", "target")),
        post(CHAT, f"X-Api-Key: {CLIENTS_KEY}"),
    )
    assert {answer.status for answer in answers} <= {200, 400, 401}
    assert upstream.requests
    went_only_where_it_was_configured(spoken, upstream)
    assert not any(str(listener.port) in each.raw.decode() for each in upstream.requests)


async def test_replay_10_no_picture_and_no_file_is_fetched(
    spoken: Spoken, upstream: Upstream, listener: Upstream
) -> None:
    upstream.script(None, Reply(spoken.api.answer(Said())))
    places = [f"{listener.root}/x.png", f"http://ok@127.0.0.1:{listener.port}/x.png", "file:///etc/passwd"]
    parts: list[JsonObject] = [{"type": "image_url", "image_url": {"url": place}} for place in places]
    parts += [{"type": "file", "file": {"file_data": place, "filename": "x.pdf"}} for place in places]
    source = {"type": "image", "source": {"type": "url", "url": places[0]}}
    text = {"type": "text", "text": "look"}
    answers = await asked(
        spoken,
        upstream,
        *(post(messages=[{"role": "user", "content": [text, part]}]) for part in parts),
        post(MESSAGES, messages=[{"role": "user", "content": [text, source]}]),
    )
    assert {answer.status for answer in answers} <= {200, 400}
    assert not any(b"root:" in each.body for each in upstream.requests)


@pytest.mark.parametrize("path", ["/v1/proxy/chat/completions", "/v1/passthrough", "/proxy", "/v1/files", "/openai/v1"])
async def test_replay_10_there_is_no_forgotten_route(
    spoken: Spoken, upstream: Upstream, listener: Upstream, path: str
) -> None:
    (answer,) = await asked(spoken, upstream, post(path, f"X-Upstream: {listener.root}", url=listener.root))
    assert (answer.status, answer.code) == (404, "not_found")
    assert upstream.requests == []


async def test_replay_10_a_redirect_takes_nothing_along(spoken: Spoken, upstream: Upstream, listener: Upstream) -> None:
    for status in (301, 302, 303, 307, 308):
        upstream.script(None, Redirect(listener.root + spoken.api.path(stream=False), status))
        (answer,) = await asked(spoken, upstream, post())
        assert (answer.status, answer.code) == (502, "upstream_redirect")


async def test_replay_10_a_models_name_stays_a_name(spoken: Spoken, upstream: Upstream, listener: Upstream) -> None:
    upstream.script(None, Reply(spoken.api.answer(Said())))
    place = f"127.0.0.1:{listener.port}"
    names = [
        f"@{place}/",
        f"m#@{place}",
        f"m?key=x&a=@{place}",
        f"//{place}/m",
        f"\\\\{place}\\m",
        "../../admin",
        "m\r\nX: y",
    ]
    async with provider_at(spoken, upstream.root) as provider:
        for name in names:
            call = Call(OPENAI_CHAT.decode_request({**BODY}), Target("up", name), Nobody(), attempt=1)
            try:
                await provider.call(call)
            except SentinelError as error:
                assert place not in str(error)  # noqa: PT017 - a refusal is as good as an answer
    for each in upstream.requests:
        path, _, query = each.target.partition("?")
        assert path.startswith(spoken.base)
        assert not {"..", "\\"} & {*path.split("/")}
        assert "key=x" not in query
        assert "\r\nX: y" not in each.raw.decode()
        assert json.loads(each.body) is not None
