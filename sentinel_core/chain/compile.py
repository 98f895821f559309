"""Stages to tuples: everything that can be decided once is decided here."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from sentinel_core.chain.clock import limited
from sentinel_core.chain.derive import collecting, decomposing
from sentinel_core.chain.endings import Tracker
from sentinel_core.chain.entry import Entry
from sentinel_core.chain.phases import Phase, PhaseForm
from sentinel_core.chain.plan import ChainPlan
from sentinel_core.provider import Provider
from sentinel_core.stage import Stage

if TYPE_CHECKING:
    from sentinel_core.chain.exchange import Exchange

Step = tuple[Entry, Phase, bool]
"""A stage, one of its phases, and whether that is a coroutine function."""

Bound = tuple[Entry, Mapping[str, tuple[Phase, bool]]]


class Chain:
    """A generation: stages compiled to tuples of bound methods, by phase and by how many stages were entered."""

    __slots__ = (
        "_idle",
        "dispatchers",
        "finishers",
        "guards",
        "monitors",
        "names",
        "open",
        "providers",
        "reads_requests_in_part",
        "reads_responses_in_part",
        "requests",
        "responses",
        "streams",
        "tracker",
        "users",
        "waits_for_finishers",
    )

    def __init__(
        self,
        plan: ChainPlan,
        stages: Sequence[Stage],
        providers: Mapping[str, Provider],
        tracker: Tracker,
    ) -> None:
        self.providers = providers
        self.tracker = tracker
        self.users = 0
        self.open: set[Exchange] = set()
        self._idle: list[Callable[[], object]] = []
        self.names = tuple(entry.name for entry in plan.entries)
        bound: list[Bound] = [
            (entry, {name: (form.bind(getattr(stage, name)), form.waits) for name, form in _forms(plan, entry)})
            for entry, stage in zip(plan.entries, stages, strict=True)
        ]
        enforcing = [(entry, found) for entry, found in bound if entry.mode == "enforce"]
        watching = [(entry, found) for entry, found in bound if entry.mode == "monitor"]
        self.requests = tuple(_steps(bound, "on_request"))
        self.dispatchers = tuple((entry, *found["dispatch"]) for entry, found in bound if "dispatch" in found)
        depths = range(len(bound) + 1)
        self.responses = tuple(_reversed(_responses(enforcing), depth) for depth in depths)
        self.reads_requests_in_part = _in_part(self.requests)
        self.reads_responses_in_part = tuple(map(_in_part, self.responses))
        self.streams = tuple(_reversed(_streams(enforcing), depth) for depth in depths)
        self.monitors = tuple(_reversed(_responses(watching), depth) for depth in depths)
        self.finishers = tuple(_reversed(_steps(bound, "on_finish"), depth) for depth in depths)
        self.waits_for_finishers = tuple(any(waits for _, _, waits in steps) for steps in self.finishers)
        self.guards = tuple(
            (entry, "on_request" in found, "on_response" in found or "on_stream" in found)
            for entry, found in bound
            if entry.guard
        )

    def enter(self) -> None:
        """One more exchange runs on this generation."""
        self.users += 1

    def leave(self) -> None:
        """An exchange and its finishers are over."""
        self.users -= 1
        if not self.users and self._idle:
            waiting, self._idle = self._idle, []
            for callback in waiting:
                callback()

    def when_idle(self, callback: Callable[[], object]) -> None:
        """Call back once no exchange runs; at once if none does."""
        if self.users:
            self._idle.append(callback)
        else:
            callback()

    def break_off(self) -> int:
        """End every exchange that is still open; how many these were."""
        return sum([exchange.break_off() for exchange in tuple(self.open)])

    async def idle(self) -> None:
        """Return once no exchange runs on this generation."""
        quiet = asyncio.Event()
        self.when_idle(quiet.set)
        await quiet.wait()


def _forms(plan: ChainPlan, entry: Entry) -> Iterable[tuple[str, PhaseForm]]:
    return plan.phases[entry.name].items()


def _bounded(entry: Entry, phase: Phase, waits: bool) -> Step:
    """The phase, with a timer only where the configuration asks for one."""
    return (entry, phase, waits) if entry.timeout_s is None else (entry, limited(phase, entry.timeout_s), True)


def _steps(stages: Sequence[Bound], phase: str) -> list[Step]:
    return [_bounded(entry, *found[phase]) for entry, found in stages if phase in found]


def _responses(stages: Sequence[Bound]) -> list[Step]:
    steps = []
    for entry, found in stages:
        if "on_response" in found:
            steps.append(_bounded(entry, *found["on_response"]))
        elif "on_stream" in found:
            steps.append(_bounded(entry, decomposing(entry, found["on_stream"][0]), True))
    return steps


def _streams(stages: Sequence[Bound]) -> list[Step]:
    steps = []
    for entry, found in stages:
        if "on_stream" in found:
            steps.append((entry, *found["on_stream"]))
        elif "on_response" in found:
            _, phase, _ = _bounded(entry, *found["on_response"])  # its own limit: past that fault it may fail open
            steps.append((replace(entry, timeout_s=None), collecting(entry, phase), False))
    return steps


def _in_part(steps: Iterable[Step]) -> bool:
    """Whether a guard among them reads nothing but text, so that it has to be known what else there is."""
    return any(entry.guard and not entry.reads_all for entry, _, _ in steps)


def _reversed(steps: Sequence[Step], depth: int) -> tuple[Step, ...]:
    """The steps of the first `depth` stages, last stage first."""
    return tuple(step for step in reversed(steps) if step[0].position < depth)
