"""One stage of an author and what a test does with it: open it, send a prompt through it, find one that it lets by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

from sentinel_core.chain import Tracker
from sentinel_core.context import Context
from sentinel_core.errors import Refusal
from sentinel_core.json_types import TomlValue
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing.fake_provider import FakeProvider, Item, Unhurried
from sentinel_core.testing.harness import Driven, chain_of, context, opened, run
from sentinel_core.testing.watching import ended, no_fault

Live: TypeAlias = tuple[Stage, StageConfig]
"""An opened stage and its configuration."""


class StageTrial:
    """What an author says of a stage, and the requests that go through it. `StageConformance` says what each is."""

    stage: ClassVar[type[Stage]]
    config: ClassVar[Mapping[str, TomlValue]] = {}
    minimum: ClassVar[Mapping[str, TomlValue] | None] = None
    prompts: ClassVar[Sequence[str]] = ("Hello",)
    replies: ClassVar[Sequence[str]] = ("Hello there, how are you?",)
    answers_failures: ClassVar[bool] = False

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


def cut(text: str, size: int) -> list[Item]:
    """The text in pieces of so many characters."""
    return [text[start : start + size] for start in range(0, len(text), size)]
