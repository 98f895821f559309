"""A text as others read it: people, and the models that decode what they are given.

Views are for scanning only. What is found in one is told as places of the text itself: of characters that were folded
or escaped, those; of an encoded token, all of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

from msgspec.structs import replace

from sentinel_plugins.guarding import encoded, escapes
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder, Kind, Together
from sentinel_plugins.guarding.folding import DISGUISE, LEFT, Fold, Folding, disguised, folded, may_matter
from sentinel_plugins.guarding.marks import MARK, precomposed
from sentinel_plugins.guarding.origins import Origins, Same, composed
from sentinel_plugins.guarding.scanner import Scanner
from sentinel_plugins.guarding.tail import Tail, utf8
from sentinel_plugins.guarding.unseen import CARRIERS, SMUGGLED, UNSEEN, carries, smuggled, without_unseen

DEPTH = 2
"""How many encodings inside each other are read."""


Tells: TypeAlias = Callable[[int, int], bool]


def _all(start: int, end: int) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class View:
    """A text made from another, and the way back. `tells` says whether `[start:end]` counts: not where it reads
    otherwise only because something is in disguise elsewhere."""

    text: str
    origins: Origins
    tells: Tells = _all

    def made(self, text: str, origins: Origins) -> View:
        """A view that was made from this one."""
        if self.tells is _all:
            return View(text, composed(self.origins, origins))
        return View(text, composed(self.origins, origins), lambda start, end: self.tells(*origins.span(start, end)))

    def folded(self, fold: Fold) -> View:
        """With characters folded; this one, if there are none."""
        text, origins = fold(self.text) if may_matter(self.text) else (self.text, Same())
        if text == self.text:
            return self

        def tells(start: int, end: int) -> bool:
            start, end = origins.span(start, end)
            return disguised(self.text, start, end) and self.tells(start, end)

        return View(text, composed(self.origins, origins), tells)


def views(text: str, fold: Fold = folded) -> Iterator[View]:
    """Every other reading: with escapes read, and with characters folded as well; what tokens say in either, and the
    tokens in that; what is smuggled in characters that nobody sees. None of a text of plain ASCII without escapes and
    long words. `fold` is for the text itself."""
    for reading in _read(View(text, Same()), fold):
        if reading.text != text:
            yield reading
        yield from _decoded(reading, DEPTH)
    hidden = smuggled(text)
    if hidden is not None:
        yield View(*hidden)


def _read(view: View, fold: Fold = folded) -> Iterator[View]:
    """With all escapes read; if that makes another text, with characters folded too: what an unseen character parts is
    two words in the one, and one in the other."""
    *_, unescaped = _unescaped(view)
    yield unescaped
    read = unescaped.folded(fold if unescaped is view else folded)
    if read is not unescaped:
        yield read


def _seen(text: str) -> Iterator[View]:
    """Without what nobody sees, and with a letter and its marks as one, where that is another text, at every layer of
    escapes. Folding takes all that away too, but makes other letters of those of a pattern that is not in plain Latin.
    """
    if text.isascii() and not escapes.may_be_in(text):
        return
    for view in _unescaped(View(text, Same())):
        for made in (without_unseen, precomposed):
            read, origins = made(view.text)
            if read != view.text:
                view = view.made(read, origins)
                yield view


def _unescaped(view: View) -> Iterator[View]:
    """As it is, and with one more layer of escapes read each, but no more than `DEPTH`."""
    yield view
    for _ in range(DEPTH):
        text, origins = escapes.unescaped(view.text)
        if text == view.text:
            break
        view = view.made(text, origins)
        yield view


def _beginnings(text: str) -> Iterator[View]:
    """Every reading of what may be the beginning of a longer text: of which layers, and whether folded, that says."""
    for view in _unescaped(View(text, Same())):
        yield view
        read, origins = folded(view.text)
        if read != view.text:
            yield view.made(read, origins)


def _decoded(view: View, depth: int) -> Iterator[View]:
    decoded = encoded.decoded(view.text) if depth else None
    if decoded is not None:
        for inner in _read(view.made(*decoded)):
            yield inner
            yield from _decoded(inner, depth - 1)


_LONGEST = 16_384
"""Characters of a value in disguise: a long key, and every character an escape."""


class Reader:
    """A scanner that also looks at every view of a text. It finds longer disguises than `max_length` in whole texts; of
    a stream's, only what has not left."""

    def __init__(self, scanner: Scanner, customs: Iterable[Kind] = ()) -> None:
        """Finds what this one finds, and these, each by a search of its own: nobody knows what their patterns cost."""
        self._scanner = scanner
        self._own = tuple(customs)
        self._customs = Together(self._own)
        self._more = scanner.count  # from this number on it is a pattern of ours that was there
        unseen = f"{UNSEEN}|{MARK}" if self._own else SMUGGLED
        self._triggers = scanner.triggers_and(encoded.MAY_HOLD, escapes.MAY_HOLD, DISGUISE, unseen)
        self._started = Tail([*scanner.beginnings, encoded.BEGUN], max(scanner.max_length, encoded.LONGEST_TOKEN))
        self.max_length = _LONGEST
        self.left = max(scanner.left, LEFT)
        self._escapes = Tail([escapes.UNFINISHED], _LONGEST)
        self._smuggled = Tail([f"{CARRIERS}+"], encoded.LONGEST_TOKEN)

    def following(self) -> Finder:
        """See `Finder`."""
        return _Following(self)

    def find(self, text: str, fold: Fold = folded) -> Sequence[Found]:
        """What the scanner finds in the text and in its views, as places of the text, each once."""
        there = self._triggers(utf8(text))
        if not there and not self._own:  # as a rule
            return ()
        found = [*self._scanner.closely(text, there), *self._customs.find(text)]
        if not there or max(there) < self._more:
            return found
        more: set[Found] = set()
        behind: dict[tuple[str, int], int] = {}
        for view in chain(views(text, fold), _seen(text) if self._own else ()):
            for one in (*self._scanner.find(view.text), *self._customs.find(view.text)):
                if not view.tells(one.start, one.end):
                    continue
                placed = _placed(one, view.origins)
                more.add(placed)
                behind.update(_behind_escape(text, view, one, placed) if found else ())
        if not more:
            return found
        more.update(replace(one, start=behind.get((one.entity, one.start), one.start)) for one in found)
        return sorted(more, key=lambda one: (one.start, -one.end, one.entity))

    def live_from(self, text: str, fold: Fold = folded) -> int:
        """The least of the scanner's on the text and its readings, and the beginnings of tokens and escapes there."""
        tail = text[-self.max_length :]
        plain = tail.isascii()
        if escapes.may_be_in(tail) or (self._own and not plain):
            live = self._live_from(tail, DEPTH)
        else:  # as a rule; plain text nobody reads otherwise than it is written
            live = self._starts(tail) if plain else self._either(tail, fold)
        return live + len(text) - len(tail)

    def _either(self, text: str, fold: Fold) -> int:
        """`_live_from` of a text without escapes: as it is written, or folded."""
        live = self._begun(text, DEPTH)
        read, origins = fold(text)
        at = self._begun(read, DEPTH) if read != text else len(read)
        return live if at == len(read) else min(live, origins.span(at, at + 1)[0])

    def _live_from(self, text: str, depth: int) -> int:
        live = len(text)
        for reading in chain(_beginnings(text), _seen(text) if self._own else ()):
            at = self._begun(reading.text, depth)
            if at < len(reading.text):
                live = min(live, reading.origins.span(at, at + 1)[0])
        return live

    def _begun(self, text: str, depth: int) -> int:
        """What an unfinished escape will say may go on what stands before it, however that reads."""
        live = self._starts(text)
        if carries(text[-1:]):
            live = min(live, self._smuggled.live_from(text))
        if not depth or not escapes.may_be_in(text):
            return live
        escape = self._escapes.live_from(text)
        return live if escape == len(text) else min(live, escape, self._live_from(text[:escape], depth - 1))

    def _starts(self, text: str) -> int:
        """Where a value or a token begins: in one search, unless that is further back than some of them may."""
        live = self._started.live_from(text)
        if len(text) - live > self._scanner.reach:
            live = min(self._scanner.live_from(text), encoded.begun(text))
        return min(live, self._customs.live_from(text)) if self._own else live


class _Following:
    """A reader for one text that grows."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._fold = Folding()
        self.max_length = reader.max_length
        self.left = reader.left

    def following(self) -> Finder:
        """See `Finder`."""
        return self._reader.following()

    def find(self, text: str) -> Sequence[Found]:
        """As the reader does."""
        return self._reader.find(text, self._fold)

    def live_from(self, text: str) -> int:
        """As the reader does."""
        return self._reader.live_from(text, self._fold)


def _behind_escape(text: str, view: View, found: Found, placed: Found) -> Iterator[tuple[tuple[str, int], int]]:
    """Where this value does not begin, whatever the text as it is says: in the escape that ends where it does. The `n`
    of a line break is no letter of the name behind it."""
    if found.start:
        start, end = view.origins.span(found.start - 1, found.start)
        if end == placed.start and escapes.may_be_in(text[start]):
            for at in range(start, end):
                yield (found.entity, at), end


def _placed(found: Found, origins: Origins) -> Found:
    start, end = origins.span(found.start, found.end)
    return replace(found, start=start, end=end)
