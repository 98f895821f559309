"""P6 on the wire of every upstream: its bytes are cut anywhere, in UTF-8, in escapes, in lines.

What a client of any API reads is what the guards make of the whole texts.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.context import Call
from sentinel_core.provider import Provider
from sentinel_core.reply import Reply
from sentinel_core.testing import FakeProvider
from tests.core.dialects.cuts import cut
from tests.loops import Loop
from tests.plugins.guarding.guards import PII, SECRETS, Guards, guards
from tests.plugins.guarding.test_streams import APIS, PLACES, TEXT, Api, Lanes, asked, lanes_of, redacted
from tests.plugins.providers.fed import Fed
from tests.plugins.providers.spoken import provider_at
from tests.properties import promised
from tests.upstream.api import Call as ToolCall
from tests.upstream.api import Said
from tests.upstream.apis import APIS as UPSTREAMS
from tests.upstream.apis import Spoken

SPOKEN = {spoken.api.name: spoken for spoken in UPSTREAMS}
WAYS = [
    *((name, "chat") for name in SPOKEN),
    *(("anthropic", "messages"), ("openai", "messages"), ("gemini", "messages")),
    *(("anthropic", "responses"), ("ollama", "responses"), ("cohere", "responses")),
]
"""What is spoken on one side, and on the other."""
Send = Callable[[Api, Sequence[bytes]], Lanes]


class Pool(Fed):
    """Connections on which every call is answered with what was put here last."""

    def __init__(self, content_type: str) -> None:
        super().__init__((), content_type)

    def put(self, pieces: Sequence[bytes]) -> None:
        """What comes next."""
        self._pieces = [*pieces]


class Behind(FakeProvider):
    """The scripted provider's name, and a real one that does its work."""

    def __init__(self, real: Provider) -> None:
        super().__init__()
        self._real = real
        self.operations = real.operations  # type: ignore[misc]  # what it performs is the real one's to say

    async def call(self, call: Call) -> Reply:
        """As the real one."""
        return await self._real.call(call)


@asynccontextmanager
async def chains(spoken: Spoken) -> AsyncIterator[tuple[Pool, Guards, Guards]]:
    """A provider of this API on connections of ours, behind both guards and behind none."""
    pool = Pool(spoken.api.content_type)
    async with AsyncExitStack() as stack:
        real = await stack.enter_async_context(provider_at(spoken, "http://up.test", pools=pool))
        guarded = await stack.enter_async_context(guards(Behind(real), pii=PII, secrets=SECRETS))
        yield pool, guarded, await stack.enter_async_context(guards(Behind(real)))


async def read(chain: Guards, api: Api) -> Lanes:
    """The texts that a client gets."""
    driven = await chain.asked(asked(api))
    assert driven.error is None
    return lanes_of(driven.events)


@contextmanager
def running(spoken: Spoken) -> Iterator[tuple[Send, Send]]:
    """Sends one upstream's bytes through the guards, and past them."""
    with Loop() as loop:
        stack = AsyncExitStack()
        pool, guarded, bare = loop.run(stack.enter_async_context(chains(spoken)))

        def send(chain: Guards, api: Api, pieces: Sequence[bytes]) -> Lanes:
            pool.put(pieces)
            return loop.run(read(chain, api))

        yield (lambda api, pieces: send(guarded, api, pieces)), (lambda api, pieces: send(bare, api, pieces))
        loop.run(stack.aclose())


def escaped(wire: bytes) -> bytes:
    """The same JSON with what is not ASCII as escapes: `\\ud83d\\ude00`."""
    return re.sub("[^\x00-\x7f]", lambda found: json.dumps(found[0])[1:-1], wire.decode()).encode()


@pytest.mark.parametrize(("name", "client"), WAYS)
def test_p6_whatever_api_the_upstream_speaks(name: str, client: str) -> None:
    spoken, api = SPOKEN[name], APIS[client]

    @promised(among=4)
    @given(text=TEXT, reasoning=TEXT, argument=TEXT, places=PLACES, ascii_only=st.booleans())
    def check(text: str, reasoning: str, argument: str, places: list[int], ascii_only: bool) -> None:
        calls = [ToolCall("c1", "f", {"to": argument, "n": 1})]
        said = Said(text, reasoning, calls, finish="tool_calls")
        wire = b"".join(spoken.api.stream(said).whole)
        pieces = cut(escaped(wire) if ascii_only else wire, places)
        assert meant(through(api, pieces)) == {lane: whole(lane, text) for lane, text in past(api, [wire]).items()}

    with running(spoken) as (through, past):
        check()


def whole(lane: tuple[int, str, int], text: str) -> object:
    """What a lane's text must become; of arguments what they mean, for APIs write them each in its way."""
    if lane[1] != "tool_arguments":
        return redacted(text)
    return {name: redacted(value) if isinstance(value, str) else value for name, value in json.loads(text).items()}


def meant(lanes: Lanes) -> dict[tuple[int, str, int], object]:
    return {lane: json.loads(text) if lane[1] == "tool_arguments" else text for lane, text in lanes.items()}
