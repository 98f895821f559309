"""The way in: `on_request` in order, each under its stage's policy."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

from sentinel_core.chain import monitor
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import as_fault, is_fault, note
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.results import decided, left_request
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.chain.unread import judge_unread
from sentinel_core.errors import Refusal
from sentinel_core.messages import Request
from sentinel_core.reply import Reply

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange


async def enter(exchange: Exchange) -> tuple[Reply | None, int]:
    """Run every `on_request`. A reply ends the way in; its depth is how many stages see it on the way out."""
    chain, ctx, seconds = exchange.chain, exchange.ctx, exchange.seconds
    in_part = chain.reads_requests_in_part
    seen: Request | None = None
    now = perf_counter()
    for entry, phase, waits in chain.requests:
        position = entry.position
        exchange.entered = position + 1
        if in_part and entry.guard:
            if ctx.request is not seen:
                seen = ctx.request
                unreadable = seen.unreadable
            if unreadable:
                judge_unread(exchange, entry, "request")
        if not entry.plain:
            reply = await _lenient(exchange, entry, phase)
        else:
            request = ctx.request
            try:
                reply = await phase(ctx) if waits else phase(ctx)
                if reply is not None:
                    reply = await decided(exchange, reply, request)
                elif ctx.request is not request:
                    left_request(ctx, request)
            except BaseException as exc:  # `_denied` tells a fault, which a cancellation may be, from a decision
                seconds[position] += perf_counter() - now
                denial = _denied(exchange, entry, exc, request)
                raise denial from denial.__cause__
            if entry.guard:
                exchange.verdicts.note(entry, "request", "allowed" if ctx.request is request else "masked", ctx.request)
        started, now = now, perf_counter()
        seconds[position] += now - started
        if reply is not None:
            return reply, position
    exchange.entered = len(chain.names)
    return None, exchange.entered


def _denied(exchange: Exchange, entry: Entry, exc: BaseException, before: Request) -> BaseException:
    """What to raise for an exception out of `on_request`, and the guard's verdict. What is no request goes."""
    if not isinstance(exchange.ctx.request, Request):
        exchange.ctx.request = before
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
        reply = await decided(exchange, phase(ctx), before.request)
    except BaseException as exc:  # a cancellation that nobody asked for is a fault, and fails open
        if not is_fault(exc):
            denial = _denied(exchange, entry, exc, before.request)
            raise denial from denial.__cause__
        note(entry, "on_request", exc)
        before.restore(ctx)
        if entry.guard:
            exchange.verdicts.note(entry, "request", "error", ctx.request)
        return None
    if entry.guard:
        same = ctx.request is before.request
        exchange.verdicts.note(entry, "request", "allowed" if same else "masked", ctx.request)
    return reply
