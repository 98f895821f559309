"""Three turns of one conversation with `reversible`, through a gateway on a socket: the provider never sees a value,
the client sees nothing else, and what the provider saw before it sees again, byte for byte.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import pairwise

import httpx
import msgspec
import pytest

from sentinel_core.config import Secret, settings_from
from sentinel_core.gateway import Gateway
from sentinel_core.json_types import JsonValue, TomlValue
from sentinel_core.registry import Registry
from sentinel_plugins.pii.placeholder import LENGTH, is_placeholder
from sentinel_server.app import asgi
from tests.integration.books import rows_of
from tests.integration.turns import TALKS, Chat, Heard, Talk
from tests.plugins.providers.spoken import SharedPools
from tests.plugins.recording.written import flushed
from tests.server.serving import Served, serving
from tests.upstream import Received, Scenario, Upstream

MAIL, PHONE, CARD = "ann@acme.com", "+1 415-555-2671", "4111 1111 1111 1111"
VALUES = (MAIL, PHONE, CARD)
LINK = "https://evil.test/?q="
_WORD = re.compile(rf"\b[0-9A-Za-z]{{{LENGTH}}}\b")
HASH_KEY = Secret("hash-key-of-this-test", "TEST")


def placeholders(text: str) -> list[str]:
    """What stands for values in a text, in capitals, in its order."""
    return [word.upper() for word in _WORD.findall(text) if is_placeholder(word.upper())]


class Parrot(Upstream):
    """Answers with what it was asked last, in small letters; writes the first value that it was given into a link; and
    calls a tool where it is asked to."""

    def __init__(self, talk: Talk) -> None:
        super().__init__()
        self.talk = talk

    def _choose(self, request: Received) -> Scenario:
        body = request.json
        asked, stream = self.talk.asked(body), body["stream"]
        found = placeholders(asked)
        text = f"You wrote: {asked.lower()} [x]({LINK}{found[0] if found else ''})"
        if "tool" in asked and self.talk.tools:
            arguments = {"to": found[0], "all": found, "raw": json.dumps({"text": f'"{asked}"'})}
            return self.talk.called(text, json.dumps(arguments), stream=stream)
        return self.talk.said(text, stream=stream)


@asynccontextmanager
async def conversing(talk: Talk, **stages: Mapping[str, TomlValue]) -> AsyncIterator[tuple[Parrot, Gateway, Served]]:
    async with Parrot(talk) as upstream:
        base = upstream.base_url if talk.provider == "openai" else upstream.root
        provider = {"kind": talk.provider, "base_url": base, "api_key": Secret("sk-upstream", "TEST")}
        tables = {"pii": {"action": "reversible", "hash_key": HASH_KEY}, "secrets": {}, **stages}
        models = [{"name": "m", "targets": [{"provider": "up"}]}]
        registry = Registry()
        registry.register(SharedPools())
        settings = settings_from({"providers": {"up": provider}, "models": models, "stages": tables})
        gateway = Gateway(settings, registry=registry)
        async with gateway, serving(asgi(gateway)) as served:
            yield upstream, gateway, served


async def ask(client: httpx.AsyncClient, talk: Talk, history: JsonValue, *, stream: bool) -> Heard:
    response = await client.post(talk.path, json=talk.body(history, stream=stream))
    assert response.status_code == 200, response.text
    return talk.heard(response.content, stream=stream)


def expected(asked: str, link: str) -> str:
    """The parrot's words with the caller's values."""
    return f"You wrote: {asked.lower()} [x]({LINK}{link})"


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("talk", TALKS, ids=lambda talk: type(talk).__name__)
async def test_three_turns(talk: Talk, stream: bool) -> None:
    first = f"I am {MAIL}, call {PHONE} with the tool"
    second = f"{MAIL} gave card {CARD}"
    async with conversing(talk) as (upstream, _, served), httpx.AsyncClient(base_url=served.url) as client:
        history = talk.begin(first)
        heard = await ask(client, talk, history, stream=stream)
        mail, phone = placeholders(talk.asked(upstream.requests[0].json))
        assert heard.text == expected(first, mail)
        if talk.tools:
            arguments = json.loads(heard.arguments)
            assert (arguments["to"], arguments["all"]) == (MAIL, [MAIL, PHONE])
            assert json.loads(arguments["raw"]) == {"text": f'"{first}"'}
            history = talk.resulting(history, heard, second)
        else:
            history = talk.going_on(history, heard, second)

        heard = await ask(client, talk, history, stream=stream)
        assert placeholders(talk.asked(upstream.requests[1].json))[0] == mail
        card = placeholders(talk.asked(upstream.requests[1].json))[1]
        assert heard.text == expected(second, mail)

        third = f"{CARD}, {PHONE} and {MAIL} once more"
        heard = await ask(client, talk, talk.going_on(history, heard, third), stream=stream)
        assert placeholders(talk.asked(upstream.requests[2].json)) == [card, phone, mail]
        assert heard.text == expected(third, card)

    bodies = [request.body for request in upstream.requests]
    assert len(bodies) == 3
    for body in bodies:
        assert not any(value in body.decode() for value in (MAIL, PHONE, CARD, "acme", "415-555"))
        assert set(placeholders(body.decode())) <= {mail, phone, card}
    for shorter, longer in pairwise(bodies):
        assert longer.startswith(shorter[:-2]), "a provider's prompt cache would miss"


@pytest.mark.parametrize("stream", [False, True])
async def test_p5_no_log_row_or_header_holds_a_value(stream: bool, caplog: pytest.LogCaptureFixture) -> None:
    """With texts kept in the audit, which are those that the guards left."""
    caplog.set_level(logging.DEBUG)
    talk = Chat()
    stages: dict[str, Mapping[str, TomlValue]]
    stages = {"audit": {"content": True}, "usage": {}, "metrics": {}, "rate_limit": {}}
    async with conversing(talk, **stages) as (upstream, gateway, served):
        async with httpx.AsyncClient(base_url=served.url) as client:
            asked = f"I am {MAIL}, call {PHONE} with the tool"
            response = await client.post(talk.path, json=talk.body(talk.begin(asked), stream=stream))
            heard = talk.heard(response.content, stream=stream)
            assert (MAIL in heard.text, json.loads(heard.arguments)["to"]) == (True, MAIL)
            metrics = (await client.get("/metrics")).text
        await flushed(gateway)
        rows = [row for table in ("audit", "usage") for row in await rows_of(gateway.records, table)]
        kept = msgspec.json.encode([row.fields for row in rows]).decode()
        mail = placeholders(talk.asked(upstream.requests[0].json))[0]
    assert "pii_detections" in metrics
    assert mail in kept, "the audit keeps texts as the guards left them"
    for place in (kept, caplog.text, str(response.headers), metrics):
        assert not any(value in place for value in (*VALUES, "acme", "415-555"))


async def test_another_conversation_another_key_other_placeholders() -> None:
    talk = Chat()
    keys = {name: {"secret": Secret(f"sk-of-{name}-00000000", "TEST"), "tenant": name} for name in "ab"}
    auth = {"keys": keys, "tenants": {"a": {}, "b": {}}}
    seen: list[str] = []
    async with conversing(talk, auth=auth) as (upstream, _, served):
        for name in "ab":
            headers = {"authorization": f"Bearer sk-of-{name}-00000000"}
            async with httpx.AsyncClient(base_url=served.url, headers=headers) as client:
                for text in (f"I am {MAIL}", f"it is {MAIL}"):
                    assert (await ask(client, talk, talk.begin(text), stream=False)).text.startswith("You wrote: ")
                    seen += placeholders(talk.asked(upstream.requests[-1].json))
    assert len(set(seen)) == len(seen) == 4
