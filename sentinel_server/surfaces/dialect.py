"""One dialect's route: JSON and Server-Sent Events.

Nothing of the client's headers and query reaches an upstream: only the decoded body enters the chain (H30), and what a
surface takes out of the head by name.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import msgspec
from starlette.types import Receive, Scope, Send

from sentinel_core.authenticator import HEAD_CHECK, HeadCheck
from sentinel_core.chain import Delivery
from sentinel_core.context import Client, Context
from sentinel_core.decoding import decode_json
from sentinel_core.dialects.base import Dialect, StreamEncoder
from sentinel_core.endpoints import Policy
from sentinel_core.errors import Refusal, SentinelError
from sentinel_core.gateway import Gateway
from sentinel_core.messages import Answer, Request
from sentinel_server.edge import Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.edge.head import check_json
from sentinel_server.edge.patience import patience_s
from sentinel_server.edge.response_headers import commit, server_timing
from sentinel_server.edge.transaction import note
from sentinel_server.openapi import Operation
from sentinel_server.sse import SseResponse
from sentinel_server.surfaces.extension import CostedEncoder, extended, wants_extension


class Surface(msgspec.Struct, frozen=True):
    """What a route of one dialect declares: the dialect, what the OpenAPI document says of it, and, where it has such
    things, a header of its own for the request's id, what the route and the client's head make of the request, and
    what of a whole answer if not the dialect's own body."""

    dialect: Dialect
    operation: Operation
    id_header: bytes = b""
    annotate: Callable[[Request, Mapping[bytes, bytes]], Request] | None = None
    render: Callable[[Transaction, Context, Answer], bytes] | None = None


class DialectSurface:
    """The route of one dialect as an ASGI application behind the edge.

    Who calls is decided by the chain's authentication: before the body is read where that needs the head alone.
    """

    policy: Policy = "caller"

    def __init__(self, gateway: Gateway, surface: Surface) -> None:
        self._gateway = gateway
        self._dialect = surface.dialect
        self._annotate = surface.annotate
        self._render = surface.render
        self._settings = settings = gateway.settings.server
        self._limits = settings.json_limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. Errors are the edge's to render, except inside a stream."""
        tx = Transaction.of(scope)
        check_json(tx.headers)
        async with Watch(tx, receive, self._settings) as watch:
            client = tx.client()
            check = await self._gateway.admit(client)
            if check is not None and check.error is not None:
                await self._turn_away(tx, client, check)
            raw = await read_body(tx, receive, self._settings.max_body_bytes)
            watch.body_arrived()
            ctx = self._context(tx, client, check, raw)
            await (self._stream(tx, watch, ctx) if ctx.request.stream else self._unary(tx, watch, ctx))

    async def _turn_away(self, tx: Transaction, client: Client, check: HeadCheck) -> None:
        """Raise why, through the chain, so that observers hear of it: a request without a body, for no target."""
        tx.ctx = ctx = Context(Request(self._dialect, {}, self._dialect.operation), id=tx.id, client=client)
        ctx[HEAD_CHECK] = check
        async with self._gateway.open(ctx):
            assert check.error is not None  # nobody else is turned away
            raise check.error

    def _context(self, tx: Transaction, client: Client, check: HeadCheck | None, raw: bytes) -> Context:
        request = self._dialect.decode_request(decode_json(raw, self._limits))
        if self._annotate is not None:
            request = self._annotate(request, tx.headers)
        allowed_s = self._settings.request_timeout_s
        deadline = tx.started + (allowed_s if request.stream else patience_s(tx.headers, allowed_s))
        tx.ctx = ctx = self._gateway.context(request, id=tx.id, client=client, deadline=deadline)
        if check is not None:
            ctx[HEAD_CHECK] = check
        return ctx

    async def _unary(self, tx: Transaction, watch: Watch, ctx: Context) -> None:
        async with self._gateway.open(ctx) as reply:
            assert isinstance(reply, Answer)  # the exchange answers in the form that was asked for
            body = self._body(tx, ctx, reply)
            watch.sending()
            watch.finishing()
            tx.first_byte = True
            await tx.answer(200, body, headers=(*commit(ctx), server_timing(tx, ctx)))
            watch.release()

    def _body(self, tx: Transaction, ctx: Context, answer: Answer) -> bytes:
        if self._render is not None:
            return self._render(tx, ctx, answer)
        body = self._dialect.encode_answer(answer)
        return extended(body, tx, ctx) if wants_extension(tx, self._settings) else body

    async def _stream(self, tx: Transaction, watch: Watch, ctx: Context) -> None:
        encoder: StreamEncoder = self._dialect.stream_encoder(ctx.request)
        if wants_extension(tx, self._settings):
            encoder = CostedEncoder(encoder, ctx)
        quiet_s = self._settings.keep_alive_comment_s
        async with SseResponse(tx, watch, lambda: commit(ctx), quiet_s) as response:
            told: BaseException | None = None
            try:
                async with self._gateway.open(ctx) as reply:
                    assert not isinstance(reply, Answer)  # as above
                    try:
                        await _written(reply, response, encoder)
                    except (Exception, asyncio.CancelledError) as error:
                        await _tell(tx, watch, response, encoder, error)  # nobody waits for `on_finish`
                        told = error
                        raise
            except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - nothing escapes what has started (0.8)
                if error is not told:
                    await _tell(tx, watch, response, encoder, error)


async def _written(reply: Delivery, response: SseResponse, encoder: StreamEncoder) -> None:
    """The whole stream, as it comes."""
    opening = b""
    async for event in reply:
        if data := encoder.encode(event):
            if not response.committed and encoder.opens(event):
                opening += data
                continue
            await response.write(opening + data if opening else data)
            opening = b""
    await response.end(opening + encoder.finish())


async def _tell(
    tx: Transaction, watch: Watch, response: SseResponse, encoder: StreamEncoder, error: BaseException
) -> None:
    """Tell the client how its stream ended. Raises what is not its stream's to tell."""
    if isinstance(error, Exception):
        await _broken(tx, response, encoder, error)
    else:
        await _cancelled(tx, watch, response, encoder)


async def _cancelled(tx: Transaction, watch: Watch, response: SseResponse, encoder: StreamEncoder) -> None:
    """Tell the client what a cancellation means to its stream, if there is somebody to tell."""
    if watch.cause is not None:
        error = watch.error()
        if error is None:
            raise asyncio.CancelledError
        await _broken(tx, response, encoder, error)
        return
    if response.committed and not tx.complete:  # the server ends, and the runner leaves a moment for this
        await _broken(tx, response, encoder, Refusal("draining"))
    raise asyncio.CancelledError


async def _broken(tx: Transaction, response: SseResponse, encoder: StreamEncoder, error: Exception) -> None:
    """One error event, then the end: never an end marker, never an invented finish reason."""
    if not response.committed or tx.complete:
        raise error
    if not isinstance(error, SentinelError):
        note(tx, error)
        error = SentinelError("internal_error")
    tx.error = error
    await response.end(encoder.fail(error))
