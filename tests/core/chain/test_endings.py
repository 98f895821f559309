"""Every ending, at every await point: what was opened is closed once, who was entered is finished once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentinel_core.chain import Chain, ChainPlan, Delivery, Exchange, StagePlan, Tracker
from sentinel_core.errors import Refusal, SentinelError
from sentinel_core.hookspecs import PHASES
from sentinel_core.stage import StageConfig
from sentinel_core.testing import FakeProvider, chain_of, completion, context, settle
from tests.core.chain.scenes import Legs, Record, Scene, Shape, Trouble, Upstream, actors
from tests.loops import Loop
from tests.products import products

LEGS: tuple[Legs, ...] = ("one", "retry", "hedge")
SUBSETS = [frozenset(phases) for size in range(len(PHASES) + 1) for phases in combinations(PHASES, size)]
SHAPES = products(Shape, SUBSETS, [False, True], LEGS)
TROUBLES = products(Trouble, range(4), PHASES, ["refuse", "fault", "unasked"], range(3))


def scenes(troubles: st.SearchStrategy[Trouble | None]) -> st.SearchStrategy[Scene]:
    """Any exchange with one of these troubles."""
    return st.builds(
        Scene,
        shapes=st.lists(SHAPES, min_size=1, max_size=4).map(tuple),
        stream=st.booleans(),
        texts=st.integers(0, 4),
        trouble=troubles,
        cut=st.sampled_from([None, *range(-1, 4)]),
        leave_after=st.sampled_from([None, *range(5)]),
    )


SCENES = scenes(st.none() | TROUBLES)
ALL = frozenset(PHASES)
STREAMING = frozenset(PHASES) - {"on_response"}


class Played:
    """A scene that ran, and what is left of it at the caller's exit."""

    def __init__(self, scene: Scene) -> None:
        self.record = Record(scene)
        self.tracker = Tracker()
        stages = actors(self.record)
        plan = ChainPlan([StagePlan(stage.name, type(stage), StageConfig()) for stage in stages])
        self.chain = Chain(plan, stages, {"fake": Upstream(self.record)}, self.tracker)
        self.ctx = context(stream=scene.stream)
        self.error: BaseException | None = None
        self.got = 0
        self.turns = 0

    @property
    def scene(self) -> Scene:
        return self.record.scene

    async def caller(self) -> None:
        """One caller: takes events one at a time and looks whether any was pulled ahead."""
        try:
            async with Exchange(self.chain, self.ctx) as reply:
                if isinstance(reply, Delivery) and self.scene.leave_after != 0:
                    await self.read(reply)
        except BaseException as exc:
            self.error = exc
            raise
        finally:
            if len(self.scene.cancels) < 2:
                self.record.assert_ended()

    async def read(self, reply: Delivery) -> None:
        buffers = any("on_response" in shape.phases and "on_stream" not in shape.phases for shape in self.scene.shapes)
        async for _ in reply:
            self.got += 1
            await settle(2)
            assert buffers or self.record.pulled == self.got
            if self.got == self.scene.leave_after:
                return

    async def play(self) -> None:
        """Run the caller one turn of the loop at a time; cancel where the scene says so."""
        task = asyncio.create_task(self.caller())
        while not task.done():
            await asyncio.sleep(0)
            self.turns += 1
            if self.turns in self.scene.cancels:
                task.cancel()
        await asyncio.wait([task])
        if not task.cancelled() and isinstance(failure := task.exception(), AssertionError):
            raise failure
        await self.tracker.drained()
        self.record.assert_ended()
        # Legs that were cancelled in the very turn in which their stage was: one hedge in another ends after it.
        await settle(2 * len(self.scene.shapes))
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert self.chain.users == 0
        assert all(attempt.ending is not None and attempt.ended is not None for attempt in self.ctx.attempts)


def played(scene: Scene) -> Played:
    async def run() -> Played:
        play = Played(scene)
        await play.play()
        return play

    with Loop() as loop:
        return loop.run(run())


@given(SCENES)
def test_whatever_goes_wrong_every_stream_is_closed_once_and_every_entered_stage_finished_once(scene: Scene) -> None:
    play = played(scene)
    assert play.error is None or isinstance(play.error, SentinelError)


@given(SCENES, st.data())
def test_after_one_cancellation_all_is_over_when_the_caller_is(scene: Scene, data: st.DataObject) -> None:
    turns = played(scene).turns
    played(replace(scene, cancels=(data.draw(st.integers(1, turns)),)))


@given(SCENES, st.data())
def test_after_a_second_cancellation_all_is_over_when_the_tracker_is(scene: Scene, data: st.DataObject) -> None:
    first = data.draw(st.integers(1, played(scene).turns))
    second = data.draw(st.integers(first + 1, first + 12))
    played(replace(scene, cancels=(first, second)))


@pytest.mark.parametrize("legs", LEGS)
@pytest.mark.parametrize("stream", [True, False], ids=["stream", "unary"])
def test_a_cancellation_at_every_single_await_point_leaves_nothing(legs: Legs, stream: bool) -> None:
    scene = Scene((Shape(ALL, waits=True), Shape(STREAMING, waits=True, legs=legs)), stream, texts=2)
    for turn in range(1, played(scene).turns + 1):
        played(replace(scene, cancels=(turn,)))


@pytest.mark.parametrize("legs", LEGS)
def test_a_second_cancellation_at_every_await_point_of_the_cleanup_leaves_nothing(legs: Legs) -> None:
    scene = Scene((Shape(frozenset({"dispatch", "on_finish"}), waits=True, legs=legs),), stream=True, texts=1)
    for first in range(1, played(scene).turns + 1):
        for second in range(first + 1, first + 6):
            played(replace(scene, cancels=(first, second)))


@given(scenes(TROUBLES))
def test_a_refusal_before_the_first_event_reaches_the_caller_as_itself(scene: Scene) -> None:
    play = played(scene)
    if play.record.refusal is not None and scene.trouble is not None and scene.trouble.phase != "on_finish":
        assert play.error is play.record.refusal or scene.trouble.phase == "dispatch"
        assert isinstance(play.error, Refusal)
        assert play.error.status == 422


async def test_an_exchange_is_entered_once() -> None:
    chain = chain_of([], FakeProvider(completion("ok")))
    exchange = Exchange(chain, context())
    async with exchange:
        with pytest.raises(RuntimeError, match="entered once"):
            await exchange.__aenter__()
    with pytest.raises(RuntimeError, match="entered once"):
        await exchange.__aenter__()
    assert chain.users == 0
