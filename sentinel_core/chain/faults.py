"""Decision or fault: what an exception out of a stage means, and what a stage that fails open leaves behind."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from inspect import isawaitable
from typing import Any

from sentinel_core.chain.clock import OwnTime
from sentinel_core.chain.phases import Phase
from sentinel_core.context import Context
from sentinel_core.errors import SentinelError, StageFault
from sentinel_core.reply import EventStream
from sentinel_core.stage import Mode, OnFault, Unscannable

log = logging.getLogger("sentinel.chain")


@dataclass(frozen=True, slots=True)
class Entry:
    """One stage of a compiled chain: everything that was decided at compile time."""

    name: str
    position: int
    guard: bool
    observer: bool
    on_fault: OnFault
    timeout_s: float | None
    mode: Mode
    unscannable: Unscannable
    reads_all: bool
    plain: bool
    """Enforces and fails closed: the common case, which needs no snapshot."""

    @property
    def fails_open(self) -> bool:
        """Whether a fault of this stage lets the request go on."""
        return self.on_fault == "open"


class WrongResult(TypeError):
    """A plugin gave the chain what it has no use for. The text names types and phases only, and can be logged."""


def unasked(exc: BaseException) -> bool:
    """Whether this is a cancellation that nobody asked this task for: then the stage's own code made it."""
    task = asyncio.current_task()
    return isinstance(exc, asyncio.CancelledError) and task is not None and task.cancelling() == 0


def is_fault(exc: BaseException) -> bool:
    """Whether an exception is a stage's failure, and neither a decision, an upstream's error nor a request to end."""
    return (isinstance(exc, Exception) and not isinstance(exc, SentinelError)) or unasked(exc)


def as_fault(entry: Entry, phase: str, exc: BaseException, reason: str = "raised") -> StageFault:
    """The fault to raise, logged once by type and place, never with text."""
    fault = StageFault(entry.name, phase, guard=entry.guard, reason=reason)
    fault.__cause__ = exc
    note(entry, phase, exc, reason)
    return fault


def source_fault(source: str, phase: str, exc: BaseException) -> StageFault:
    """The fault of whoever gives a reply, a provider as a rule: logged like a stage's."""
    fault = StageFault(source, phase)
    fault.__cause__ = exc
    log.error("%s raised in %s: %s", source, phase, _told(exc))
    return fault


def note(entry: Entry, phase: str, exc: BaseException, reason: str = "raised") -> None:
    """Log a fault by stage, phase and exception type. Texts stay out: they may quote a prompt."""
    log.error("stage %s %s in %s: %s", entry.name, reason, phase, _told(exc))


def _told(exc: BaseException) -> str:
    """What the log says of an exception: type and place, or what a plugin gave in the place of what."""
    return str(exc) if isinstance(exc, WrongResult) else f"{type(exc).__name__} ({place(exc)})"


def place(exc: BaseException) -> str:
    """File and line where an exception was raised."""
    trace = exc.__traceback__
    if trace is None:
        return "no traceback"
    while trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}"


class Snapshot:
    """What a stage that fails open, or only monitors, must leave as it found it."""

    __slots__ = ("facts", "headers", "request", "restorations")

    def __init__(self, ctx: Context) -> None:
        self.request = ctx.request
        self.facts = ctx.copy()
        self.headers = dict(ctx.headers)
        self.restorations = len(ctx.restorations)

    def restore(self, ctx: Context) -> None:
        """Put request, facts, restorations and, unless they have left, headers back."""
        ctx.request = self.request
        ctx.clear()
        ctx.update(self.facts)
        if not ctx.headers.committed:
            ctx.headers.clear()
            ctx.headers.put(self.headers)
        del ctx.restorations[self.restorations :]


def limited(phase: Phase, seconds: float) -> Phase:
    """The phase under a time limit, as a coroutine function: `TimeoutError` once its own time exceeds it.

    A stream that comes too late is closed: nobody takes it.
    """

    async def call(*arguments: Any) -> Any:  # the phase's own arguments and result
        clock = OwnTime([0.0], 0, seconds)
        clock.start()
        try:
            try:
                result = phase(*arguments)
                if result is not None and isawaitable(result):
                    result = await result
            finally:
                clock.stop()
        except asyncio.CancelledError as exc:
            if clock.expired and unasked(exc):
                raise TimeoutError from exc
            raise
        if clock.expired:
            if isinstance(result, EventStream):
                await result.aclose()
            raise TimeoutError
        return result

    return call
