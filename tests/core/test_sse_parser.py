"""The SSE parser: the standard's rules, and the same events wherever the bytes are cut (P8)."""

from __future__ import annotations

import re
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.sse import SseEvent, SseParser
from sentinel_core.errors import UpstreamError
from tests.core.dialects.cuts import bytewise, cut, payloads, payloads_and_end
from tests.properties import promised


def oracle(stream: bytes) -> list[SseEvent]:
    """The standard's algorithm over the whole text at once, with the last event flushed."""
    lines = re.split(rb"\r\n|\r|\n", stream.removeprefix(b"\xef\xbb\xbf"))
    events: list[SseEvent] = []
    data: list[bytes] = []
    name = ""
    for line in [*lines, b""]:
        if line == b"":
            if data:
                events.append(SseEvent(b"\n".join(data), name))
            data, name = [], ""
            continue
        field, _, value = line.partition(b":")
        value = value[1:] if value.startswith(b" ") else value
        if field == b"data":
            data.append(value)
        elif field == b"event":
            name = value.decode("utf-8", "replace")
    return events


def parse(pieces: list[bytes], **options: int) -> list[SseEvent]:
    return payloads(SseParser(**options), pieces)


DIRT = [
    b"data: {}",
    b"data:",
    b"data",
    b"data:x",
    b"data:  y",
    b"event: ping",
    b"event",
    b"id: 1",
    b"retry: 5",
    b": comment",
    b":",
    b"other",
    "data: é\u2028".encode(),
    b"data: \x00\xff",
    b"\xef\xbb\xbf",
    b"\xef\xbb",
    b"",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
]
streams = st.lists(st.one_of(st.sampled_from(DIRT), st.sampled_from(DIRT[-4:]), st.binary(max_size=6))).map(b"".join)


@promised()
@given(streams, st.lists(st.integers(min_value=0)))
def test_p8_any_split_gives_the_events_of_the_whole_text(stream: bytes, places: list[int]) -> None:
    assert parse(cut(stream, places)) == oracle(stream)


@promised()
@given(streams)
def test_p8_byte_by_byte_gives_the_events_of_the_whole_text(stream: bytes) -> None:
    assert parse(bytewise(stream)) == oracle(stream)


@promised()
@given(streams, st.lists(st.integers(min_value=0)), st.integers(min_value=1, max_value=8))
def test_p8_the_cap_strikes_at_the_same_event_wherever_the_bytes_are_cut(
    stream: bytes, places: list[int], cap: int
) -> None:
    assert payloads_and_end(SseParser(cap), cut(stream, places)) == payloads_and_end(SseParser(cap), [stream])


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_u10_line_ends_bom_comments_and_unknown_fields_change_nothing(end: bytes) -> None:
    lines = [b"\xef\xbb\xbf: hello", b"id: 7", b"retry: 10", b"", b'data:{"a":', b"data: 1}", b"", b"event: ping", b""]
    assert parse([end.join(lines)]) == [SseEvent(b'{"a":\n1}')]


def test_a_name_belongs_to_one_event_only() -> None:
    assert parse([b"event: error\ndata: 1\n\ndata: 2\n\n"]) == [SseEvent(b"1", "error"), SseEvent(b"2")]


def test_u10_a_missing_final_blank_line_or_line_end_loses_nothing() -> None:
    assert parse([b"data: [DONE]"]) == parse([b"data: [DONE]\n"]) == parse([b"data: [DONE]\n\n"])


def test_a_cr_at_the_end_of_a_chunk_completes_the_event_at_once() -> None:
    parser = SseParser()
    assert parser.feed(b"data: 1\r\n\r") == [SseEvent(b"1")]
    assert parser.feed(b"\ndata: 2\n\n") == [SseEvent(b"2")]


def test_an_event_at_the_cap_passes_and_one_byte_more_does_not() -> None:
    assert parse([b"data: 1234\n\ndata: 12\ndata:4\n\n"], max_event_bytes=4)[1] == SseEvent(b"12\n4")
    for stream in (b"data: 12345\n\n", b"data: 12\ndata: 34\n\n", b": a long comment without end"):
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            parse([stream], max_event_bytes=4)


def test_u11_events_before_an_oversized_one_are_handed_out_first() -> None:
    parser = SseParser(max_event_bytes=4)
    assert parser.feed(b"data: 1\n\ndata: 12345\n\ndata: 2\n\n") == [SseEvent(b"1")]
    for _ in range(2):
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            parser.feed(b"data: 3\n\n")


def test_u11_an_endless_line_is_cut_off_within_the_cap() -> None:
    parser = SseParser(max_event_bytes=1 << 16)
    tracemalloc.start()
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        all(parser.feed(b"x" * 4096) == [] for _ in range(1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 16


lines = st.lists(st.sampled_from([line for line in DIRT if b"\n" not in line and b"\r" not in line]), max_size=8)


@promised()
@given(lines)
def test_p8_lf_crlf_and_cr_are_the_same(written: list[bytes]) -> None:
    lf, crlf, cr = (parse([end.join([*written, b"", b""])]) for end in (b"\n", b"\r\n", b"\r"))
    assert lf == crlf == cr
