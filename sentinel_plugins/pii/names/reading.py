"""The texts of one request or reply, read ahead of the scan."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from typing import Final, TypeAlias

from sentinel_core.events import Event, Opaque, TextEvent, ends_texts
from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.form import ARGUMENTS, describes
from sentinel_plugins.guarding.presidio.wire import Span
from sentinel_plugins.guarding.redaction import Text
from sentinel_plugins.guarding.streaming import Lanes
from sentinel_plugins.guarding.transducer import Piece
from sentinel_plugins.guarding.written import JsonText, PlainText
from sentinel_plugins.pii.names.recogniser import Recogniser
from sentinel_plugins.pii.names.segments import Segments

Reads: TypeAlias = Callable[[TextSlot], bool]
"""Whether there may be names in a text."""
_SAID: Final = frozenset({"documents", "input", "instructions", "messages", "prediction", "prompt", "system"})
"""Fields of requests that hold what is said, in all formats."""
_OFF_LOOP_CHARS: Final = 65_536
_WORD = re.compile(r"[^\W\d_]{2}")
_SPACE = re.compile(r"\s")
_RUN_CHARS: Final = 64
"""An ASCII segment of this length without white space is no prose, but an address, a key or a file."""


def _is_prose(slot: TextSlot) -> bool:
    """Whether somebody wrote it: no field's or tool's name, no description of a tool or a format, no token."""
    path = slot.path
    if slot.kind == "key" or describes(path) or "logprobs" in path:
        return False
    return path[-1] != "name" or " " in slot.text


def is_said(slot: TextSlot) -> bool:
    """Whether a text of a request is prose that is said, and no setting: a city to search near has to stay one."""
    return (slot.role is not None or slot.path[0] in _SAID) and _is_prose(slot)


class Ahead:
    """Reads one text up to the segments that have ended. What it lets leave has ended."""

    def __init__(self, ended: list[str]) -> None:
        self._ended = ended
        self._segments = Segments()

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """See `Replacer`."""
        segments = self._segments.take(text, end=end)
        self._ended += segments
        return [Piece(len(segment)) for segment in segments]


class Reading:
    """What was recognised in the texts at hand, by segment, for `Marks` to look up."""

    def __init__(self, recogniser: Recogniser, executor: Executor, json: Collection[str] = ARGUMENTS) -> None:
        """`json` are the kinds of text that are read as JSON."""
        self.recognised: dict[str, Sequence[Span]] = {}
        self._recogniser = recogniser
        self._executor = executor
        self._json = json
        self._ended: list[str] = []

    async def read(self, slots: Sequence[TextSlot], reads: Reads = _is_prose) -> None:
        """Read complete texts. Raises what `Pool.ask` raises."""
        if sum(len(slot.text) for slot in slots) > _OFF_LOOP_CHARS:
            loop = asyncio.get_running_loop()
            wanted = await loop.run_in_executor(self._executor, self._wanted_of, slots, reads)
        else:
            wanted = self._wanted_of(slots, reads)
        await self._recognise(wanted)

    async def stream(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """The events, with texts held until the segment in which they are has been read.

        What was recognised in one event is forgotten when the next one is asked for: it has been replaced by then.
        """
        lanes = Lanes(lambda event: _text(self._ended, json=event.kind in self._json))
        async for event in events:
            self.recognised.clear()
            if isinstance(event, TextEvent):
                event = lanes.take(event)
            elif ends_texts(event):
                for rest in await self._rest(lanes, event.choice):
                    yield rest
            if isinstance(event, Opaque) and event.slots:
                await self.read(event.texts())
            await self._read_ended()
            yield event
        self.recognised.clear()
        for rest in await self._rest(lanes):
            yield rest

    async def _rest(self, lanes: Lanes, choice: int | None = None) -> list[TextEvent]:
        """What is left of a choice that ends, or of all."""
        rest = list(lanes.rest(choice))
        await self._read_ended()
        return rest

    async def _read_ended(self) -> None:
        if self._ended:
            wanted = self._wanted(self._ended)
            self._ended.clear()
            await self._recognise(wanted)

    def _wanted_of(self, slots: Iterable[TextSlot], reads: Reads) -> dict[bytes, str]:
        """What has to be read of complete texts."""
        prose: list[str] = []
        other: list[str] = []
        for slot in slots:
            text = _text(prose if reads(slot) else other, json=slot.kind in self._json)
            text.feed(slot.text, end=True)
        self.recognised.update(dict.fromkeys(other, ()))
        return self._wanted(prose)

    def _wanted(self, segments: Iterable[str]) -> dict[bytes, str]:
        """What has to be read of these segments, by digest. In the others there is nothing."""
        digest = self._recogniser.digest
        wanted: dict[bytes, str] = {}
        for segment in segments:
            if _says_something(segment):
                wanted[digest(segment)] = segment
            else:
                self.recognised[segment] = ()
        return wanted

    async def _recognise(self, wanted: Mapping[bytes, str]) -> None:
        self.recognised.update(await self._recogniser.read(wanted))


def _text(ended: list[str], *, json: bool) -> Text:
    """A text that leaves as it is, but only as far as its segments have ended."""
    return JsonText(lambda _: Ahead(ended), 0) if json else PlainText(Ahead(ended))


def _says_something(segment: str) -> bool:
    """Whether there can be a name in it."""
    run = len(segment) >= _RUN_CHARS and segment.isascii() and _SPACE.search(segment.strip()) is None
    return not run and _WORD.search(segment) is not None
