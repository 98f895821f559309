"""Text with its values replaced, however it is cut into pieces. A text in one piece goes the same way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heappush
from typing import Protocol, TypeAlias, runtime_checkable

import msgspec
from msgspec.structs import replace

from sentinel_core.errors import Refusal
from sentinel_plugins.guarding.entity import Found
from sentinel_plugins.guarding.finder import Finder
from sentinel_plugins.guarding.known import Known, Recalling
from sentinel_plugins.guarding.merge import Cluster, Rank, clusters

Decide: TypeAlias = Callable[[Cluster, str], str | None]
"""What stands for a value: another text, or None to leave it. Raises `Refusal` where it blocks. Asked once for each
value, in order, before anything behind the value leaves."""

LONGEST_CLUSTER = 16_384
"""Characters of values that overlap in a chain. More of a stream is blocked: it would be held until the chain ends."""

LONGEST_SWALLOWED = 65_536
"""Characters of a stream that are dropped behind a value that never ends. More is blocked: of a whole text the end is
there, of a stream it may never come."""

_SLICE = 32_768
_SHORT_SLICE = 2048
"""Behind a value that goes on, all is searched again: so much of it, for there may be another."""
_ROOM = 64
_MOST_CONTEXT = 16_384
_MUCH_HELD = 512
_SHARE = 8
"""Where more than so much is held, it is looked at again once it has grown by this part of it: a token that goes on for
thousands of characters would else be searched from its beginning for each of them."""
_SHARE_OF_WHOLE = 2
"""Of a whole text, nobody waits for what could leave."""
_ROW = re.compile(r"[^0-9]{0,3}(?:[0-9][ ().+/-]{0,3}){16,}")
"""Figures, and more of them. Some could leave with every event, and all around would be searched again for them: they
leave when they are half of what stays."""


class Piece(msgspec.Struct, frozen=True):
    """The next `taken` characters of the text, and what leaves in their place: None where they leave as they are. Of a
    value, what it is."""

    taken: int
    text: str | None = None
    value: Cluster | None = None


@runtime_checkable
class Overlong(Protocol):
    """An entity whose values may be longer than its `max_length`. Of such a value it finds the first `max_length`
    characters, of no other so many; what follows belongs to the value up to its end, and is dropped where the value is
    replaced. Where the value leaves as it is, so does what follows, and nobody looks for anything in it."""

    @property
    def name(self) -> str:
        """As `Found` names it."""
        ...

    @property
    def max_length(self) -> int:
        """Characters of the longest value that is found whole, and one."""
        ...

    def rest(self, text: str) -> int:
        """Where the value ends in the last `LONGEST_TERMINATOR` characters of it and what came since; -1 if all of
        that belongs to it, and more might: a terminator may begin in the one and end in the other."""
        ...


LONGEST_TERMINATOR = 128


class Transducer:
    """Takes one text in pieces and gives back what leaves, as soon as nothing that may follow can change it.

    Held back is only what `live_from` of the finder asks for and values that overlap that; an ending releases it, time
    never does. What left is never taken back. The work is linear in the text. `left` is text ahead of this one that
    the finder may look at; a value that begins there counts from where this text begins. What is found becomes `known`,
    and is found wherever it stands from then on.
    """

    def __init__(
        self,
        finder: Finder,
        rank: Rank,
        decide: Decide,
        *,
        left: str = "",
        overlong: Mapping[str, Overlong] | None = None,
        known: Known | None = None,
        in_step: bool = False,
    ) -> None:
        """`in_step` says that the finder may only be asked about ends of all that has come: no piece is cut up."""
        self._known = known
        finder = Recalling(finder, known) if known is not None else finder
        self._finder = finder.following()
        self._rank = rank
        self._decide = decide
        self._overlong = overlong or {}
        self._text = left
        self._sent = len(left)
        self._looked = 0
        self._short_slice = _SLICE if in_step else _SHORT_SLICE
        self._context = max(1, finder.left)
        self._trim_at = self._sent + self._context + _ROOM
        self._swallowers: Sequence[Overlong] = ()
        self._swallowed = 0
        self._ends = False
        self._swallowed_to = 0
        self._instead: str | None = ""
        self._tail = ""

    def feed(self, text: str, *, end: bool = False) -> list[Piece]:
        """The next piece of the text; at the `end` of the text everything that was held leaves as well."""
        pieces: list[Piece] = []
        self._ends = end
        if not self._swallowers and len(text) <= _SLICE:  # as a rule
            self._text += text
            rest = self._release(pieces, end=end)
            if rest is None:
                if self._sent >= self._trim_at and not end:
                    self._trim()
                return pieces
            text = rest
        while len(text) > _SLICE:
            self._take(text[:_SLICE], pieces, end=False)
            text = text[_SLICE:]
        self._take(text, pieces, end=end)
        return pieces

    def _take(self, text: str, pieces: list[Piece], *, end: bool) -> None:
        ahead, size = [text], _SLICE
        while ahead:
            text = ahead.pop()
            if self._swallowers:
                text = self._swallow(text, pieces)
                if self._swallowers:
                    continue
                size = self._short_slice
            if len(text) > size:
                ahead.append(text[size:])
                text = text[:size]
            self._text += text
            rest = self._release(pieces, end=end and not ahead)
            if rest is not None:
                ahead.append(rest)
        if self._sent >= self._trim_at and not end:
            self._trim()

    def _release(self, pieces: list[Piece], *, end: bool) -> str | None:
        """Let go of what is decided. Returns what follows a value that goes on beyond its longest form."""
        text, sent = self._text, self._sent
        held = len(text) - sent
        share = _SHARE_OF_WHOLE if self._ends else _SHARE
        if not end and held > _MUCH_HELD and len(text) - self._looked < held // share:
            return None
        self._looked = len(text)
        limit = len(text) if end else max(sent, self._live_from(text))
        if limit == sent or (not end and 2 * (limit - sent) < len(text) - limit and _ROW.fullmatch(text, sent)):
            return None
        found = self._find(text)
        if not found:  # as a rule
            pieces.append(Piece(limit - sent))
            self._sent = limit
            return None
        return self._replace([one for one in found if one.end > sent], limit, pieces, end=end)

    def _find(self, text: str) -> Sequence[Found]:
        """Values; behind one that went on: those that begin in it, and those that are there if nothing is before."""
        found, at = self._finder.find(text), self._swallowed_to
        if at <= 0:  # as a rule
            return found
        behind = self._finder.find(text[at:])
        moved = [replace(one, start=one.start + at, end=one.end + at) for one in behind]
        return [*(one for one in found if one.start < at < one.end), *moved]

    def _live_from(self, text: str) -> int:
        live, at = self._finder.live_from(text), self._swallowed_to
        return live if at <= 0 else min(live, at + self._finder.live_from(text[at:]))

    def _replace(self, found: list[Found], limit: int, pieces: list[Piece], *, end: bool) -> str | None:
        """Let go of the text up to `limit` with what was found in it, as far as that is decided."""
        text, at = self._text, self._sent
        longer = [(one, entity) for one in found if (entity := self._goes_on(one)) is not None]
        coming = [*found]
        for cluster in clusters(coming, self._rank):
            if not end and cluster.start < limit and (cluster.end > limit or cluster.end == len(text)):
                limit = self._undecided(cluster, found, limit)
            if cluster.end > limit:
                break
            if cluster.end - cluster.start > LONGEST_CLUSTER and not self._ends:
                raise Refusal("content_policy_violation")
            start = max(cluster.start, at)
            if start > at:
                pieces.append(Piece(start - at))
            value = text[start : cluster.end]
            at = cluster.end
            if cluster.start < self._swallowed_to:
                kept_apart = self._instead is None and text[at : at + 1].strip()
                self._instead = " " if kept_apart else ""  # else the next guard would take what follows for more of it
                pieces.append(Piece(at - start, self._instead))
            else:
                self._instead = self._decide(cluster, value)
                pieces.append(Piece(at - start, self._instead, cluster))
            is_new = start == cluster.start and self._known is not None and self._known.learn(value, cluster.first)
            self._swallowers = [entity for one, entity in longer if cluster.start <= one.start < cluster.end]
            if self._swallowers:
                self._text, self._sent, self._swallowed, self._looked = "", 0, 0, 0
                self._tail = text[max(start, at - LONGEST_TERMINATOR) : at]
                return text[at:]
            if is_new:
                begun = self._again(value, at, found, coming)
                limit = limit if end else min(limit, begun)
        if limit > at:
            pieces.append(Piece(limit - at))
        self._sent = max(limit, at)
        return None

    def _again(self, value: str, at: int, found: list[Found], coming: list[Found]) -> int:
        """A value is known from here on: add where it stands in the rest. Where it may have begun at the end."""
        assert self._known is not None
        for one in self._known.again(value, self._text, at):
            found.append(one)
            heappush(coming, one)
        return self._known.begun(value, self._text, at)

    def _undecided(self, cluster: Cluster, found: Sequence[Found], limit: int) -> int:
        """Where the first thing begins that the next character may change: this one."""
        sure = max((one.end for one in found if cluster.start <= one.start < limit), default=0)
        if sure - cluster.start > LONGEST_CLUSTER and not self._ends:
            raise Refusal("content_policy_violation")
        return max(cluster.start, self._sent)

    def _goes_on(self, found: Found) -> Overlong | None:
        """The entity of a value of which this is only the beginning."""
        entity = self._overlong.get(found.entity)
        return entity if entity is not None and found.end - found.start >= entity.max_length else None

    def _swallow(self, text: str, pieces: list[Piece]) -> str:
        """Drop what belongs to the values that go on, or let it leave as they did; what follows the last of them. The
        end of that is kept: what begins in there and ends behind it is a value as well, and goes with them."""
        seen = self._tail + text
        ends = [entity.rest(seen) for entity in self._swallowers]
        end = -1 if -1 in ends else max(ends)
        dropped = len(text) if end < 0 else max(0, end - len(self._tail))
        self._swallowed += dropped
        if self._swallowed > LONGEST_SWALLOWED and not self._ends:
            raise Refusal("content_policy_violation")
        if dropped:
            pieces.append(Piece(dropped, None if self._instead is None else ""))
        if end < 0:
            self._tail = seen[-LONGEST_TERMINATOR:]
            return ""
        end = max(end, len(self._tail))
        self._text = seen[max(0, end - LONGEST_TERMINATOR) : end]
        self._sent = self._swallowed_to = len(self._text)
        self._trim_at = self._sent + self._context + _ROOM
        self._swallowers = ()
        return text[dropped:]

    def _trim(self) -> None:
        """Forget what left, but for what the finder may look at.

        The rest must read as the whole did: a value that begins in the context, and only because what stood before it
        is gone, may not reach beyond what left. Where one would, more is kept.
        """
        start = self._sent - self._context
        rest = self._text[start:]
        reads = self._finder.live_from(rest) >= self._context and not any(
            one.start < self._context < one.end for one in self._finder.find(rest)
        )
        if reads or self._sent > _MOST_CONTEXT:
            self._text, self._sent = rest, self._context
            self._looked -= start
            self._swallowed_to -= start
        self._trim_at = self._sent + self._context + _ROOM


def joined(text: str, pieces: Iterable[Piece]) -> str:
    """What leaves in the place of a whole text."""
    out: list[str] = []
    at = 0
    for piece in pieces:
        out.append(text[at : at + piece.taken] if piece.text is None else piece.text)
        at += piece.taken
    return "".join(out)
