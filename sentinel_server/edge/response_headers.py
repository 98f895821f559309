"""What of an exchange goes into the head of its response."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

from sentinel_core.context import Context
from sentinel_server.edge.cors import RawHeaders

if TYPE_CHECKING:
    from sentinel_server.edge.transaction import Transaction

log = logging.getLogger("sentinel.server")

_NAME = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_VALUE = re.compile(r"[\t -~\x80-\xff]*")
_OWN = frozenset(
    {"connection", "content-length", "content-type", "server-timing", "transfer-encoding", "upgrade", "x-request-id"}
)


def commit(ctx: Context) -> RawHeaders:
    """The headers that stages and provider set, as they leave; what is set from here on is dropped.

    One that is not a header (RFC 9110 section 5) or belongs to the server is left out and logged: a line break in a
    value would start another header.
    """
    ctx.headers.committed = True
    return wire_headers(ctx.headers)


def wire_headers(headers: Mapping[str, str]) -> RawHeaders:
    """These headers as ASGI takes them, without those that are none."""
    names, values = [name for name in map(_wire_name, headers) if name is not None], headers.values()
    try:
        text = "".join(values)
    except TypeError:  # a stage that went around `ctx.headers[name]` may have set anything
        return _checked(headers)
    if len(names) == len(values) and text.isascii() and text.isprintable():  # nearly always, and seen at once
        return tuple(zip(names, map(str.encode, values), strict=True))
    return _checked(headers)


def _checked(headers: Mapping[str, str]) -> RawHeaders:
    """One after the other, for there may be some that are none."""
    fields = []
    for name, value in headers.items():
        own = _wire_name(name)
        if own is None or not _is_value(value):
            log.warning("a response header was dropped: %r is not one that may be set", name)
        else:
            fields.append((own, value.encode("latin-1")))
    return tuple(fields)


def _is_value(value: object) -> bool:
    return isinstance(value, str) and ((value.isascii() and value.isprintable()) or bool(_VALUE.fullmatch(value)))


@lru_cache(maxsize=1024)
def _wire_name(name: object) -> bytes | None:
    """The name as it leaves; None if it is none, or the server's own."""
    return name.encode("ascii") if isinstance(name, str) and name not in _OWN and _NAME.fullmatch(name) else None


def server_timing(tx: Transaction, ctx: Context) -> tuple[bytes, bytes]:
    """`Server-Timing`: milliseconds per stage, and in all (https://www.w3.org/TR/server-timing/)."""
    spans = [seconds * 1000 for seconds in ctx.stage_seconds]
    return (b"server-timing", _timing_form(ctx.stage_names) % (*spans, tx.elapsed_s() * 1000))


@lru_cache(maxsize=64)
def _timing_form(stages: tuple[str, ...]) -> bytes:
    """The header with room for one number per stage: stages change only with a reload."""
    return ", ".join(f"{name};dur=%.2f" for name in (*stages, "total")).encode("ascii")
