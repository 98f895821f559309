"""Bodies that an upstream compresses although it was asked not to."""

from __future__ import annotations

import zlib

from sentinel_core.errors import UpstreamError

PIECE_BYTES = 256 * 1024
"""What one step may produce: about a millisecond of the loop's time."""

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_HEADER_BYTES = 2


class Decompressor:
    """gzip and deflate in bounded steps, so that a thousandfold bomb costs no more memory than one piece."""

    def __init__(self, *, may_be_raw: bool) -> None:
        self._may_be_raw = may_be_raw
        self._packed = b""
        self._head = b""  # too short to show what it is the head of
        self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        self._begun = False

    @property
    def pending(self) -> bool:
        """There is input that `step` has not turned into output yet."""
        return bool(self._packed)

    def feed(self, packed: bytes) -> None:
        """Take more input. Call only when nothing is pending."""
        if not self._begun:
            packed, self._head = self._head + packed, b""
            if len(packed) < _HEADER_BYTES:
                self._head = packed
                return
            self._begun = True
            if self._may_be_raw and not _is_zlib(packed):
                self._inflate = zlib.decompressobj(_RAW_DEFLATE)
        self._packed = packed

    def step(self) -> bytes:
        """The next piece, of at most `PIECE_BYTES`. Raises `UpstreamError` if the body is not what its header says."""
        if self._inflate.eof:  # gzip members may follow each other (RFC 1952, section 2.2)
            self._inflate = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            piece = self._inflate.decompress(self._packed, PIECE_BYTES)
        except zlib.error as exc:
            raise UpstreamError("upstream_invalid_response") from exc
        self._packed = self._inflate.unconsumed_tail or self._inflate.unused_data
        return piece

    def end(self) -> None:
        """The input is over. Raises `UpstreamError` if the compressed stream is not."""
        if self._head or (self._begun and not self._inflate.eof):
            raise UpstreamError("upstream_stream_interrupted")


def decompressor(encoding: str, *, needed: bool = True) -> Decompressor | None:
    """What a `Content-Encoding` needs; None for identity.

    Raises `UpstreamError` for what nobody asked for, or leaves it packed where what it says is not `needed`.
    """
    name = encoding.strip().lower()
    if name in ("", "identity"):
        return None
    if name in ("gzip", "x-gzip", "deflate"):
        return Decompressor(may_be_raw=name == "deflate")
    if not needed:
        return None
    raise UpstreamError("upstream_invalid_response")


def _is_zlib(packed: bytes) -> bool:
    """Some servers mean by `deflate` a stream without zlib's header (RFC 9110, section 8.4.1.2; RFC 1950, 2.2)."""
    return packed[0] & 0x0F == zlib.DEFLATED and int.from_bytes(packed[:_HEADER_BYTES], "big") % 31 == 0
