"""U08 to U11, U21, U25, U28: streams that stall, break, lie, drip, or do not end where they say so.

What came before a fault is handed out before it, and nothing looks like an end that was none.
"""

from __future__ import annotations

import pytest

from sentinel_core.dialects.base import Dialect
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.json_types import TomlValue
from tests.plugins.providers.calls import SHORT_S
from tests.plugins.providers.faults.rig import (
    CALLING,
    SAID,
    badly_chunked,
    began,
    calls_of,
    complete,
    framed,
    heard_of,
    is_sse,
    streamed,
)
from tests.upstream import Close, Drip, Part, Raw, Reset, Scenario, Stall, Upstream, head
from tests.upstream.api import Said
from tests.upstream.apis import Spoken, over


async def ends_in(spoken: Spoken, upstream: Upstream, client: Dialect, code: str, **config: TomlValue) -> None:
    """The whole text came, then this error, and no finish."""
    heard = await heard_of(spoken, upstream, True, client, **config)
    assert (heard.text, heard.code, heard.finishes) == (SAID.text, code, [])


async def is_whole(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    """The whole text came, and its end."""
    heard = await heard_of(spoken, upstream, True, client)
    assert (heard.text, heard.error, heard.finishes) == (SAID.text, None, [SAID.finish])


async def test_u08_a_stall(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    upstream.script(None, streamed(spoken, began(spoken), [Stall()]))
    await ends_in(spoken, upstream, client, "upstream_timeout", idle_timeout_s=SHORT_S)
    await upstream.closed(timeout_s=1)


@pytest.mark.parametrize("break_", ["rst", "fin", "short length", "truncated chunk", "bad chunk"])
async def test_u09a_a_body_that_breaks_off(spoken: Spoken, upstream: Upstream, client: Dialect, break_: str) -> None:
    came = b"".join(began(spoken))
    kind = ("Content-Type", spoken.api.content_type)
    scenarios: dict[str, Scenario] = {
        "rst": streamed(spoken, [came, Reset()]),
        "fin": streamed(spoken, [came, Close()]),
        "short length": Raw([head(200, [kind, ("Content-Length", "99999")]) + came]),
        "truncated chunk": Raw([head(200, [kind, ("Transfer-Encoding", "chunked")]) + b"ffff\r\n" + came]),
        "bad chunk": badly_chunked(came, spoken.api.content_type),
    }
    upstream.script(None, scenarios[break_])
    await ends_in(spoken, upstream, client, "upstream_stream_interrupted")


@pytest.mark.parametrize("eof", [False, True], ids=["chunked", "eof"])
async def test_u09b_a_clean_end_without_a_finish(
    spoken: Spoken, upstream: Upstream, client: Dialect, eof: bool
) -> None:
    upstream.script(None, streamed(spoken, began(spoken), eof=eof))
    await ends_in(spoken, upstream, client, "upstream_stream_interrupted")


async def test_u09b_an_event_that_was_cut_off(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    end = spoken.api.stream(SAID).ending[0]
    upstream.script(None, streamed(spoken, began(spoken), [end[: len(end) // 2]], eof=True))
    await ends_in(spoken, upstream, client, "upstream_stream_interrupted")


async def test_u09b_an_end_before_anything(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    upstream.script(None, streamed(spoken))
    heard = await heard_of(spoken, upstream, True, client)
    assert (heard.opened, heard.code) == (False, "upstream_stream_interrupted")


@pytest.mark.parametrize("eof", [False, True], ids=["chunked", "eof"])
async def test_u09c_an_end_after_the_finish(spoken: Spoken, upstream: Upstream, client: Dialect, eof: bool) -> None:
    upstream.script(None, streamed(spoken, complete(spoken, spoken.api.stream(SAID)), eof=eof))
    await is_whole(spoken, upstream, client)


@over(lambda spoken: spoken.end == "marker")
async def test_u09d_the_end_marker_without_a_finish(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    upstream.script(None, streamed(spoken, began(spoken), spoken.api.stream(SAID).ending[-1:]))
    await ends_in(spoken, upstream, client, "upstream_stream_interrupted")


def dirty(spoken: Spoken, wire: bytes, end: bytes) -> bytes:
    """The same stream with everything between and in its events that the framing lets pass."""
    if not is_sse(spoken):
        return b"\n \n" + wire.replace(b"\n", b" \n\n").removesuffix(b" \n\n").replace(b"\n", end)
    several_lines = wire.replace(b"data: {", b"data:{\ndata: ")
    noise = b"\xef\xbb\xbf: hi\n\nid: 1\nretry: 5\n\nevent: ping\n\ndata:\n\n: more\n\nunknown: x\nid\n"
    return (noise + several_lines).removesuffix(b"\n\n").replace(b"\n", end)


@pytest.mark.parametrize("said", [SAID, CALLING], ids=["text", "calls"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
async def test_u10_dirt_in_every_place_and_a_cut_at_every_byte(
    spoken: Spoken, upstream: Upstream, client: Dialect, end: bytes, said: Said
) -> None:
    if end == b"\r" and not is_sse(spoken):
        end = b"\r\n"  # of lines of JSON, a CR alone is no end
    wire = b"".join(spoken.api.stream(said).whole)
    dirt = dirty(spoken, wire, end)
    pieces = [dirt[at : at + 1] for at in range(len(dirt))]
    upstream.script(None, streamed(spoken, [wire]), streamed(spoken, pieces))
    clean = await heard_of(spoken, upstream, True, client)
    heard = await heard_of(spoken, upstream, True, client)
    assert (heard.error, heard.text, heard.reasoning) == (None, said.text, said.reasoning)
    assert (heard.calls, heard.finishes, heard.usage) == (clean.calls, [said.finish], clean.usage)
    assert heard.called(client) == calls_of(said)


BAD_EVENTS = {
    "not json": b"oops",
    "half json": b'{"a":',
    "nul": b"\x00",
    "list": b"[]",
    "number": b"1",
    "too deep": b'{"a":' * 100 + b"1" + b"}" * 100,
    "over 1 MiB": b'"' + b"x" * (1 << 20) + b'"',
}


@pytest.mark.parametrize("bad", BAD_EVENTS.values(), ids=BAD_EVENTS)
async def test_u11_an_event_that_is_none(spoken: Spoken, upstream: Upstream, client: Dialect, bad: bytes) -> None:
    upstream.script(None, streamed(spoken, [b"".join([*began(spoken), framed(spoken, bad)])]))
    await ends_in(spoken, upstream, client, "upstream_invalid_response")


async def test_u11_a_text_that_is_no_utf_8(spoken: Spoken, upstream: Upstream, client: Dialect) -> None:
    bad = b"".join(spoken.api.stream(Said("wxyz")).content).replace(b"w", b"\xff")
    upstream.script(None, streamed(spoken, [b"".join([*began(spoken), bad])]))
    await ends_in(spoken, upstream, client, "upstream_invalid_response")


async def test_u21_a_drip_that_never_ends(spoken: Spoken, upstream: Upstream) -> None:
    upstream.script(None, streamed(spoken, began(spoken), [Drip(b"\n", 0.01, forever=True)], eof=True))
    await ends_in(spoken, upstream, OPENAI_CHAT, "upstream_timeout", total_timeout_s=3 * SHORT_S)
    await upstream.closed(timeout_s=1)


@over(lambda spoken: spoken.end != "eof")
@pytest.mark.parametrize("after", ["silence", "a second end", "more"])
async def test_u25_nothing_is_read_past_the_end(
    spoken: Spoken, upstream: Upstream, client: Dialect, after: str
) -> None:
    wire = spoken.api.stream(SAID)
    parts: dict[str, list[Part]] = {
        "silence": [Stall()],
        "a second end": [wire.ending[-1], Stall()],
        "more": [*wire.content, framed(spoken, b"oops"), Stall()],
    }
    upstream.script(None, streamed(spoken, wire.whole, parts[after]))
    await is_whole(spoken, upstream, client)
    await upstream.closed(timeout_s=1)


async def test_u28_several_calls_keep_their_order_and_their_arguments(
    spoken: Spoken, upstream: Upstream, client: Dialect
) -> None:
    upstream.script(None, streamed(spoken, spoken.api.stream(CALLING).whole))
    heard = await heard_of(spoken, upstream, True, client)
    assert [*heard.calls] == [0, 1]
    assert heard.called(client) == calls_of(CALLING)
    assert (heard.error, heard.text, heard.reasoning) == (None, CALLING.text, CALLING.reasoning)
