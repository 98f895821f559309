"""Stages that transform events without waiting share one loop, and nobody can tell from what leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.chain import pipe as pipes
from sentinel_core.chain.pipe import Pipe
from sentinel_core.context import Context
from sentinel_core.errors import Refusal, StageFault
from sentinel_core.events import Event, Finish, TextEvent
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing import Driven, FakeProvider, chain_of, context
from sentinel_core.transform import Transformed
from tests.core.chain.stages import exchange, stage, verdicts

Deed: TypeAlias = Literal["pass", "hold", "double", "change", "drop", "swap", "refuse", "raise"]
DEEDS: tuple[Deed, ...] = ("pass", "hold", "double", "change", "drop", "swap", "refuse", "raise")


class Acting:
    """Does the next of its deeds to each event; at the end it lets go of what it holds."""

    def __init__(self, deeds: Sequence[Deed]) -> None:
        self._deeds = [*deeds]
        self._held: list[Event] = []

    def event(self, event: Event) -> Sequence[Event]:
        """What leaves."""
        deed = self._deeds.pop(0) if self._deeds else "pass"
        if deed == "refuse":
            raise Refusal("content_policy_violation")
        if deed == "raise":
            raise RuntimeError("on purpose")
        if deed == "hold":
            self._held.append(event)
            return ()
        if deed == "drop":
            return [*self._gone()]
        if deed == "swap":
            return [event, *self._gone()]
        if deed == "change" and isinstance(event, TextEvent):
            event = event.with_text(event.text.upper())
        return [*self._gone(), event, event] if deed == "double" else [*self._gone(), event]

    def end(self) -> Sequence[Event]:
        """Whatever is held; a deed that is left over is done to the end."""
        if "refuse" in self._deeds:
            raise Refusal("content_policy_violation")
        return self._gone()

    def _gone(self) -> Sequence[Event]:
        gone, self._held = self._held, []
        return gone


@dataclass(frozen=True)
class Role:
    """One stage: what it does, and whether it says it as a transform or in a generator."""

    deeds: tuple[Deed, ...]
    timed: bool = False

    def stage(self, name: str, *, piped: bool) -> Stage:
        """The stage."""
        deeds = self.deeds

        def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
            transformed = Transformed(Acting(deeds), events)
            return transformed if piped else _generated(transformed)

        return stage(name, on_stream, config=StageConfig(timeout_s=60 if self.timed else None))


async def _generated(events: AsyncIterator[Event]) -> AsyncIterator[Event]:
    async for event in events:
        yield event


async def driven(roles: Sequence[Role], piped: Sequence[bool], *texts: str) -> Driven:
    """One stream through the roles, the first one outermost."""
    stages = [role.stage(f"s{at}", piped=way) for at, (role, way) in enumerate(zip(roles, piped, strict=True))]
    return await exchange(*stages, reply=texts)


def shown(found: Driven) -> object:
    """What there is to see of an exchange."""
    assert found.outcome is not None
    events = [(type(event).__name__, getattr(event, "text", None), event.changed) for event in found.events]
    given = [(verdict.guard, verdict.result, verdict.released_chars) for verdict in found.outcome.verdicts]
    return (events, type(found.error), str(found.error), found.outcome.status, given)


ROLES = st.builds(Role, st.lists(st.sampled_from(DEEDS), max_size=5).map(tuple), st.booleans())


@given(
    roles=st.lists(ROLES, min_size=1, max_size=3),
    piped=st.lists(st.booleans(), min_size=3, max_size=3),
    texts=st.lists(st.sampled_from(["a", "bc", "d e"]), min_size=1, max_size=4),
)
async def test_a_pipe_lets_leave_what_generators_would(roles: list[Role], piped: list[bool], texts: list[str]) -> None:
    expected = shown(await driven(roles, [False] * len(roles), *texts))
    assert shown(await driven(roles, piped[: len(roles)], *texts)) == expected
    assert shown(await driven(roles, [True] * len(roles), *texts)) == expected


async def test_neighbours_share_one_loop_and_others_stand_between(monkeypatch: pytest.MonkeyPatch) -> None:
    segments: list[list[str]] = []

    def add(self: Pipe, segment: pipes.Segment) -> None:
        if not self._segments:
            segments.append([])
        segments[-1].append("segment")
        self._segments.append(segment)

    monkeypatch.setattr(Pipe, "add", add)
    await driven([Role(("pass",))] * 4, [True, True, False, True], "a")
    assert segments == [["segment"], ["segment", "segment"]]  # the innermost first


async def test_a_transform_of_other_events_than_the_chains_is_iterated_as_it_is() -> None:
    def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        return Transformed(Acting(("change",) * 9), _generated(events))

    found = await exchange(stage("wrapped", on_stream), reply=("one ", "two"))
    assert (found.text, verdicts(found)["wrapped", "response"]) == ("ONE TWO", "masked")


async def test_what_was_handed_on_leaves_before_a_refusal() -> None:
    roles = [Role(("pass", "pass", "refuse")), Role(("hold", "hold", "pass"))]
    found = await driven(roles, [True, True], "one ", "two ")
    assert isinstance(found.error, Refusal)
    assert "".join(event.text for event in found.events if isinstance(event, TextEvent)) == "one "
    assert verdicts(found) == {("s0", "response"): "blocked", ("s1", "response"): "partial"}


async def test_a_stage_that_never_heard_the_end_has_not_seen_all() -> None:
    found = await driven([Role(()), Role(("raise",))], [True, True], "one")
    assert isinstance(found.error, StageFault)
    assert verdicts(found) == {("s0", "response"): "partial", ("s1", "response"): "error"}


async def test_whoever_leaves_early_ends_it() -> None:
    provider, tracker = FakeProvider(("one ", "two ", "three ")), Tracker()
    stages = [Role(()).stage(name, piped=True) for name in "ab"]
    left = Exchange(chain_of(stages, provider, tracker), context(stream=True))
    async with left as reply:
        assert isinstance(reply, Delivery)
        await anext(reply)
    await tracker.drained()
    assert (provider.opened, provider.closed) == (1, 1)
    assert left.outcome is not None
    assert [verdict.result for verdict in left.outcome.verdicts] == ["partial", "partial"]


async def test_a_whole_answer_meets_the_same_transform() -> None:
    def on_stream(self: Stage, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        return Transformed(Acting(("change",) * 9), events)

    found = await exchange(stage("loud", on_stream), reply="quiet", stream=False)
    assert (found.text, verdicts(found)["loud", "response"]) == ("QUIET", "masked")


class Slow:
    """Takes its time for every event."""

    def __init__(self, hand: list[float], seconds: float) -> None:
        self._hand = hand
        self._seconds = seconds

    def event(self, event: Event) -> Sequence[Event]:
        """The event, after a while; the last but one is held back."""
        self._hand[0] += self._seconds
        return () if isinstance(event, Finish) else (event,)

    def end(self) -> Sequence[Event]:
        """Nothing."""
        self._hand[0] += 0.5
        return ()


@pytest.mark.parametrize(("seconds", "fault"), [(40.0, False), (61.0, True)])
async def test_time_is_counted_and_limited_for_each_stage(
    seconds: float, fault: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand = [1000.0]
    monkeypatch.setattr(pipes, "perf_counter", lambda: hand[0])

    def on_stream(self: Stage, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        return Transformed(Slow(hand, seconds if self.name == "slow" else 1.0), events)

    ctx = context(stream=True)
    stages = (stage("slow", on_stream, config=StageConfig(timeout_s=60)), stage("quick", on_stream))
    found = await exchange(*stages, reply=("a", "b"), ctx=ctx)
    assert isinstance(found.error, StageFault) is fault
    assert verdicts(found)["slow", "response"] == ("error" if fault else "allowed")
    if not fault:
        assert ctx.timings == {"slow": 3 * seconds + 0.5, "quick": 4.5}
