"""The way in: `on_request` in order, then dispatch nested around the call of the upstream."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from inspect import isawaitable
from time import perf_counter
from types import CoroutineType
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel_core.attempt import BEFORE_CALL, NOT_CALLED, Attempt, Ending
from sentinel_core.chain import monitor
from sentinel_core.chain.clock import OwnTime
from sentinel_core.chain.faults import Entry, Snapshot, WrongResult, as_fault, is_fault, note, source_fault, unasked
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.unread import refuse_unread
from sentinel_core.chain.unserved import unknown_model, unsupported
from sentinel_core.context import Call, Context, Owner
from sentinel_core.dialects.translation import performed, translated_reply
from sentinel_core.errors import Refusal, SentinelError, StageFault, UpstreamError
from sentinel_core.keys import CANDIDATES, PLAN, Target
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import EventStream, Reply

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange

log = logging.getLogger("sentinel.chain")


async def enter(exchange: Exchange) -> tuple[Reply | None, int]:
    """Run every `on_request`. A reply ends the way in; its depth is how many stages see it on the way out."""
    chain, ctx, seconds = exchange.chain, exchange.ctx, exchange.seconds
    unreadable = chain.reads_requests_in_part and ctx.request.unreadable
    now = perf_counter()
    for entry, phase, waits in chain.requests:
        position = entry.position
        exchange.entered = position + 1
        if unreadable and entry.guard:
            refuse_unread(exchange, entry, "request")
        if not entry.plain:
            reply = await _lenient(exchange, entry, phase)
        else:
            request = ctx.request
            try:
                reply = await phase(ctx) if waits else phase(ctx)
                if reply is not None:
                    reply = await _decided(exchange, reply)
            except BaseException as exc:  # `_denied` tells a fault, which a cancellation may be, from a decision
                seconds[position] += perf_counter() - now
                denial = _denied(exchange, entry, exc)
                raise denial from denial.__cause__
            if entry.guard:
                exchange.verdicts.note(entry, "request", "allowed" if ctx.request is request else "masked", ctx.request)
        started, now = now, perf_counter()
        seconds[position] += now - started
        if reply is not None:
            return reply, position
    exchange.entered = len(chain.names)
    return None, exchange.entered


async def _decided(exchange: Exchange, reply: Any) -> Reply | None:
    """What an `on_request` returned: awaited if need be, and a reply or nothing."""
    if not isinstance(reply, Answer | EventStream) and isawaitable(reply):
        reply = await reply
    if reply is None:
        return None
    if isinstance(reply, EventStream):
        exchange.endings.adopt(reply)
    elif not isinstance(reply, Answer):
        raise WrongResult(f"on_request must return None, an Answer or an EventStream, got {type(reply).__name__}")
    request = exchange.ctx.request
    return reply if reply.dialect is request.dialect else _translated(reply, request, exchange.endings)


def _translated(reply: Answer | EventStream, request: Request, owner: Owner) -> Reply:
    """The reply of a plugin that does not answer in the client's dialect, in that one. Raises `TypeError` where no
    translation leads there: that is the plugin's fault."""
    if isinstance(reply, EventStream):
        owner.adopt(reply)
    translated = translated_reply(reply, request)
    if isinstance(translated, EventStream):
        owner.adopt(translated)
    return translated


def _denied(exchange: Exchange, entry: Entry, exc: BaseException) -> BaseException:
    """What to raise for an exception out of `on_request`, and the guard's verdict."""
    if entry.guard:
        exchange.verdicts.note(entry, "request", "blocked" if isinstance(exc, Refusal) else "error")
    if isinstance(exc, TimeoutError):
        return as_fault(entry, "on_request", exc, "took too long")
    return as_fault(entry, "on_request", exc) if is_fault(exc) else exc


async def _lenient(exchange: Exchange, entry: Entry, phase: Phase) -> Reply | None:
    """`on_request` of a stage that only monitors, or that fails open: after a fault all is as it was before."""
    if entry.mode == "monitor":
        await monitor.watch_request(exchange, entry, phase)
        return None
    ctx = exchange.ctx
    before = Snapshot(ctx)
    try:
        reply = await _decided(exchange, phase(ctx))
    except BaseException as exc:  # a cancellation that nobody asked for is a fault, and fails open
        if not is_fault(exc):
            denial = _denied(exchange, entry, exc)
            raise denial from denial.__cause__
        note(entry, "on_request", exc)
        before.restore(ctx)
        if entry.guard:
            exchange.verdicts.note(entry, "request", "error")
        return None
    if entry.guard:
        same = ctx.request is before.request
        exchange.verdicts.note(entry, "request", "allowed" if same else "masked", ctx.request)
    return reply


async def dispatch(exchange: Exchange) -> Reply:
    """The reply of the upstream, or of a stage that stands in for it."""
    ctx = exchange.ctx
    targets = ctx.get(PLAN) or ctx.get(CANDIDATES) or ()
    if not targets:
        raise unknown_model(ctx.request.model)
    call = Call(ctx.request, targets[0], exchange.endings, 0, ctx.deadline, ctx.id)
    return await _inwards(exchange, 0, call)


def _inwards(exchange: Exchange, depth: int, call: Call) -> Awaitable[Reply]:
    """One stage's dispatch; past the last one, the provider."""
    if depth == len(exchange.chain.dispatchers):
        return _call_provider(exchange, call)
    return _through(exchange, depth, call)


async def _through(exchange: Exchange, depth: int, call: Call) -> Reply:
    entry, phase, waits = exchange.chain.dispatchers[depth]
    link = _Link(exchange, depth, entry) if entry.timeout_s is None else _timed(exchange, depth, entry, entry.timeout_s)
    before = None if entry.plain else Snapshot(exchange.ctx)
    started = perf_counter() if link.clock is None else link.start(link.clock)
    try:
        reply = phase(exchange.ctx, call, link)
        if waits or (not isinstance(reply, Answer | EventStream) and isawaitable(reply)):
            reply = await reply
        if reply.__class__ is not Answer and not isinstance(reply, EventStream):
            raise WrongResult(f"dispatch must return an Answer or an EventStream, got {type(reply).__name__}")
        if reply.dialect is not call.request.dialect:
            reply = _translated(reply, call.request, call.owner)
    except BaseException as exc:  # the clock stops for a cancellation as well
        link.stop(started)
        fault = link.fault(exc)
        if fault is None:
            raise
        if before is None or link.called:
            raise fault from exc
        before.restore(exchange.ctx)
        return await _inwards(exchange, depth + 1, call)
    link.stop(started)
    if isinstance(reply, EventStream):
        call.owner.adopt(reply)
    if link.clock is not None and link.clock.expired:
        raise as_fault(entry, "dispatch", TimeoutError(), "took too long")
    return reply


class _Link(msgspec.Struct, eq=False):
    """What a stage calls to go on inwards; measures the stage's own time around that.

    A stage may call it from several tasks at once: it waits from the first call's beginning to the last one's end.
    """

    _exchange: Exchange
    _depth: int
    _entry: Entry
    clock: OwnTime | None = None
    _task: asyncio.Task[Any] | None = None  # of whatever
    _inside: int = 0
    _inwards: float = 0.0
    _since: float = 0.0
    _over: bool = False
    _passed: BaseException | None = None
    called: bool = False

    async def __call__(self, call: Call) -> Reply:
        self.called = True
        if not self._inside:
            self._since = perf_counter()
            if self.clock is not None and not self._over:
                self.clock.stop()
        self._inside += 1
        try:
            return await _inwards(self._exchange, self._depth + 1, call)
        except BaseException as exc:  # also a cancellation that came from inside is not this stage's doing
            self._passed = exc
            raise
        finally:
            self._inside -= 1
            if not self._inside and not self._over:
                self._inwards += perf_counter() - self._since
                if self.clock is not None:
                    self.clock.start(self._task)

    def start(self, clock: OwnTime) -> float:
        """The code of a stage whose time is limited runs from here."""
        clock.start(self._task)
        return perf_counter()

    def stop(self, started: float) -> None:
        """The stage's code is done, though a leg that it left behind may still run."""
        self._over = True
        if self._inside:
            self._inwards += perf_counter() - self._since
        elif self.clock is not None:
            self.clock.stop()
        self._exchange.seconds[self._entry.position] += perf_counter() - started - self._inwards

    def fault(self, exc: BaseException) -> StageFault | None:
        """The fault that an exception is, or None for a decision, an upstream's error or a cancellation."""
        if exc is self._passed:
            return None
        if self.clock is not None and self.clock.expired and isinstance(exc, asyncio.CancelledError) and unasked(exc):
            return as_fault(self._entry, "dispatch", exc, "took too long")
        return as_fault(self._entry, "dispatch", exc) if is_fault(exc) else None


def _timed(exchange: Exchange, depth: int, entry: Entry, timeout_s: float) -> _Link:
    """The link of a stage whose own time is limited."""
    return _Link(exchange, depth, entry, OwnTime([0.0], 0, timeout_s), asyncio.current_task())


async def _call_provider(exchange: Exchange, call: Call) -> Reply:
    """The innermost link: draw the attempt's number, open its row, call the provider."""
    ctx = exchange.ctx
    provider = exchange.chain.providers.get(call.target.provider)
    if provider is None:
        raise UpstreamError("upstream_unreachable", attempted=False)
    request = call.request
    operation = performed(request, provider.performs())
    if operation is None:
        raise unsupported(call)
    if operation != request.operation:
        request = msgspec.structs.replace(request, operation=operation)
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
            reply = _translated(reply, request, call.owner)
    except BaseException as exc:  # a call that was cancelled has an end, too
        _close_attempt(attempt, "failed" if isinstance(exc, Exception) or unasked(exc) else "discarded")
        attempt.error = exc.code if isinstance(exc, SentinelError) else None
        if not is_fault(exc):
            raise
        fault = source_fault(f"provider {call.target.provider}", "call", exc)
        attempt.error = fault.code
        raise fault from exc
    if reply.dropped or attempt.number > 1:
        _say_dropped(ctx, call.target, reply.dropped)
    reply.on_close(partial(_close_attempt, attempt))
    exchange.rows.came(attempt, reply)
    return reply


async def _announced(attempt: Attempt, before: Callable[[Attempt], Awaitable[None]]) -> None:
    """What must be done before the call; if it cannot be done, there is none."""
    try:
        await before(attempt)
    except BaseException:  # whoever is cancelled while it is announced has not called
        _close_attempt(attempt, "discarded")
        attempt.error = NOT_CALLED
        raise


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
