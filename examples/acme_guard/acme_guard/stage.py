"""The guard. It implements `on_request` and `on_stream`; the chain derives what whole answers need from the latter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import ClassVar

import msgspec

from acme_guard.config import AcmeWordsConfig
from acme_guard.masking import WordMask
from sentinel_core.context import Context
from sentinel_core.events import Event, Finish, Opaque, TextEvent, ToolCallDelta
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage, StageConfig


class AcmeWords(Stage):
    """Masks words in both directions, also where a word is split over several events of a stream."""

    name = "acme_words"
    Config: ClassVar[type[StageConfig]] = AcmeWordsConfig
    guard = True
    after = ("auth", "rate_limit")
    before = ("cache", "routing")

    def __init__(self, config: AcmeWordsConfig) -> None:
        super().__init__(config)
        self._mask = WordMask(config.words, config.mask)

    @hookimpl
    def on_request(self, ctx: Context) -> None:
        """Mask what goes to the model."""
        ctx.request = ctx.request.with_texts(self._mask.changes(ctx.request.texts()))

    @hookimpl
    async def on_stream(self, ctx: Context, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Mask what comes back, each lane on its own: a choice's content, its reasoning, each tool call's arguments.

        Every event is handed on at once, if need be without its text, because it may carry more than text.
        """
        held: dict[tuple[int, str, int], TextEvent] = {}
        async for event in events:
            if isinstance(event, TextEvent):
                before = held.pop(event.lane, None)
                masked, rest = self._mask.split((before.text if before else "") + event.text)
                if rest:
                    held[event.lane] = continuation(event, rest)
                yield event.with_text(masked)
            elif isinstance(event, Finish):
                for lane in [lane for lane in held if lane[0] == event.choice]:
                    yield self._last(held.pop(lane))
                yield event
            elif isinstance(event, Opaque):
                yield event.with_texts(self._mask.changes(event.texts()))
            else:
                yield event
        for last in held.values():
            yield self._last(last)

    def _last(self, event: TextEvent) -> TextEvent:
        return event.with_text(self._mask.whole(event.text))


def continuation(event: TextEvent, text: str) -> TextEvent:
    """An event of our own that goes on with the same text, without the frame that the provider sent."""
    own = msgspec.structs.replace(event, text=text, frame=None, part=0, changed=True)
    return msgspec.structs.replace(own, id=None, name=None) if isinstance(own, ToolCallDelta) else own
