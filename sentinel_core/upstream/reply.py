"""A 2xx response of an upstream as the reply that was asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec

from sentinel_core.decoding import mended
from sentinel_core.dialects.base import Dialect, StreamDecoder
from sentinel_core.dialects.sse import SseParser
from sentinel_core.dialects.translation import translated_answer, translated_events
from sentinel_core.errors import UpstreamError
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import EventStream, Reply, each
from sentinel_core.services import HttpResponse
from sentinel_core.upstream.stream import Framing, UpstreamStream
from sentinel_core.upstream.withheld import Withheld


class Reader(Protocol):
    """What reads a body: a dialect, or somebody who knows what one host says otherwise in that dialect."""

    def stream_decoder(self) -> StreamDecoder:
        """A decoder for one upstream's stream."""
        ...

    def decode_answer(self, raw: bytes) -> Answer:
        """A unary reply of an upstream. Raises `UpstreamError`."""
        ...


class Limits(Protocol):
    """How large one answer may be, and one event of it: fields of a provider's configuration."""

    @property
    def max_response_bytes(self) -> int:
        """The largest answer, unpacked; a stream's as well."""
        ...

    @property
    def max_event_bytes(self) -> int:
        """The largest single event of a stream."""
        ...


async def reply_of(
    response: HttpResponse,
    request: Request,
    dialect: Dialect,
    limits: Limits,
    *,
    dropped: tuple[str, ...] = (),
    streaming_type: str = "text/event-stream",
    framing: Callable[[int], Framing] = SseParser,
    reader: Reader | None = None,
    withheld: Withheld | None = None,
) -> Reply:
    """Read a response in `dialect`, give it in the dialect and the form of `request`.

    What was asked for comes back whatever the upstream made of `stream` (U15). `streaming_type` is the media type of a
    streamed body, `framing` makes its parser from the largest payload's size, and `reader` stands in for the dialect
    where a host says some of it otherwise. `withheld` is struck from what breaks a stream after this returned. Raises
    `UpstreamError`; the response is then still the caller's to abort.
    """
    stream = request.stream
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind == "text/html":  # a captive portal or a CDN's page; never shown (U14)
        raise UpstreamError("upstream_invalid_response", upstream_status=response.status)
    if kind == streaming_type or (stream and "json" not in kind):
        parser = framing(limits.max_event_bytes)
        decoder = (reader or dialect).stream_decoder()
        events = UpstreamStream(response, decoder, parser, limits.max_response_bytes, withheld)
        if stream:
            await events.open()
            return EventStream(
                translated_events(events, dialect, request), events.close, dropped, dialect=request.dialect
            )
        answer = dialect.assemble([event async for event in events])
    else:
        answer = (reader or dialect).decode_answer(mended(await response.read(limits.max_response_bytes)))
    answer = translated_answer(answer, request)
    await response.release()
    if stream:
        return EventStream(each(answer.dialect.stream_frames(answer)), dropped=dropped, dialect=answer.dialect)
    return msgspec.structs.replace(answer, dropped=dropped) if dropped else answer
