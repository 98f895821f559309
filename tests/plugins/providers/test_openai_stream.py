"""The `openai` provider's streams: complete, or an error after exactly what came."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dialects.sse import SseParser
from sentinel_core.errors import UpstreamError
from sentinel_core.events import Event, Finish, Opaque, TextDelta, ToolCallDelta
from sentinel_core.upstream import MAX_HELD_EVENTS, UpstreamStream
from tests.plugins.providers.calls import (
    SHORT_S,
    chat_call,
    chat_request,
    drained,
    json_of,
    openai_at,
    stream_of,
    text_of,
    written,
)
from tests.plugins.providers.fed import Pieces
from tests.properties import promised
from tests.upstream import (
    DONE,
    Hold,
    Stall,
    Stream,
    Upstream,
    chat_stream,
    chunk,
    delta,
    sse,
)

BIG_CAP = 1 << 26


async def events_and_error(upstream: Upstream, **config: float) -> tuple[list[Event], UpstreamError | None]:
    async with openai_at(upstream, **config) as provider:
        return await drained(await stream_of(provider, chat_call(stream=True)))


async def opening_error(upstream: Upstream, **config: float) -> UpstreamError:
    async with openai_at(upstream, **config) as provider:
        with pytest.raises(UpstreamError) as raised:
            await provider.call(chat_call(stream=True))
    return raised.value


async def test_streams_what_the_upstream_sent_in_its_order(upstream: Upstream) -> None:
    upstream.script("m", Stream(chat_stream("Hel", "lo", usage=True)))
    events, error = await events_and_error(upstream)
    assert (text_of(events), error) == ("Hello", None)
    assert [type(event).__name__ for event in events] == ["Opaque", "TextDelta", "TextDelta", "Finish", "UsageReport"]
    assert upstream.requests[0].json["stream_options"] == {"include_usage": True}


async def test_role_only_frames_and_pings_are_held_until_there_is_content(upstream: Upstream) -> None:
    go = asyncio.Event()
    opening = [
        sse(chunk([], prompt_filter_results=[{"severity": "safe"}])),
        b": ping\n\n",
        sse(delta(role="assistant")),
    ]
    upstream.script("m", Stream([*opening, Hold(go), *chat_stream("Hi")[1:]]))
    async with openai_at(upstream) as provider:
        call = asyncio.create_task(stream_of(provider, chat_call(stream=True)))
        await upstream.received()
        await asyncio.wait([call], timeout=SHORT_S)
        assert not call.done()
        go.set()
        events, _ = await drained(await call)
    assert [type(event).__name__ for event in events] == ["Opaque", "Opaque", "TextDelta", "Finish"]


async def test_an_endless_opening_is_not_held_for_ever(upstream: Upstream) -> None:
    upstream.script("m", Stream([sse(delta(role="assistant")) * (MAX_HELD_EVENTS + 1), Stall()]))
    async with openai_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        assert isinstance(await anext(stream), Opaque)
        await stream.aclose()
    await upstream.closed()


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
async def test_u10_dirt_in_the_stream_changes_nothing_for_the_client(upstream: Upstream, end: bytes) -> None:
    clean = b"".join(chat_stream("a", "é"))
    dirty = b"\xef\xbb\xbf: hi\n\nid: 1\nretry: 5\n\nevent: ping\n\ndata:\n\n" + clean.replace(
        b"data: {", b"event: message\ndata:{\ndata: "
    )
    dirty = dirty.removesuffix(b"\n\n").replace(b"\n", end)
    upstream.script("m", Stream([clean]), Stream([dirty[at : at + 1] for at in range(len(dirty))]))
    request = chat_request(stream=True)
    (expected, _), (events, error) = await events_and_error(upstream), await events_and_error(upstream)
    assert error is None
    assert json_of(written(events, request)) == json_of(written(expected, request))


async def test_u13_an_error_as_the_first_event_is_raised_from_the_call(upstream: Upstream) -> None:
    upstream.script("m", Stream([sse({"error": {"message": "busy", "code": "rate_limit_exceeded"}})]))
    error = await opening_error(upstream)
    assert (error.code, error.status) == ("rate_limit_exceeded", 429)


async def test_u28_choices_and_tool_calls_keep_their_order_and_indexes(upstream: Upstream) -> None:
    def call(index: int, arguments: str, **fields: str) -> dict[str, object]:
        return {"index": index, "function": {"arguments": arguments}, **fields}

    upstream.script(
        "m",
        Stream(
            [
                sse(delta("left ", index=0)),
                sse(delta("right", index=1)),
                sse(delta(index=1, finish="stop")),
                sse(delta(index=0, tool_calls=[call(0, "{", id="c0"), call(1, "[", id="c1")])),
                sse(delta(index=0, tool_calls=[call(1, "]"), call(0, "}")])),
                sse(delta(index=0, finish="tool_calls")),
                DONE,
            ]
        ),
    )
    events, error = await events_and_error(upstream)
    assert error is None
    assert [(event.choice, event.text) for event in events if isinstance(event, TextDelta)] == [
        (0, "left "),
        (1, "right"),
    ]
    assert [(event.index, event.text) for event in events if isinstance(event, ToolCallDelta)] == [
        (0, "{"),
        (1, "["),
        (1, "]"),
        (0, "}"),
    ]
    assert [(event.choice, event.reason) for event in events if isinstance(event, Finish)] == [
        (1, "stop"),
        (0, "tool_calls"),
    ]


@pytest.mark.parametrize("end", [b"", DONE])
async def test_u28_one_choice_that_never_finished_makes_the_answer_incomplete(upstream: Upstream, end: bytes) -> None:
    upstream.script("m", Stream([sse(delta("a", index=0)), sse(delta("b", index=1)), sse(delta(finish="stop")), end]))
    _, error = await events_and_error(upstream)
    assert error is not None
    assert error.code == "upstream_stream_interrupted"


async def test_closing_a_stream_closes_the_upstreams_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("a", done=False), Stall()]))
    async with openai_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await anext(stream)
        await stream.aclose()
        await upstream.closed(timeout_s=0.25)


async def test_closing_a_stream_ends_a_read_that_waits(upstream: Upstream) -> None:
    upstream.script("m", Stream([*chat_stream("a", finish=None, done=False), Stall()]))
    async with openai_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        reading = asyncio.create_task(drained(stream))
        await asyncio.sleep(0)
        await stream.aclose()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await upstream.closed(timeout_s=0.25)


async def test_cancelling_a_call_that_waits_for_content_closes_the_connection(upstream: Upstream) -> None:
    upstream.script("m", Stream([sse(delta(role="assistant")), Stall()]))
    async with openai_at(upstream) as provider:
        call = asyncio.create_task(provider.call(chat_call(stream=True)))
        await upstream.received()
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        await upstream.closed(timeout_s=0.25)


async def test_a_client_that_does_not_read_holds_the_upstream_back(upstream: Upstream) -> None:
    frame = sse(delta("x" * 60_000))
    written_all = asyncio.Event()

    class Finished:
        async def play(self, link: object) -> None:
            written_all.set()

    upstream.script("m", Stream([frame] * 400 + [Finished(), *chat_stream("end")]))
    async with openai_at(upstream) as provider:
        stream = await stream_of(provider, chat_call(stream=True))
        await asyncio.wait([asyncio.create_task(written_all.wait())], timeout=SHORT_S)
        assert not written_all.is_set()
        events, error = await drained(stream)
    assert (len(text_of(events)), error) == (400 * 60_000 + 3, None)


async def ends(pieces: list[bytes]) -> tuple[list[tuple[object, ...]], str]:
    stream = UpstreamStream(Pieces(pieces), OPENAI_CHAT.stream_decoder(), SseParser(), BIG_CAP)
    seen: list[tuple[object, ...]] = []
    try:
        async for event in stream:
            frame = event.frame
            seen.append((type(event), event.choice, getattr(event, "text", ""), frame and frame.body))
    except UpstreamError as error:
        return seen, error.code
    return seen, ""


PARTS = [
    *chat_stream("a", "é🙂", "\\u00e9"),
    sse(delta(finish="stop")),
    sse(delta("b", index=1)),
    b"data: oops\n\n",
    b"event: ping\r\ndata:\r\n\r\n",
    b": comment\n\n",
    b"data: {",
]


@promised()
@given(st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join), st.lists(st.integers(min_value=0), max_size=20))
async def test_p8_any_byte_split_of_an_upstreams_stream_gives_the_same_events(wire: bytes, places: list[int]) -> None:
    at = sorted({0, len(wire), *(place % (len(wire) + 1) for place in places)})
    pieces = [wire[start:end] for start, end in pairwise(at)]
    assert await ends(pieces) == await ends([wire] if wire else [])
