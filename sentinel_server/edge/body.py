"""Reading a request's body within its limits, and getting rid of one that nobody wants."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.types import Message, Receive

from sentinel_core.errors import Refusal

if TYPE_CHECKING:
    from sentinel_server.edge.transaction import Transaction

LINGER_S = 2.0
LINGER_BYTES = 64 * 1024 * 1024


async def read_body(tx: Transaction, receive: Receive, max_bytes: int) -> bytes:
    """The whole body. Raises `Refusal`: request_too_large (H26), incomplete_body where it ends early (C09).

    Never holds more than `max_bytes`, whatever the declared length says. How long it may take is the watch's matter.
    """
    if tx.length is not None and tx.length > max_bytes:
        raise Refusal("request_too_large")
    message = await receive()
    body: bytes = message.get("body", b"")
    if message["type"] == "http.request" and message.get("more_body", False):
        message, body = await _read_on(receive, body, max_bytes)
    tx.bytes_in = len(body)
    if message["type"] == "http.disconnect":
        tx.ended("client")
        raise Refusal("incomplete_body")
    if len(body) > max_bytes:
        raise Refusal("request_too_large")
    tx.body_read = True
    if tx.length is not None and tx.length != len(body):
        raise Refusal("incomplete_body")
    return body


async def _read_on(receive: Receive, first: bytes, max_bytes: int) -> tuple[Message, bytes]:
    """The message that ended the body, and what came of it: at most one message more than `max_bytes`."""
    chunks = bytearray(first)
    message: Message = {"type": "http.request", "more_body": True}
    while message["type"] == "http.request" and message.get("more_body", False) and len(chunks) <= max_bytes:
        message = await receive()
        chunks += message.get("body", b"")
    return message, bytes(chunks)


async def discard_body(receive: Receive) -> None:
    """Read on for a while after an early answer, so that the answer is not lost in a reset (lingering close), and so
    that HTTP/2 does not meet data on a stream that is already over (reliability 0.9)."""
    seen = 0
    try:
        async with asyncio.timeout(LINGER_S):
            while seen <= LINGER_BYTES:
                message = await receive()
                if message["type"] != "http.request" or not message.get("more_body", False):
                    return
                seen += len(message.get("body", b""))
    except TimeoutError:
        return
