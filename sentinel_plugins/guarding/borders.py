"""Values that a caller wrote over a border: of the parts of a message, or of messages of one author that follow each
other. Whoever reads each text by itself does not see them (H45)."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Final, NamedTuple

from msgspec.structs import replace

from sentinel_core.messages import Path, TextSlot
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder

SAID: Final = "content"
"""The kind of texts that are read behind each other."""
NEAR: Final = 4096
"""Characters of a text at each of its ends that are looked at."""
_GAP: Final = "\n\n"
"""Stands for what is not."""


class Fragment(NamedTuple):
    """Which characters of a text are a part of a value."""

    path: Path
    start: int
    end: int


class Parted(NamedTuple):
    """A value over one border or more: what it says, what it is, and its parts."""

    value: str
    found: Found
    fragments: tuple[Fragment, ...]


class _Stretch(NamedTuple):
    """Where characters of a text stand among those that are looked at."""

    at: int
    end: int
    path: Path
    start: int


def parted(slots: Iterable[TextSlot], finder: Finder) -> list[Parted]:
    """Every such value, but for those that only go on from one that its text has by itself: what stands behind
    `bob@acme.com` in the next part is seldom more of it."""
    said = [slot for slot in slots if slot.kind == SAID and slot.role is not None and slot.text]
    if all(one.role != other.role for one, other in pairwise(said)):  # as a rule
        return []
    found: list[Parted] = []
    for _, group in groupby(said, key=lambda slot: slot.role):
        author = [*group]
        if len(author) > 1:
            found += _of(author, finder)
    return found


def by_text(values: Iterable[Parted]) -> Mapping[Path, list[Found]]:
    """The parts of values by their text, each as a value of it."""
    found: dict[Path, list[Found]] = {}
    for value in values:
        for path, start, end in value.fragments:
            found.setdefault(path, []).append(replace(value.found, start=start, end=end))
    return found


def _of(slots: Sequence[TextSlot], finder: Finder) -> Iterator[Parted]:
    """Those of texts that are one author's."""
    text, stretches = _laid_out(slots)
    texts, alone = {slot.path: slot.text for slot in slots}, dict[Path, Sequence[Found]]()
    for found in finder.find(text):
        first = bisect_right(stretches, found.start, key=_begins) - 1
        over = stretches[first : bisect_left(stretches, found.end, key=_begins)]
        if len(over) < 2 or any(one.end != other.at for one, other in pairwise(over)):
            continue
        fragments = tuple(_fragment(one, found) for one in over)
        for path in [fragment.path for fragment in fragments if fragment.path not in alone]:
            alone[path] = finder.find(texts[path])
        if not any(one.start < end and one.end > start for path, start, end in fragments for one in alone[path]):
            yield Parted(text[found.start : found.end], found, fragments)


def _begins(stretch: _Stretch) -> int:
    return stretch.at


def _fragment(stretch: _Stretch, found: Found) -> Fragment:
    """What of a value is in a stretch of a text."""
    ahead = stretch.start - stretch.at
    return Fragment(stretch.path, max(stretch.at, found.start) + ahead, min(stretch.end, found.end) + ahead)


def _laid_out(slots: Sequence[TextSlot]) -> tuple[str, list[_Stretch]]:
    """The texts behind each other, of long ones both ends with a gap between them."""
    out: list[str] = []
    stretches: list[_Stretch] = []
    at = 0
    for slot in slots:
        size = len(slot.text)
        for start, end in ((0, size),) if size <= 2 * NEAR else ((0, NEAR), (size - NEAR, size)):
            if start:
                out.append(_GAP)
                at += len(_GAP)
            out.append(slot.text[start:end])
            stretches.append(_Stretch(at, at + end - start, slot.path, start))
            at += end - start
    return "".join(out), stretches
