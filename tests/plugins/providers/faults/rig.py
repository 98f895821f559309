"""One call of a provider against a fault, and what came of it: read the same way from an answer and from a stream."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from sentinel_core.context import Call as ProviderCall
from sentinel_core.dialects.anthropic_messages import ANTHROPIC_MESSAGES
from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, ReasoningDelta, TextDelta, ToolCallDelta, UsageReport
from sentinel_core.json_types import JsonValue, TomlTable, TomlValue
from sentinel_core.keys import Target
from sentinel_core.messages import Answer
from sentinel_core.provider import Provider
from sentinel_core.usage import Usage
from tests.plugins.providers.calls import SHORT_S, Nobody
from tests.plugins.providers.spoken import KEY, provider_at
from tests.upstream import Part, Pause, Raw, Stall, Stream, Upstream, head
from tests.upstream.api import Call, Said, Wire
from tests.upstream.apis import Spoken
from tests.upstream.scenarios import Headers

SAID = Said("Hello, wörld 🙂")
CALLING = Said(
    "One moment.", "hm", (Call("call00001", "w", {"city": "Rome"}), Call("call00002", "n", {})), "tool_calls"
)
BODY = {"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
"""A request that every client's dialect reads."""

IMPATIENT: TomlTable = {"first_byte_timeout_s": SHORT_S, "idle_timeout_s": SHORT_S}
"""For upstreams that fall silent; all others have the time that they need on a busy machine."""


@dataclass
class Heard:
    """What came of one call. `opened` says that a reply was returned before whatever then happened."""

    opened: bool = False
    error: UpstreamError | None = None
    events: list[Event] = field(default_factory=list)

    @property
    def code(self) -> str | None:
        """The error's code."""
        return self.error.code if self.error is not None else None

    @property
    def text(self) -> str:
        """The visible text."""
        return "".join(event.text for event in self.events if isinstance(event, TextDelta))

    @property
    def reasoning(self) -> str:
        """The thoughts."""
        return "".join(event.text for event in self.events if isinstance(event, ReasoningDelta))

    @property
    def calls(self) -> dict[int, tuple[str | None, str]]:
        """The name and the arguments of each call, by its number, in the order in which they began."""
        made: dict[int, tuple[str | None, str]] = {}
        for event in self.events:
            if isinstance(event, ToolCallDelta):
                name, arguments = made.get(event.index, (None, ""))
                made[event.index] = (name or event.name, arguments + event.text)
        return made

    def called(self, client: Dialect) -> list[tuple[str | None, JsonValue]]:
        """The name and the arguments of each call, as a client reads them: Anthropic's take nothing for no input."""
        nothing = "{}" if client is ANTHROPIC_MESSAGES else ""
        return [(name, json.loads(arguments or nothing)) for name, arguments in self.calls.values()]

    @property
    def finishes(self) -> list[str]:
        """Why it ended; empty where it did not."""
        return [event.reason for event in self.events if isinstance(event, Finish)]

    @property
    def usage(self) -> Usage | None:
        """The last counts."""
        counts = [event.usage for event in self.events if isinstance(event, UsageReport)]
        return counts[-1] if counts else None


def call_of(stream: bool = False, client: Dialect = OPENAI_CHAT, **fields: JsonValue) -> ProviderCall:
    """A call of the model `m` for a client of this dialect."""
    options = {"stream": True} if stream else {}
    request = client.decode_request({**BODY, **options, **fields})
    return ProviderCall(request, Target("upstream", "m"), Nobody(), attempt=1, request_id="req-1")


async def hear(provider: Provider, call: ProviderCall) -> Heard:
    """Make one call and read its reply to the end. No error names the upstream's address or the key."""
    heard = Heard()
    try:
        reply = await provider.call(call)
        heard.opened = True
        if isinstance(reply, Answer):
            heard.events += reply.dialect.decompose(reply)
            return heard
        try:
            async for event in reply:
                heard.events.append(event)
        finally:
            await reply.aclose()
    except UpstreamError as error:
        heard.error = error
    assert not any(secret in str(heard.error) for secret in ("127.0.0.1", KEY))
    return heard


async def heard_of(
    spoken: Spoken, upstream: Upstream, stream: bool = False, client: Dialect = OPENAI_CHAT, **config: TomlValue
) -> Heard:
    """What comes of one call at this upstream."""
    async with provider_at(spoken, upstream.root, **config) as provider:
        return await hear(provider, call_of(stream, client))


async def error_of(
    spoken: Spoken, upstream: Upstream, stream: bool = False, client: Dialect = OPENAI_CHAT, **config: TomlValue
) -> UpstreamError:
    """The error that is raised from the call itself, so that nothing was shown to anybody yet."""
    heard = await heard_of(spoken, upstream, stream, client, **config)
    assert not heard.opened
    assert heard.error is not None
    return heard.error


def streamed(spoken: Spoken, *parts: Iterable[Part], eof: bool = False, headers: Headers = ()) -> Stream:
    """A stream of this API's media type."""
    flat = [each for part in parts for each in part]
    return Stream(flat, 200, headers, spoken.api.content_type, "eof" if eof else "chunked")


def badly_chunked(came: bytes, kind: str = "application/json") -> Raw:
    """What came, in a chunk, and after it what is none: in a packet of its own, or the head would be lost with it."""
    begun = head(200, [("Content-Type", kind), ("Transfer-Encoding", "chunked")])
    return Raw([begun + b"%x\r\n%s\r\n" % (len(came), came), Pause(0.01), b"zz\r\n", Stall()])


def began(spoken: Spoken, said: Said = SAID) -> Sequence[bytes]:
    """The events of an answer whose text is all there and whose end is not."""
    wire = spoken.api.stream(said)
    return [*wire.opening, *wire.content]


def complete(spoken: Spoken, wire: Wire) -> Sequence[bytes]:
    """The events that make an answer complete, without the mark that only says so."""
    return wire.whole[:-1] if spoken.end == "marker" else wire.whole


def framed(spoken: Spoken, payload: bytes) -> bytes:
    """Any payload as an event of this API's streams."""
    return b"data: " + payload + b"\n\n" if is_sse(spoken) else payload + b"\n"


def calls_of(said: Said) -> list[tuple[str, JsonValue]]:
    """What `Heard.called` gives for all that was said."""
    return [(call.name, call.arguments) for call in said.calls]


def is_sse(spoken: Spoken) -> bool:
    """Whether its streams are server-sent events; else they have one JSON value a line."""
    return spoken.api.content_type == "text/event-stream"


def nobody() -> str:
    """The address of a port at which nobody listens."""
    with closing(socket.socket()) as unheard:
        unheard.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unheard.getsockname()[1]}"
