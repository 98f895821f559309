"""A dry run of one request: what each stage decides on the way in, and which targets would be tried.

Only `on_request` runs, over state that is thrown away and without a network. What cannot be known without sending the
request is `not_evaluated`, and said to be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import Literal

import msgspec

from sentinel_core.cancellation import own_failure
from sentinel_core.chain import Exchange, StageRow, Tracker
from sentinel_core.chain.compile import Step
from sentinel_core.chain.faults import WrongResult
from sentinel_core.chain.results import decided
from sentinel_core.chain.snapshot import Snapshot
from sentinel_core.chain.unread import judge_unread
from sentinel_core.config import Settings
from sentinel_core.context import Client, Context
from sentinel_core.decoding import decode_json
from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.dry_run import ClosedHttp, Overlay, UnwrittenRecords
from sentinel_core.errors import ConfigError, Refusal, SentinelError
from sentinel_core.gateway.blueprint import Blueprint, StorePlan, draw
from sentinel_core.gateway.generation import Generation, ProviderPool
from sentinel_core.gateway.outside import services
from sentinel_core.keys import CANDIDATES, PLAN, AnyKey, Target
from sentinel_core.messages import Request
from sentinel_core.records import RecordStore
from sentinel_core.registry import Registry

Decision = Literal["passes", "answers", "refuses", "faults", "not_evaluated"]


class StageDecision(msgspec.Struct, frozen=True):
    """What one phase of one stage decided, with the reason; `changed` names what it replaced or wrote."""

    stage: str
    phase: str
    decision: Decision
    detail: str = ""
    changed: tuple[str, ...] = ()


class TargetRow(msgspec.Struct, frozen=True):
    """One target in the order of trial, and why it stands there; `order` is None for one that will not be tried."""

    order: int | None
    provider: str
    model: str
    reason: str


class Explanation(msgspec.Struct, frozen=True):
    """The dry run's result. `outcome` is one sentence on where the request would go."""

    model: str | None
    outcome: str
    stages: tuple[StageDecision, ...]
    targets: tuple[TargetRow, ...]


async def explain(
    settings: Settings, body: bytes, *, registry: Registry | None = None, client: Client | None = None
) -> Explanation:
    """Explain one request body in OpenAI's chat dialect under these settings, asked by `client`.

    Opens what the configuration names, over services that touch nothing: values of a store that processes share and
    rows of one that outlives them are read, all else starts empty. Raises `ConfigError`, or `Refusal` for a body that
    is no request.
    """
    request = _request(settings, body)
    async with AsyncExitStack() as stack:
        blueprint = draw(settings, registry or Registry())
        records = await _readable(blueprint.records, stack)
        generation = await _open(blueprint, records, stack)
        ctx = Context(request, id="dry-run", client=client)
        ctx[CANDIDATES] = generation.candidates(request)
        run = _DryRun(Exchange(generation.chain, ctx), records)
        stack.push_async_callback(run.exchange.endings.close)
        for step in generation.chain.requests:
            await run.step(step)
        rows = generation.blueprint.chain.rows()
    rest = _not_evaluated(rows, {(row.stage, row.phase) for row in run.decisions}, run.end)
    targets = tuple(run.targets()) if not run.end else ()
    return Explanation(request.model, run.end or _outcome(targets), (*run.decisions, *rest), targets)


def _request(settings: Settings, body: bytes) -> Request:
    return OPENAI_CHAT.decode_request(decode_json(body, settings.server.json_limits))


async def _readable(plan: StorePlan[RecordStore], stack: AsyncExitStack) -> UnwrittenRecords:
    """The rows of the configured store; where they cannot be read from here, none, and why."""
    if not plan.kind.durable:
        return UnwrittenRecords(missing=f"with [records] kind = {plan.kind.kind!r} only the gateway itself has them")
    try:
        return UnwrittenRecords(await stack.enter_async_context(plan.kind.reader(plan.config)))
    except (ConfigError, Refusal) as error:
        return UnwrittenRecords(missing=str(error))


async def _open(blueprint: Blueprint, records: RecordStore, stack: AsyncExitStack) -> Generation:
    plan = blueprint.state
    base = await stack.enter_async_context(plan.kind.open(plan.config)) if plan.kind.shared else None
    executor = stack.enter_context(ThreadPoolExecutor(thread_name_prefix="sentinel"))
    real = services(blueprint.registry, Overlay(base), records, executor)
    dry = replace(real, http=ClosedHttp(), dry_run=True)
    generation = await Generation.open(blueprint, ProviderPool(), dry, Tracker())
    stack.push_async_callback(generation.close)
    return generation


class _DryRun:
    """The way in of an exchange that is never entered, one stage after the other, with notes."""

    def __init__(self, exchange: Exchange, records: UnwrittenRecords) -> None:
        self.exchange = exchange
        self._records = records
        self.ctx = ctx = exchange.ctx
        self.decisions: list[StageDecision] = []
        self.end = ""
        self._candidates: tuple[Target, ...] = ctx.get(CANDIDATES, ())
        self._writers: dict[AnyKey, str] = {}
        self._dropped: dict[Target, str] = {}

    async def step(self, step: Step) -> None:
        """One `on_request`, unless an earlier stage has ended the way."""
        entry, phase, _ = step
        if self.end:
            return
        before, facts = Snapshot(self.ctx), self.ctx.copy()
        missed = self._records.missed
        decision: Decision = "passes"
        detail = ""
        try:
            if entry.guard and self.ctx.request.unreadable:
                judge_unread(self.exchange, entry, "request")
            if await decided(self.exchange, phase(self.ctx), before.request) is not None:
                decision, detail = "answers", "in place of the upstream"
        except (Exception, asyncio.CancelledError) as error:  # a cancellation that nobody asked for is a fault
            if not own_failure(error):
                raise
            decision, detail = _reason(error)
            if decision == "refuses" and self._records.missed > missed:
                decision, detail = "not_evaluated", f"the records that it needs cannot be read: {self._records.missing}"
        changed = self._changes(entry.name, before, facts)
        if entry.mode == "monitor" or (decision == "faults" and entry.fails_open):
            detail = f"{detail or 'nothing found'}; {'monitor' if entry.mode == 'monitor' else 'fails open'}: goes on"
            before.restore(self.ctx)
        elif decision != "passes":
            self.end = f"{entry.name} {decision}: {detail}"
        self.decisions.append(StageDecision(entry.name, "on_request", decision, detail, changed))

    def _changes(self, stage: str, before: Snapshot, facts: dict[AnyKey, object]) -> tuple[str, ...]:
        ctx = self.ctx
        written = [key for key in ctx if key not in facts or ctx[key] is not facts[key]]
        for key in written:
            self._writers[key] = stage
        left = ctx.get(CANDIDATES, ())
        self._dropped.update({target: stage for target in self._candidates if target not in left})
        self._candidates = left
        request = ("request",) if ctx.request is not before.request else ()
        return (*request, *(key.name for key in written))

    def targets(self) -> Iterator[TargetRow]:
        """What would be tried, in order, and what would not."""
        plan = self.ctx.get(PLAN) or None
        author = self._writers.get(PLAN, "")
        for place, target in enumerate(plan or self._candidates):
            if plan:
                yield TargetRow(place + 1, target.provider, target.model, f"planned by {author}")
            elif place == 0:
                yield TargetRow(1, target.provider, target.model, "the first that serves the model; no stage plans")
            else:
                yield TargetRow(None, target.provider, target.model, "serves the model; without a plan only the first")
        for target in self._candidates:
            if plan is not None and target not in plan:
                yield TargetRow(None, target.provider, target.model, f"left out of the plan by {author}")
        for target, stage in self._dropped.items():
            yield TargetRow(None, target.provider, target.model, f"removed by {stage}")


def _reason(error: BaseException) -> tuple[Decision, str]:
    if isinstance(error, Refusal):
        return "refuses", f"{error.status} {error.code}: {error.message}"
    if isinstance(error, SentinelError):
        return "faults", f"{error.code}: {error.message}"
    if isinstance(error, WrongResult):
        return "faults", str(error)
    return "faults", "took too long" if isinstance(error, TimeoutError | asyncio.CancelledError) else type(
        error
    ).__name__


def _not_evaluated(rows: tuple[StageRow, ...], done: set[tuple[str, str]], end: str) -> Iterator[StageDecision]:
    why = {"on_request": "not reached", "dispatch": "needs the upstream", "on_finish": "nothing was begun"}
    for row in rows:
        for phase in row.phases:
            if (row.name, phase) not in done:
                detail = "not reached" if end else why.get(phase, "needs an answer")
                yield StageDecision(row.name, phase, "not_evaluated", detail)


def _outcome(targets: tuple[TargetRow, ...]) -> str:
    tried = [f"{row.provider}/{row.model}" for row in targets if row.order is not None]
    if not tried:
        return "refused: 404 model_not_found, no target serves this model"
    return f"would be sent to {tried[0]}" + (f", then {', '.join(tried[1:])}" if tried[1:] else "")
