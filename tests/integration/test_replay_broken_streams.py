"""Peers' bug 1: an upstream broke off, and the proxy said `finish_reason: "stop"` and `[DONE]`.

BerriAI/litellm #33404 and PR #32159, gonka-ai/gonka #1722.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import pytest

from sentinel_core.dialects.sse import SseEvent, SseParser
from sentinel_server.app import asgi
from tests.plugins.providers.faults.behind import gateway_at
from tests.plugins.providers.faults.rig import BODY, is_sse, streamed
from tests.server.asgi_client import AsgiClient
from tests.server.gateway_fixture import CHAT, encoded
from tests.server.messages_fixture import MESSAGES
from tests.server.wire import Answer
from tests.upstream import Close, Part, Reset, Upstream
from tests.upstream.api import Said
from tests.upstream.apis import Spoken

SAID = Said("hello")
BREAKS: dict[str, list[Part]] = {"u09a_rst": [Reset()], "u09a_fin": [Close()], "u09b_eof": []}


class Client(NamedTuple):
    """Where a client asks, whose API it speaks, and what an end would look like to it."""

    path: str
    api: str
    ends: tuple[bytes, ...]


CLIENTS = {
    "openai": Client(CHAT, "openai", (b"[DONE]", b'"finish_reason":"')),
    "anthropic": Client(MESSAGES, "anthropic", (b"message_stop", b"end_turn")),
}


async def asked(spoken: Spoken, upstream: Upstream, client: Client, count: int) -> list[Answer]:
    """The same streaming request, several times."""
    answers = []
    async with gateway_at(spoken, upstream.root, retry={"budget": 0.0, "max_attempts": 1}, breaker={}) as gateway:
        for _ in range(count):
            call = AsgiClient(asgi(gateway), path=client.path, body=encoded({**BODY, "stream": True}))
            await call.ended()
            answers.append(call.answer)
    return answers


def events_of(wire: bytes) -> list[SseEvent]:
    """The events of a stream, without pings."""
    return [event for event in SseParser().feed(wire) if event.name != "ping"]


def is_error(event: SseEvent, client: Client) -> bool:
    """Whether the client's own library raises at this event."""
    return "error" in msgspec.json.decode(event.data) and (client.api != "anthropic" or event.name == "error")


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("break_", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("after", [2, 50])
async def test_replay_1_a_stream_that_breaks_never_looks_complete_and_is_asked_for_again(
    spoken: Spoken, upstream: Upstream, client: Client, break_: list[Part], after: int
) -> None:
    wire = spoken.api.stream(SAID)
    came = b"".join([*wire.opening, wire.content[0], *[wire.content[1]] * (after - 1)])
    upstream.script(None, streamed(spoken, [came], break_))
    for answer in await asked(spoken, upstream, client, 2):
        assert answer.status == 200
        *told, last = events_of(answer.body)
        assert is_error(last, client)
        assert b"upstream_stream_interrupted" in last.data or client.api == "anthropic"
        assert not any(end in event.data for event in told for end in client.ends)
        assert not any(end in answer.body for end in client.ends)
        if spoken.api.name == client.api and is_sse(spoken):
            assert [event.data for event in told] == [event.data for event in events_of(came)], "byte for byte"
    assert len(upstream.requests) == 2


@pytest.mark.parametrize("client", CLIENTS.values(), ids=CLIENTS)
@pytest.mark.parametrize("break_", BREAKS.values(), ids=BREAKS)
async def test_replay_1_a_stream_that_breaks_after_its_opening_is_an_error_from_the_start(
    spoken: Spoken, upstream: Upstream, client: Client, break_: list[Part]
) -> None:
    upstream.script(None, streamed(spoken, spoken.api.stream(SAID).opening, break_))
    for answer in await asked(spoken, upstream, client, 2):
        assert (answer.status, answer.headers["content-type"]) == (502, "application/json")
    assert len(upstream.requests) == 2
