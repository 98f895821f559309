"""`dispatch` of every stage, nested around the call of the upstream, and each stage's own time in it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from inspect import isawaitable
from time import perf_counter
from typing import TYPE_CHECKING, Any

import msgspec

from sentinel_core.cancellation import unasked
from sentinel_core.chain.calling import call_provider
from sentinel_core.chain.clock import OwnTime
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import WrongResult, as_fault, is_fault
from sentinel_core.chain.results import translated
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.chain.unserved import unknown_model
from sentinel_core.context import Call
from sentinel_core.errors import StageFault
from sentinel_core.keys import CANDIDATES, PLAN, Target
from sentinel_core.messages import Answer, Request
from sentinel_core.reply import EventStream, Reply

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange


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
        return call_provider(exchange, call)
    return _through(exchange, depth, call)


async def _through(exchange: Exchange, depth: int, call: Call) -> Reply:
    entry, phase, waits = exchange.chain.dispatchers[depth]
    link = _Link(exchange, depth, entry, call)
    if entry.timeout_s is not None:
        link.limit(entry.timeout_s)
    before = None if entry.plain else Snapshot(exchange.ctx)
    started = perf_counter() if link.clock is None else link.start(link.clock)
    try:
        reply = phase(exchange.ctx, call, link)
        if waits or (not isinstance(reply, Answer | EventStream) and isawaitable(reply)):
            reply = await reply
        if reply.__class__ is not Answer and not isinstance(reply, EventStream):
            raise WrongResult(f"dispatch must return an Answer or an EventStream, got {type(reply).__name__}")
        if reply.dialect is not call.request.dialect:
            reply = translated(reply, call.request, call.owner)
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
    _given: Call
    clock: OwnTime | None = None
    _task: asyncio.Task[Any] | None = None  # of whatever
    _inside: int = 0
    _inwards: float = 0.0
    _since: float = 0.0
    _over: bool = False
    _passed: BaseException | None = None

    @property
    def called(self) -> bool:
        """Whether the stage has gone on inwards."""
        return self._since > 0.0

    async def __call__(self, call: Call) -> Reply:
        if call is not self._given:
            _check(call)
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

    def limit(self, timeout_s: float) -> None:
        """The stage's own time is limited."""
        self.clock, self._task = OwnTime(timeout_s), asyncio.current_task()

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


def _check(call: object) -> None:
    """Raise `WrongResult` for what is no call: the mistake of whoever gave it to `call_next`."""
    if not isinstance(call, Call):
        raise WrongResult(f"call_next must be given a Call, got {type(call).__name__}")
    if not isinstance(call.target, Target):
        raise WrongResult(f"call_next must be given a Call with a Target, got {type(call.target).__name__}")
    if not isinstance(call.request, Request):
        raise WrongResult(f"call_next must be given a Call with a Request, got {type(call.request).__name__}")
