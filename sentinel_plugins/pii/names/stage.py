"""A stage that also replaces what a model recognises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable
from contextlib import asynccontextmanager
from functools import partial
from typing import ClassVar, Self

from sentinel_core.context import Context
from sentinel_core.errors import ConfigProblem
from sentinel_core.events import Event
from sentinel_core.hookspecs import hookimpl
from sentinel_core.messages import Answer
from sentinel_core.running import Running
from sentinel_core.services import Services
from sentinel_plugins.guarding.form import json_kinds
from sentinel_plugins.guarding.stage import Replacing
from sentinel_plugins.guarding.streaming import MOST_WAITING, Searched, redacted
from sentinel_plugins.pii.names.config import RecognisingConfig
from sentinel_plugins.pii.names.marks import Marking
from sentinel_plugins.pii.names.reading import Reading, is_said
from sentinel_plugins.pii.names.recogniser import Recogniser, SegmentCounts, missing
from sentinel_plugins.pii.names.segments import LONGEST


class Recognising(Replacing):
    """Where a model is asked for, texts are read by it first; what it found is replaced with everything else."""

    Config: ClassVar[type[RecognisingConfig]] = RecognisingConfig
    recogniser: Recogniser | None = None

    @classmethod
    def missing(cls, config: RecognisingConfig) -> Iterable[ConfigProblem]:
        """The extra, or the model, that is asked for and not installed."""
        return missing(config) if config.recognised else ()

    @classmethod
    @asynccontextmanager
    async def open(cls, config: RecognisingConfig, services: Services) -> AsyncIterator[Self]:  # type: ignore[override]  # its own Config, as every stage
        """The stage, with its recogniser ready where it needs one. Raises `ConfigError` where that cannot be had."""
        counts = SegmentCounts(services.counts)
        async with super().open(config, services) as stage:
            if not config.recognised:
                yield stage
                return
            async with Recogniser.opened(config, counts) as stage.recogniser:
                yield stage

    @hookimpl
    def on_request(self, ctx: Context) -> Running[None] | None:
        """Replace what goes to the model. Raises `Refusal` for what blocks."""
        return super().on_request(ctx) if self.recogniser is None else self._read_first(ctx, self.recogniser)

    @hookimpl
    def on_response(self, ctx: Context, answer: Answer) -> Answer | Awaitable[Answer]:
        """Replace what comes back whole, as `on_request` does what goes."""
        if self.recogniser is None:
            return super().on_response(ctx, answer)
        return self._read_answer_first(ctx, self.recogniser, answer)

    @hookimpl
    def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Replace what comes back. Raises `Refusal` for what blocks, before it or anything behind it leaves."""
        if self.recogniser is None:
            return super().on_stream(ctx, events)
        reading = Reading(self.recogniser, self._executor, json_kinds(ctx.request))
        redaction = self._recalling(ctx, partial(Marking, reading.recognised))
        lanes = Searched(redaction, self._handing(ctx, redaction))
        return redacted(lanes, reading.stream(events), MOST_WAITING + LONGEST)

    async def _read_first(self, ctx: Context, recogniser: Recogniser) -> None:
        slots = self._asked(ctx).texts()
        reading = Reading(recogniser, self._executor)
        await reading.read(slots, is_said)
        searched = self._search(ctx, self._redaction(ctx, "request", partial(Marking, reading.recognised)), slots)
        if searched is not None:
            await searched

    async def _read_answer_first(self, ctx: Context, recogniser: Recogniser, answer: Answer) -> Answer:
        slots = answer.texts()
        reading = Reading(recogniser, self._executor, json_kinds(ctx.request))
        await reading.read(slots)
        redaction = self._redaction(ctx, "response", partial(Marking, reading.recognised))
        searched = self._search_answer(ctx, redaction, answer, slots)
        return searched if isinstance(searched, Answer) else await searched
