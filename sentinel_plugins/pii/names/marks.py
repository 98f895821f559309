"""What was recognised in a text beforehand, for those who look at it as it goes by."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from msgspec.structs import replace

from sentinel_core.messages import TextSlot
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Beside, Finder
from sentinel_plugins.guarding.presidio.wire import Span
from sentinel_plugins.guarding.redaction import Merged, Note, Redaction
from sentinel_plugins.guarding.replacing import Action, Replacement
from sentinel_plugins.guarding.told import Alongside
from sentinel_plugins.guarding.transducer import Decide
from sentinel_plugins.guarding.written import Replacer
from sentinel_plugins.pii.names.segments import LONGEST, Segments

Recognised: TypeAlias = Mapping[str, Sequence[Span]]
"""What is in each segment."""


class Marks:
    """Finds in one text what was recognised in its segments; a segment that has not ended yet is waited for.

    It is asked about ends of the text up to the last character that it took.
    """

    max_length = LONGEST
    left = 0

    def __init__(self, recognised: Recognised) -> None:
        self._recognised = recognised
        self._segments = Segments()
        self._taken = 0
        self._cut = 0
        self._found: list[Found] = []

    def take(self, text: str, *, end: bool) -> None:
        """The next piece of the text. KeyError for a segment that nobody read: nothing may leave unread."""
        self._taken += len(text)
        for segment in self._segments.take(text, end=end):
            for start, stop, entity in self._recognised[segment]:
                self._found.append(Found(self._cut + start, self._cut + stop, entity, "pii"))
            self._cut += len(segment)

    def find(self, text: str) -> Sequence[Found]:
        """What is in these last characters of the text. What begins before them begins with them."""
        if not self._found:
            return ()
        first = self._taken - len(text)
        at = bisect_right(self._found, first - LONGEST, key=lambda found: found.start)
        return [
            replace(found, start=max(0, found.start - first), end=found.end - first)
            for found in self._found[at:]
            if found.end > first
        ]

    def live_from(self, text: str) -> int:
        """Where the segment begins that has not ended."""
        return max(0, len(text) - self._segments.open)


class Marking(Redaction):
    """A `Redaction` that also replaces what was recognised."""

    def __init__(
        self,
        recognised: Recognised,
        merged: Merged,
        replacements: Mapping[Action, Replacement],
        note: Note,
        json: Collection[str],
    ) -> None:
        super().__init__(merged, replacements, note, json)
        self._recognised = recognised

    def _may_hold(self, slot: TextSlot) -> bool:
        """What was recognised is known by segments, which only a text that is read tells."""
        return True

    def _replacer(self, finder: Finder, decide: Decide, left: str, *, alongside: bool = False) -> Replacer:
        marks = Marks(self._recognised)
        return Alongside(marks, super()._replacer(Beside(finder, marks), decide, left, alongside=True))
