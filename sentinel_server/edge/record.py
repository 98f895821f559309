"""From a transaction to its line in the access log."""

from __future__ import annotations

import re
import time

from starlette.types import Scope

from sentinel_core.attempt import made, served
from sentinel_server import access_log
from sentinel_server.edge.transaction import Transaction
from sentinel_server.termination import termination

CLIENT_LEFT = 499
"""The status of a request whose client was gone before any was sent, as nginx has it."""
_PRINTABLE = re.compile(r"[!-~]*")


def write_record(tx: Transaction) -> None:
    """Write the access record, if anybody keeps them. Call once, when the response is over."""
    if access_log.enabled():
        access_log.write(_record(tx))


def _record(tx: Transaction) -> access_log.AccessRecord:
    ctx, method = tx.ctx, tx.scope.get("method", "GET")
    attempts = made(ctx.attempts) if ctx else []
    call = served(attempts)
    model = (ctx.request.model or (call.target.model if call else None)) if ctx else None
    return access_log.AccessRecord(
        time=access_log.timestamp(time.time()),
        id=tx.id,
        method=access_log.field(method),
        path=access_log.field(_shown_path(tx.scope)),
        status=tx.status or CLIENT_LEFT,
        duration_ms=round(tx.elapsed_s() * 1000, 3),
        bytes_in=tx.bytes_in,
        bytes_out=0 if method == "HEAD" else tx.bytes_out,
        model=access_log.field(model) if model else None,
        provider=call.target.provider if call else None,
        attempts=len(attempts),
        stream=bool(ctx and ctx.request.stream),
        end=termination(
            tx.error,
            attempts,
            cause=tx.cause,
            at=tx.cause_at,
            body_read=tx.body_read,
            answering=tx.first_byte,
        ),
        error=tx.error.code if tx.error else None,
    )


def _shown_path(scope: Scope) -> str:
    """The path as it was sent, escaped: never decoded, because that would write the client's own lines (0.14)."""
    raw = scope.get("raw_path")
    text: str = scope["path"] if raw is None else raw.decode("latin-1")
    if _PRINTABLE.fullmatch(text):
        return text
    return "".join(char if "!" <= char <= "~" else f"%{ord(char):02X}" for char in text)
