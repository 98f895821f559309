"""Guards that only watch: what they decide is recorded and discarded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from inspect import isawaitable
from time import perf_counter
from typing import TYPE_CHECKING

from sentinel_core.cancellation import own_failure
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.faults import note
from sentinel_core.chain.phases import Phase
from sentinel_core.chain.results import decided
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.errors import Refusal
from sentinel_core.keys import VerdictResult
from sentinel_core.messages import Answer

if TYPE_CHECKING:
    from sentinel_core.chain.compile import Step
    from sentinel_core.chain.exchange import Exchange


async def watch_request(exchange: Exchange, entry: Entry, phase: Phase) -> None:
    """Run `on_request` and leave everything as it was. Refusals, replacements and replies count as monitored."""
    ctx = exchange.ctx
    before = Snapshot(ctx)
    try:
        reply = await decided(exchange, phase(ctx), before.request)
        acted = reply is not None or ctx.request is not before.request
        acted = acted or len(ctx.restorations) > before.restorations
        exchange.verdicts.note(entry, "request", "monitored" if acted else "allowed", before.request)
    except Refusal:
        exchange.verdicts.note(entry, "request", "monitored", before.request)
    except (Exception, asyncio.CancelledError) as exc:  # a cancellation that nobody asked for is a fault
        if not own_failure(exc):
            raise
        note(entry, "on_request", exc)
        exchange.verdicts.note(entry, "request", "error", before.request)
    finally:
        before.restore(ctx)


async def watch_reply(exchange: Exchange, steps: Sequence[Step]) -> None:
    """Run the unary half of every monitoring guard on what the upstream said, after the caller has it."""
    answer = _said(exchange, steps)
    if answer is None:
        return
    produced, kept = exchange.account.produced, exchange.account.kept
    whole = produced is None or produced.ended or kept is None
    unreadable = answer.unreadable or (kept is not None and kept.unreadable)
    for entry, phase, _ in steps:
        started = perf_counter()
        try:
            checked = phase(exchange.ctx, answer)
            if isawaitable(checked):
                checked = await checked
            changed = isinstance(checked, Answer) and checked.texts() != answer.texts()
            read = whole and (entry.reads_all or not unreadable)
            result: VerdictResult = "monitored" if changed else "allowed" if read else "partial"
            exchange.verdicts.note(entry, "response", result, answer, unread=not read)
        except Refusal:
            exchange.verdicts.note(entry, "response", "monitored", answer)
        except (Exception, asyncio.CancelledError) as exc:  # a cancellation that nobody asked for is a fault
            if not own_failure(exc):
                raise
            note(entry, "on_response", exc)
            exchange.verdicts.note(entry, "response", "error", answer)
        exchange.seconds[entry.position] += perf_counter() - started


def _said(exchange: Exchange, steps: Sequence[Step]) -> Answer | None:
    """What the upstream said; None if nothing, or if its stream is no answer of its dialect, which every guard then
    failed to read: the finishers run whatever a model says."""
    try:
        return exchange.account.upstream_text()
    except Exception as exc:  # what a model says may be anything
        for entry, _, _ in steps:
            note(entry, "on_response", exc)
            produced = exchange.account.produced
            exchange.verdicts.note(entry, "response", "error", produced.chars if produced is not None else 0)
        return None
