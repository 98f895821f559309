"""The head that asks for a WebSocket (RFC 6455, section 4.2.1)."""

from __future__ import annotations

from collections.abc import Iterable

VERSION = b"13"


def is_refused(headers: Iterable[tuple[bytes, bytes]], *, followed: bool) -> bool:
    """Whether this head asks for a WebSocket and may not have one.

    Names are lower case. `followed` says that bytes came with the head: a client has to wait for the answer before it
    sends a frame (section 4.1).
    """
    fields = dict(headers)
    tokens = {token.strip().lower() for token in fields.get(b"connection", b"").split(b",")}
    if fields.get(b"upgrade", b"").strip().lower() != b"websocket" or b"upgrade" not in tokens:
        return False
    whole = b"host" in fields and b"sec-websocket-key" in fields
    return followed or not whole or fields.get(b"sec-websocket-version") != VERSION
