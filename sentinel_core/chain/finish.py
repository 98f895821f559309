"""`on_finish`, reversed, exactly once per entered stage. A finisher that fails is logged and the rest run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from inspect import isawaitable
from time import perf_counter
from typing import TYPE_CHECKING

from sentinel_core.cancellation import own_failure
from sentinel_core.chain.faults import note
from sentinel_core.context import Outcome
from sentinel_core.running import Running

if TYPE_CHECKING:
    from sentinel_core.chain.compile import Step
    from sentinel_core.chain.exchange import Exchange


async def run(
    exchange: Exchange, outcome: Outcome, steps: Sequence[Step], pending: Awaitable[None] | None = None
) -> None:
    """Run finishers one after the other; `pending` is the first one's awaitable if it was already called."""
    for entry, phase, waits in steps:
        started = perf_counter()
        try:
            result = pending if pending is not None else phase(exchange.ctx, outcome)
            pending = None
            if waits or (result is not None and isawaitable(result)):
                await result
        except (Exception, asyncio.CancelledError) as exc:  # a cancellation that nobody asked for is a fault
            if not own_failure(exc):
                raise
            note(entry, "on_finish", exc)
        exchange.seconds[entry.position] += perf_counter() - started


def run_plain(exchange: Exchange, outcome: Outcome, steps: Sequence[Step]) -> Running[None] | None:
    """Run finishers that are plain functions, without a task.

    One that returns an awaitable after all stops this: what is left comes back as a coroutine, for a task of its own.
    """
    now = perf_counter()
    for index, (entry, phase, _) in enumerate(steps):
        try:
            result = phase(exchange.ctx, outcome)
        except (Exception, asyncio.CancelledError) as exc:  # nobody can cancel a plain function: its own doing
            note(entry, "on_finish", exc)
        else:
            if result is not None and isawaitable(result):
                return run(exchange, outcome, steps[index:], result)
        started, now = now, perf_counter()
        exchange.seconds[entry.position] += now - started
    return None
