"""The call of a provider: the attempt's number, its row, and how it ended."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING

import msgspec

from sentinel_core.attempt import BEFORE_CALL, NOT_CALLED, Attempt, Ending
from sentinel_core.blame import blame_of
from sentinel_core.cancellation import is_unsent, own_failure
from sentinel_core.chain.faults import WrongResult, is_fault, source_fault
from sentinel_core.chain.results import translated
from sentinel_core.chain.unserved import unsupported
from sentinel_core.context import Call, Context
from sentinel_core.dialects.translation import performed
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_core.keys import MAX_ATTEMPTS, Target
from sentinel_core.messages import Answer, Operation, Request
from sentinel_core.provider import Provider
from sentinel_core.reply import EventStream, Reply

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange

log = logging.getLogger("sentinel.chain")


async def call_provider(exchange: Exchange, call: Call) -> Reply:
    """The innermost link: draw the attempt's number, open its row, call the provider.

    Calls of one request may be made beside each other, so it is here that the last one is drawn.
    """
    ctx = exchange.ctx
    provider = exchange.chain.providers.get(call.target.provider)
    if provider is None:
        raise UpstreamError("upstream_unreachable", attempted=False)
    request = call.request
    operation = _performed(request, provider, call.target.provider)
    if operation is None:
        raise unsupported(call)
    if operation != request.operation:
        request = msgspec.structs.replace(request, operation=operation)
    most = ctx.get(MAX_ATTEMPTS)
    if most is not None and len(ctx.attempts) >= most:
        raise UpstreamError("upstream_unreachable", attempted=False)
    attempt = Attempt(len(ctx.attempts) + 1, call.target, perf_counter())
    ctx.attempts.append(attempt)
    before = ctx.get(BEFORE_CALL)
    if before is not None:
        await _announced(attempt, before)
    try:
        coming = provider.call(msgspec.structs.replace(call, request=request, attempt=attempt.number))
        if coming.__class__ is not CoroutineType and not isawaitable(coming):
            raise WrongResult(f"call must be a coroutine function, got {type(coming).__name__}")
        reply = await coming
        if isinstance(reply, EventStream):
            call.owner.adopt(reply)
        elif not isinstance(reply, Answer):
            raise WrongResult(f"call must return an Answer or an EventStream, got {type(reply).__name__}")
        if reply.dialect is not request.dialect:
            reply = translated(reply, request, call.owner)
    except BaseException as exc:  # a call that was cancelled has an end, too
        fault = source_fault(f"provider {call.target.provider}", "call", exc) if is_fault(exc) else None
        attempt.blame = blame_of(fault or exc, deadline=call.deadline, now=perf_counter())
        if _unsent(exc):
            _close_uncalled(attempt)
        else:
            _close_attempt(attempt, "failed" if own_failure(exc) else "discarded")
            told = fault or exc
            attempt.error = told.code if isinstance(told, SentinelError) else None
        if fault is None:
            raise
        raise fault from exc
    if reply.dropped or attempt.number > 1:
        _say_dropped(ctx, call.target, reply.dropped)
    reply.on_close(partial(_close_attempt, attempt))
    exchange.rows.came(attempt, reply)
    return reply


def _performed(request: Request, provider: Provider, name: str) -> Operation | None:
    try:
        return performed(request, provider.performs())
    except Exception as exc:  # a plugin's own method may fail with anything
        raise source_fault(f"provider {name}", "performs", exc) from exc


async def _announced(attempt: Attempt, before: Callable[[Attempt], Awaitable[None]]) -> None:
    """What must be done before the call; if it cannot be done, there is none."""
    try:
        await before(attempt)
    except BaseException:  # whoever is cancelled while it is announced has not called
        _close_uncalled(attempt)
        raise


def _unsent(exc: BaseException) -> bool:
    """Whether what came of a call instead of a reply says that nothing of it was sent: what has no translation is
    refused before that."""
    if isinstance(exc, UpstreamError):
        return not exc.attempted
    return isinstance(exc, Refusal) or is_unsent(exc)


def _say_dropped(ctx: Context, target: Target, names: tuple[str, ...]) -> None:
    """Tell the caller and the log what of the request the upstream could not be told. Values are never named."""
    ctx.headers.pop("x-sentinel-dropped-params", None)  # what an earlier target was not told
    if not names:
        return
    ctx.headers["x-sentinel-dropped-params"] = ", ".join(names)
    log.info("request %s: %s was not told of %s", ctx.id, target, ", ".join(names))


def _close_attempt(attempt: Attempt, ending: Ending) -> None:
    attempt.ending = ending
    attempt.ended = perf_counter()


def _close_uncalled(attempt: Attempt) -> None:
    _close_attempt(attempt, "discarded")
    attempt.error = NOT_CALLED
