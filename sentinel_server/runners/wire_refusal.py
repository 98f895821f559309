"""What a client is told when its bytes are refused before any application sees them."""

from __future__ import annotations

import os
from http import HTTPStatus

import msgspec

from sentinel_core.errors import ERRORS
from sentinel_server.runners.http_date import http_date


def refusal(code: str) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body for one row of the error table, with `connection: close`."""
    kind = ERRORS[code]
    error = {"message": kind.message, "type": kind.type, "param": None, "code": code}
    body = msgspec.json.encode({"error": error})
    headers = [
        (b"date", http_date()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", os.urandom(16).hex().encode()),
        (b"x-should-retry", b"true" if kind.should_retry else b"false"),
        (b"connection", b"close"),
    ]
    if kind.status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers += [(b"retry-after", b"1"), (b"retry-after-ms", b"1000")]
    return kind.status, headers, body


def refusal_bytes(code: str) -> bytes:
    """The same as one HTTP/1.1 response."""
    status, headers, body = refusal(code)
    head = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode()]
    head += [name + b": " + value for name, value in headers]
    return b"\r\n".join(head) + b"\r\n\r\n" + body
