"""Bodies that are compressed although nobody asked: unpacked in bounded steps, or refused."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.errors import UpstreamError
from sentinel_plugins.http.decompress import PIECE_BYTES, decompressor
from sentinel_plugins.http.pools import AiohttpPools
from tests.upstream import Reply, Upstream, gzip_bomb


def raw_deflate(plain: bytes) -> bytes:
    pack = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return pack.compress(plain) + pack.flush()


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda plain: gzip.compress(plain),
    "x-gzip": lambda plain: gzip.compress(plain[:3]) + gzip.compress(plain[3:]),
    "deflate": lambda plain: zlib.compress(plain),
    "Deflate ": raw_deflate,
}


def unpacked(encoding: str, pieces: list[bytes]) -> Iterator[bytes]:
    unpack = decompressor(encoding)
    assert unpack is not None
    for piece in filter(None, pieces):
        unpack.feed(piece)
        while unpack.pending:
            yield unpack.step()
    unpack.end()


@given(st.binary(), st.sampled_from(sorted(PACKERS)), st.integers(min_value=1, max_value=50))
def test_any_cut_of_any_encoding_unpacks_to_the_same_bytes(plain: bytes, encoding: str, size: int) -> None:
    packed = PACKERS[encoding](plain)
    pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
    assert b"".join(unpacked(encoding, pieces)) == plain


def test_no_step_gives_more_than_a_piece_and_none_is_lost() -> None:
    sizes = [len(piece) for piece in unpacked("gzip", [gzip_bomb(4 << 20)])]
    assert (max(sizes), sum(sizes)) == (PIECE_BYTES, 4 << 20)


def test_identity_needs_nothing() -> None:
    assert decompressor("") is decompressor("identity") is None


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, br", "compress"])
def test_u24_an_encoding_nobody_asked_for_is_not_valid(encoding: str) -> None:
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        decompressor(encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_u24_a_body_that_is_not_what_its_header_says_is_not_valid(encoding: str) -> None:
    with pytest.raises(UpstreamError, match="upstream_invalid_response"):
        list(unpacked(encoding, [b"plain text"]))


@pytest.mark.parametrize("length", [1, 2, 12, 20])
def test_a_compressed_body_that_breaks_off_is_interrupted(length: int) -> None:
    with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
        list(unpacked("gzip", [gzip.compress(b"text")[:length]]))


async def test_u22_a_bomb_is_aborted_at_the_cap_in_bounded_memory(upstream: Upstream) -> None:
    upstream.script(None, Reply(gzip_bomb(64 << 20), headers=[("Content-Encoding", "gzip")]))
    async with AiohttpPools().pool(connections=1) as pool:
        response = await pool.send("GET", upstream.base_url, headers={})
        tracemalloc.start()
        with pytest.raises(UpstreamError, match="upstream_invalid_response"):
            await response.read(4 << 20)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await response.abort()
    assert peak < 8 << 20


async def test_u24_a_compressed_answer_is_read_like_any_other(upstream: Upstream) -> None:
    upstream.script(None, Reply(gzip.compress(b"fine"), headers=[("Content-Encoding", "gzip")]))
    async with AiohttpPools().pool(connections=1) as pool:
        response = await pool.send("GET", upstream.base_url, headers={})
        assert await response.read(100) == b"fine"
        await response.release()
