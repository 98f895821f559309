"""What every stage must keep, as tests that an author inherits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from itertools import product
from typing import ClassVar, TypeAlias

import pytest

from sentinel_core.chain import Chain, Delivery, Exchange, Tracker
from sentinel_core.context import Context, Outcome
from sentinel_core.errors import ConfigError, Refusal, SentinelError, StageFault, UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.json_types import TomlValue
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing.fake_clock import settle
from sentinel_core.testing.fake_provider import HANG, FakeProvider, Item, Unhurried
from sentinel_core.testing.harness import Driven, chain_of, context, opened, run, stage_config
from sentinel_core.testing.watching import ended, no_fault

BLOCKED_LOOP_S = 0.25

Live: TypeAlias = tuple[Stage, StageConfig]
"""An opened stage and its configuration."""


class Finishes(Stage):
    """Counts finishers. It stands first, so that it is finished last."""

    name = "finishes"
    observer = True

    def __init__(self) -> None:
        super().__init__(StageConfig())
        self.outcomes: list[Outcome] = []

    @hookimpl
    def on_finish(self, outcome: Outcome) -> None:
        """Note one ending."""
        self.outcomes.append(outcome)


class StageConformance:
    """Subclass it, say which stage and which configuration, and pytest runs the rest.

    >>> class TestWords(StageConformance):
    ...     stage = Words
    ...     config = {"words": ["secret"]}
    ...     replies = ("nothing here", "the secret is out")

    `minimum` is the smallest documented table. `replies` and `prompts` are texts that the stage acts on, and some
    on which it does not; at least one prompt must be let through. A stage that needs an earlier one overrides
    `prepare`. Whatever it does, the stage must not fault: only the test of that accepts a fault.
    """

    stage: ClassVar[type[Stage]]
    config: ClassVar[Mapping[str, TomlValue]] = {}
    minimum: ClassVar[Mapping[str, TomlValue] | None] = None
    prompts: ClassVar[Sequence[str]] = ("Hello",)
    replies: ClassVar[Sequence[str]] = ("Hello there, how are you?",)

    def prepare(self, ctx: Context) -> None:
        """Write the facts that the stage reads."""

    def _context(self, prompt: str, *, stream: bool) -> Context:
        ctx = context(prompt, stream=stream)
        self.prepare(ctx)
        return ctx

    async def _drive(self, prompt: str, reply: Sequence[Item], *, stream: bool) -> Driven:
        async with opened(self.stage, self.config) as live:
            return await self._sent(live, FakeProvider(reply), prompt, stream=stream)

    async def _sent(self, live: Live, provider: FakeProvider, prompt: str, *, stream: bool) -> Driven:
        tracker = Tracker()
        with no_fault():
            chain, ctx = chain_of([live], provider, tracker), self._context(prompt, stream=stream)
            driven = await ended(run(chain, ctx, in_turn=isinstance(provider, Unhurried)))
            await ended(tracker.drained())
        driven.sent = provider.calls
        return driven

    async def _lets_through(self, prompt: str) -> bool:
        driven = await self._drive(prompt, self.replies, stream=True)
        return bool(driven.sent) or not isinstance(driven.error, Refusal)

    async def _let_through(self) -> str:
        """The first prompt that is not refused."""
        for prompt in self.prompts:
            if await self._lets_through(prompt):
                return prompt
        raise AssertionError("every one of `prompts` is refused: what the stage does with replies was never seen")

    def test_it_accepts_its_documented_minimum(self) -> None:
        """The smallest table is enough."""
        stage_config(self.stage, self.config if self.minimum is None else self.minimum)

    def test_it_rejects_an_unknown_key(self) -> None:
        """A typo is an error at start, and the message names it."""
        with pytest.raises(ConfigError, match="no_such_key_"):
            stage_config(self.stage, {**self.config, "no_such_key_": 1})

    async def test_chunking_makes_no_difference(self) -> None:
        """However the upstream cuts a text, the caller gets the same text."""
        prompt = await self._let_through()
        for reply in self.replies:
            whole = await self._drive(prompt, [reply], stream=True)
            for size in (1, 2, 3, 7):
                streamed = await self._drive(prompt, _cut(reply, size), stream=True)
                assert (streamed.text, _kind(streamed)) == (whole.text, _kind(whole)), f"cut every {size} characters"

    async def test_streams_and_answers_agree(self) -> None:
        """A stream and a unary answer of the same text end alike."""
        for prompt in self.prompts:
            for reply in self.replies:
                streamed = await self._drive(prompt, [reply], stream=True)
                unary = await self._drive(prompt, [reply], stream=False)
                assert _kind(streamed) == _kind(unary)
                if unary.error is None:
                    assert streamed.text == unary.text

    async def test_its_own_output_passes_unchanged(self) -> None:
        """What it let out once it lets out again: a cached reply passes every guard a second time."""
        prompt = await self._let_through()
        for reply, stream in product(self.replies, (True, False)):
            once = await self._drive(prompt, [reply], stream=stream)
            if once.error is None and once.text:
                again = await self._drive(prompt, [once.text], stream=stream)
                assert (again.error, again.text) == (None, once.text)

    async def test_every_ending_finishes_once_and_leaves_nothing(self) -> None:
        """Completed, broken, left early, never pulled, cancelled: one finish, the upstream closed, no task left."""
        before, prompt = asyncio.all_tasks(), await self._let_through()
        broken = UpstreamError("upstream_stream_interrupted")
        for script, leave_after in (
            ((*self.replies,), None),
            (("a", broken), None),
            (("a", "b", "c"), 1),
            (("a", "b"), 0),
        ):
            finishes, provider, chain = await self._ended(prompt, script, leave_after)
            assert len(finishes.outcomes) == 1
            assert provider.opened == provider.closed
            assert chain.users == 0
        assert asyncio.all_tasks() == before

    async def _ended(
        self, prompt: str, script: Sequence[Item], leave_after: int | None
    ) -> tuple[Finishes, FakeProvider, Chain]:
        finishes, provider, tracker = Finishes(), FakeProvider(script), Tracker()
        async with opened(self.stage, self.config) as live:
            with no_fault():
                chain = chain_of([finishes, live], provider, tracker)
                await ended(_left(chain, self._context(prompt, stream=True), leave_after))
                await ended(tracker.drained())
        return finishes, provider, chain

    async def test_a_fault_follows_its_policy(self) -> None:
        """If its `on_request` fails, the request is refused, or goes on where the stage fails open."""
        if not hasattr(self.stage, "on_request"):
            return
        async with opened(self.stage, self.config) as (live, config):
            live.__class__ = type("Broken", (_Broken, type(live)), {})
            provider, tracker = FakeProvider(self.replies), Tracker()
            chain = chain_of([(live, config)], provider, tracker)
            driven = await ended(run(chain, self._context(self.prompts[0], stream=True)))
            await ended(tracker.drained())
        fails_open = (config.on_fault or self.stage.on_fault) == "open" or self.stage.observer
        assert isinstance(driven.error, StageFault) is not fails_open

    async def test_a_cancelled_request_closes_the_upstream(self) -> None:
        """A caller who leaves while the upstream is silent leaves nothing open."""
        finishes, provider, tracker = Finishes(), FakeProvider(("a", HANG)), Tracker()
        prompt = await self._let_through()
        async with opened(self.stage, self.config) as live:
            with no_fault():
                chain = chain_of([finishes, live], provider, tracker)
                task = asyncio.create_task(run(chain, self._context(prompt, stream=True)))
                await settle(50)
                task.cancel()
                await ended(asyncio.wait([task]))
                await ended(tracker.drained())
        assert len(finishes.outcomes) == 1
        assert provider.opened == provider.closed

    async def test_it_pulls_nothing_ahead_of_its_reader(self) -> None:
        """Back pressure reaches the upstream: a stage that streams holds back at most what one event may hide."""
        for prompt in self.prompts:
            provider, tracker = FakeProvider([" "] * 50), Tracker()
            async with opened(self.stage, self.config) as live:
                chain = chain_of([live], provider, tracker)
                if any(chain.streams) and not _buffers(live[0]):
                    with no_fault():
                        await ended(_begin(chain, self._context(prompt, stream=True)))
                    assert provider.pulled < 50
                await ended(tracker.drained())

    async def test_two_requests_never_meet(self) -> None:
        """Requests of one opened stage, which take turns event by event, get the replies they would get alone."""
        asked = await self._different()
        for stream in (True, False):
            alone = [await self._drive(prompt, reply, stream=stream) for prompt, reply in asked]
            async with opened(self.stage, self.config) as live:
                together = await asyncio.gather(
                    *(self._sent(live, Unhurried(reply), prompt, stream=stream) for prompt, reply in asked)
                )
            assert [(one.text, _kind(one)) for one in together] == [(one.text, _kind(one)) for one in alone]

    async def _different(self) -> list[tuple[str, Sequence[Item]]]:
        """Requests that differ in prompt, as far as the stage lets that through, in reply, and in how that is cut."""
        prompt = await self._let_through()
        asked: list[tuple[str, Sequence[Item]]] = []
        for number, reply in enumerate((*self.replies, *self.replies)):
            own = f"{prompt} {number}"
            cut = _cut(f"{reply} number {number}", 1 + number % 3)
            asked.append((own if await self._lets_through(own) else prompt, cut))
        return asked

    async def test_it_never_blocks_the_loop(self) -> None:
        """Other requests go on while it works, on streams and whole answers: long work belongs into the executor."""
        loop, worst, last = asyncio.get_running_loop(), 0.0, asyncio.get_running_loop().time()

        async def beat() -> None:
            nonlocal worst, last
            while True:
                await asyncio.sleep(0.005)
                worst, last = max(worst, loop.time() - last), loop.time()

        heart = asyncio.create_task(beat())
        try:
            for prompt, stream in product(self.prompts, (True, False)):
                await self._drive(prompt, [self.replies[0] * 20], stream=stream)
            await asyncio.sleep(0.01)
        finally:
            heart.cancel()
            await asyncio.wait([heart])
        assert worst < BLOCKED_LOOP_S, f"the event loop stood still for {worst:.2f} s"


class _Broken:
    """Mixed into a stage to see what its fault does."""

    @hookimpl
    def on_request(self) -> None:
        """Fail."""
        raise RuntimeError("broken on purpose")


async def _left(chain: Chain, ctx: Context, leave_after: int | None) -> None:
    """One exchange whose caller leaves after so many events, or stays."""
    try:
        async with Exchange(chain, ctx) as reply:
            if isinstance(reply, Delivery):
                await _pull(reply, leave_after)
    except SentinelError:
        pass  # an ending like any other: what it leaves is what is looked at


async def _begin(chain: Chain, ctx: Context) -> None:
    """Read one event, and let everybody work who may; a prompt that is refused has none."""
    try:
        async with Exchange(chain, ctx) as reply:
            assert isinstance(reply, Delivery)
            await anext(reply)
            await settle()
    except Refusal:
        pass  # nothing was asked for then, or no more than one event


async def _pull(reply: Delivery, leave_after: int | None) -> None:
    count = 0
    if leave_after == 0:
        return
    async for _ in reply:
        count += 1
        if count == leave_after:
            return


def _cut(text: str, size: int) -> list[Item]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _kind(driven: Driven) -> str | None:
    return driven.error.code if driven.error is not None else None


def _buffers(stage: Stage) -> bool:
    return hasattr(stage, "on_response") and not hasattr(stage, "on_stream")


__all__ = ["Finishes", "StageConformance"]
