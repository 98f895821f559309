"""The parser of newline-delimited JSON: the same lines wherever the bytes are cut (P8), within its cap."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.dialects.ndjson import NdjsonParser
from sentinel_core.dialects.sse import SseEvent
from sentinel_core.errors import UpstreamError
from tests.core.dialects.cuts import bytewise, cut, payloads, payloads_and_end
from tests.properties import promised


def oracle(stream: bytes) -> list[SseEvent]:
    """Every line of the whole text that holds more than white space."""
    return [SseEvent(line.strip(b" \t\r")) for line in stream.split(b"\n") if line.strip(b" \t\r")]


def parse(pieces: list[bytes], **options: int) -> list[SseEvent]:
    return payloads(NdjsonParser(**options), pieces)


DIRT = [
    b'{"a":1}',
    "{'é\u2028'}".encode(),
    b"\x00\xff",
    b"\xef\xbb\xbf",
    b" ",
    b"\t",
    b"\r",
    b"\n",
    b"\n\n",
    b"\r\n",
    b"",
]
streams = st.lists(st.sampled_from(DIRT) | st.binary(max_size=6)).map(b"".join)


@promised()
@given(streams, st.lists(st.integers(min_value=0)))
def test_p8_any_split_gives_the_lines_of_the_whole_text(stream: bytes, places: list[int]) -> None:
    assert parse(cut(stream, places)) == oracle(stream)


@promised()
@given(streams)
def test_p8_byte_by_byte_gives_the_lines_of_the_whole_text(stream: bytes) -> None:
    assert parse(bytewise(stream)) == oracle(stream)


@promised()
@given(streams, st.lists(st.integers(min_value=0)), st.integers(min_value=1, max_value=8))
def test_p8_the_cap_strikes_at_the_same_line_wherever_the_bytes_are_cut(
    stream: bytes, places: list[int], cap: int
) -> None:
    assert payloads_and_end(NdjsonParser(cap), cut(stream, places)) == payloads_and_end(NdjsonParser(cap), [stream])


def test_u10_crlf_blank_lines_and_a_missing_end_change_nothing() -> None:
    assert parse([b'\r\n\n{"a":1}\r\n \t\n{"b":2}']) == [SseEvent(b'{"a":1}'), SseEvent(b'{"b":2}')]


def test_a_line_leaves_as_soon_as_its_end_is_there() -> None:
    parser = NdjsonParser()
    assert parser.feed(b"1\n2") == [SseEvent(b"1")]
    assert parser.feed(b"\n") == [SseEvent(b"2")]


def test_a_line_at_the_cap_passes_and_one_byte_more_does_not() -> None:
    assert parse([b"1234\n12\n"], max_event_bytes=4) == [SseEvent(b"1234"), SseEvent(b"12")]
    for stream in (b"12345\n", b"12345", b"     \n"):
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            parse([stream], max_event_bytes=4)


def test_u11_lines_before_an_oversized_one_are_handed_out_first() -> None:
    parser = NdjsonParser(max_event_bytes=4)
    assert parser.feed(b"1\n12345\n2\n") == [SseEvent(b"1")]
    for _ in range(2):
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            parser.feed(b"3\n")
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        parser.close()


def test_u11_an_endless_line_is_cut_off_within_the_cap() -> None:
    parser = NdjsonParser(max_event_bytes=1 << 16)
    tracemalloc.start()
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        all(parser.feed(b"x" * 4096) == [] for _ in range(1 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 << 16
