"""The head of one request: its headers, checked once, in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TypeVar, overload

from sentinel_core.errors import Refusal

_SINGLE = frozenset({b"host", b"content-length", b"content-type", b"transfer-encoding", b"origin", b"x-request-id"})
"""Headers that mean one thing only: repeated, two readers may pick different ones."""
_CREDENTIALS = (b"authorization", b"x-api-key", b"x-admin-key")
_LENGTH = re.compile(rb"[0-9]{1,18}")
_HOST = re.compile(rb"(?:[A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,64}\])(?::[0-9]{1,5})?")
_NOT_SERVED = "The Host header names nothing that is served here. [server] allowed_hosts of the gateway says what is."
_JSON = re.compile(rb"\s*application/json\s*(?:;\s*charset\s*=\s*\"?utf-8\"?\s*)?;?\s*", re.IGNORECASE)


T = TypeVar("T")


class Headers(Mapping[str, str]):
    """Headers as text, decoded when somebody looks. Names are lower case; repeated ones are joined by commas."""

    __slots__ = ("_raw",)

    def __init__(self, raw: Mapping[bytes, bytes]) -> None:
        self._raw = raw

    def __getitem__(self, name: str) -> str:
        return self._raw[_raw_name(name)].decode("latin-1")

    @overload
    def get(self, name: str) -> str | None: ...
    @overload
    def get(self, name: str, default: str | T) -> str | T: ...
    def get(self, name: str, default: str | T | None = None) -> str | T | None:
        """The header, or `default`. The mapping's own way is to raise an exception and to catch it."""
        value = self._raw.get(_raw_name(name))
        return default if value is None else value.decode("latin-1")

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and _raw_name(name) in self._raw

    def __iter__(self) -> Iterator[str]:
        return (name.decode("latin-1") for name in self._raw)

    def __len__(self) -> int:
        return len(self._raw)


@lru_cache(maxsize=256)
def _raw_name(name: str) -> bytes:
    return name.lower().encode("latin-1", "replace")


def read_headers(raw: Iterable[tuple[bytes, bytes]], *, max_count: int, max_bytes: int) -> dict[bytes, bytes]:
    """The headers by name, none of them ambiguous. Raises `Refusal`.

    headers_too_large (H13), invalid_framing and invalid_host for a repeated length or host (H02, H08), invalid_header
    for other repetitions, invalid_api_key for two credentials (H12).
    """
    headers: dict[bytes, bytes] = {}
    size = count = 0
    for name, value in raw:
        count += 1
        size += len(name) + len(value)
        if name in headers:
            value = _repeated(name, headers[name], value)
        headers[name] = value
    if count > max_count or size > max_bytes:
        raise Refusal("headers_too_large")
    return headers


def _repeated(name: bytes, first: bytes, second: bytes) -> bytes:
    if name in _SINGLE:
        if name == b"host":
            raise Refusal("invalid_host")
        framing = name in (b"content-length", b"transfer-encoding")
        raise Refusal("invalid_framing" if framing else "invalid_header")
    if name in _CREDENTIALS:
        raise Refusal("invalid_api_key")
    return first + (b"; " if name == b"cookie" else b", ") + second


def body_length(headers: Mapping[bytes, bytes]) -> int | None:
    """The declared length, 0 without a body, None for a chunked one. Raises `Refusal` (invalid_framing).

    RFC 9112 section 6: both lengths at once are an attack until proven otherwise (H01), a length is digits (H03), and
    the only transfer coding is chunked (H04).
    """
    length = headers.get(b"content-length")
    coding = headers.get(b"transfer-encoding")
    if coding is None:
        if length is None:
            return 0
        if _LENGTH.fullmatch(length):
            return int(length)
    elif length is None and coding.lower() == b"chunked":
        return None
    raise Refusal("invalid_framing")


def check_credentials(headers: Mapping[bytes, bytes]) -> None:
    """Raise `Refusal` (invalid_api_key) where two credentials disagree: nobody may choose which one counts (H12)."""
    if b"authorization" in headers and b"x-api-key" in headers:
        scheme, _, token = headers[b"authorization"].partition(b" ")
        if scheme.lower() == b"bearer" and token.strip() != headers[b"x-api-key"].strip():
            raise Refusal("invalid_api_key")


def check_host(headers: Mapping[bytes, bytes], allowed: tuple[str, ...], http_version: str) -> None:
    """Raise `Refusal` (invalid_host) unless there is one well-formed host that is served here (H08, H09).

    `allowed` holds exact names and `*.suffix` patterns; empty allows every name. HTTP/1.0 has no Host.
    """
    host = headers.get(b"host")
    if host is None:
        if http_version == "1.0" and not allowed:
            return
        raise Refusal("invalid_host")
    if not _is_served(host, allowed):
        raise Refusal("invalid_host", _NOT_SERVED if _HOST.fullmatch(host) else None)


@lru_cache(maxsize=256)
def _is_served(host: bytes, allowed: tuple[str, ...]) -> bool:
    if not _HOST.fullmatch(host):
        return False
    name = re.sub(rb":[0-9]+$", b"", host).decode().lower()
    return not allowed or any(
        name.endswith(pattern[1:].lower()) if pattern.startswith("*.") else name == pattern.lower()
        for pattern in allowed
    )


def check_json(headers: Mapping[bytes, bytes]) -> None:
    """Raise `Refusal` (unsupported_media_type) unless the body is JSON in UTF-8 without content coding (H25)."""
    kind = headers.get(b"content-type")
    if kind != b"application/json" and (kind is None or not _JSON.fullmatch(kind)):
        raise Refusal("unsupported_media_type")
    coding = headers.get(b"content-encoding")
    if coding is not None and coding.strip().lower() not in (b"", b"identity"):
        raise Refusal("unsupported_media_type")
