"""What every stage must keep, as tests that an author inherits."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import product

import pytest

from sentinel_core.chain import Chain, Delivery, Exchange, Tracker
from sentinel_core.context import Context
from sentinel_core.errors import ConfigError, Refusal, StageFault
from sentinel_core.events import Finish
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage
from sentinel_core.testing.fake_clock import settle
from sentinel_core.testing.fake_provider import FakeProvider, Item, Unhurried
from sentinel_core.testing.harness import Driven, chain_of, opened, run, stage_config
from sentinel_core.testing.stage_endings import Finishes, StageEndings
from sentinel_core.testing.stage_trial import cut
from sentinel_core.testing.watching import ended, no_fault

BLOCKED_LOOP_S = 0.25


class StageConformance(StageEndings):
    """Subclass it, say which stage and which configuration, and pytest runs the rest.

    >>> class TestWords(StageConformance):
    ...     stage = Words
    ...     config = {"words": ["secret"]}
    ...     replies = ("nothing here", "the secret is out")

    `minimum` is the smallest documented table. `replies` and `prompts` are texts that the stage acts on, and some
    on which it does not; at least one prompt must be let through. A stage that needs an earlier one overrides
    `prepare`. `answers_failures = True` says that the stage may answer where the upstream fails, as one that falls
    back on kept replies does; any other must let the failure through. Whatever it does, the stage must not fault: only
    the test of that accepts a fault.
    """

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
                streamed = await self._drive(prompt, cut(reply, size), stream=True)
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
                    assert _ends(streamed) == _ends(unary), "a stream has one `Finish` for each choice of the answer"

    async def test_its_own_output_passes_unchanged(self) -> None:
        """What it let out once it lets out again: a cached reply passes every guard a second time."""
        prompt = await self._let_through()
        for reply, stream in product(self.replies, (True, False)):
            once = await self._drive(prompt, [reply], stream=stream)
            if once.error is None and once.text:
                again = await self._drive(prompt, [once.text], stream=stream)
                assert (again.error, again.text) == (None, once.text)

    async def test_a_fault_follows_its_policy(self) -> None:
        """If its `on_request` fails, the request is refused, or goes on where the stage fails open or only monitors.

        Nothing is asked where the chain has no `on_request` of it: there is none, or it is `unused`.
        """
        async with opened(self.stage, self.config) as (live, config):
            if not hasattr(self.stage, "on_request") or not chain_of([(live, config)], FakeProvider()).requests:
                return
            live.__class__ = type("Broken", (_Broken, type(live)), {})
            provider, tracker = FakeProvider(self.replies), Tracker()
            chain = chain_of([(live, config)], provider, tracker)
            driven = await ended(run(chain, self._context(self.prompts[0], stream=True)))
            await ended(tracker.drained())
        fails_open = (config.on_fault or self.stage.on_fault) == "open" or self.stage.observer
        goes_on = fails_open or config.mode == "monitor"
        refused = isinstance(driven.error, StageFault)
        assert refused is not goes_on, (
            f"a fault of `on_request` {'refuses' if refused else 'does not refuse'} a request"
        )

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
            pieces = cut(f"{reply} number {number}", 1 + number % 3)
            asked.append((own if await self._lets_through(own) else prompt, pieces))
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


async def _begin(chain: Chain, ctx: Context) -> None:
    """Read one event, and let everybody work who may; a prompt that is refused has none."""
    try:
        async with Exchange(chain, ctx) as reply:
            assert isinstance(reply, Delivery)
            await anext(reply)
            await settle()
    except Refusal:
        pass  # nothing was asked for then, or no more than one event


def _ends(driven: Driven) -> list[tuple[int, str]]:
    """How each choice ended."""
    answer = driven.answer
    found = driven.events if answer is None else answer.dialect.ends(answer)
    return [(event.choice, event.reason) for event in found if isinstance(event, Finish)]


def _kind(driven: Driven) -> str | None:
    return driven.error.code if driven.error is not None else None


def _buffers(stage: Stage) -> bool:
    return hasattr(stage, "on_response") and not hasattr(stage, "on_stream")


__all__ = ["Finishes", "StageConformance"]
