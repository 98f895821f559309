"""`Chain`: whether the records of one writer follow each other."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec

from sentinel_core.printing import counted
from sentinel_core.records import Record
from sentinel_plugins.audit.seal import START, Head, row_id


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was written, at which record of which writer. Without a writer `seq` is a line of the
    checkpoints, or 0 where the message alone says what it is about."""

    writer: str
    seq: int
    message: str


class Link(NamedTuple):
    """One record's number, the seal of the one before it, and its own."""

    seq: int
    prev: str
    mac: str


class Run(NamedTuple):
    """Records that follow each other: the first and the last of them."""

    first: Link
    last: Link


class Chain:
    """What was read of one writer, in whatever order. Read from the last record to the first, as stores give them, it
    needs no more room the longer it is. `edited` are the numbers, in their order, of records that are there and are not
    what they were: none of these is missing.
    """

    __slots__ = ("_runs", "edited", "writer")

    def __init__(self, writer: str) -> None:
        self.writer = writer
        self.edited: Sequence[int] = ()
        self._runs: list[Run] = []

    def add(self, link: Link) -> None:
        """One more record, whose seal is good."""
        run = self._runs[-1] if self._runs else None
        if run is not None and (link.seq, link.mac) == (run.first.seq - 1, run.first.prev):
            self._runs[-1] = Run(link, run.last)
        else:
            self._runs.append(Run(link, link))

    @property
    def head(self) -> Head:
        """The last record that was read."""
        return max((Head(run.last.seq, run.last.mac) for run in self._runs), default=Head())

    def ids(self) -> Iterator[str]:
        """Those of the records that were read."""
        return (row_id(self.writer, seq) for run in self._runs for seq in range(run.first.seq, run.last.seq + 1))

    def lacking(self, after: int, before: int) -> int:
        """How many records between these two numbers are not there."""
        edited = bisect_left(self.edited, before) - bisect_right(self.edited, after)
        return max(0, before - after - 1 - edited)

    def gaps(self, cut: Head) -> Iterator[Finding]:
        """Where a record does not follow the one before it. Up to the cut any may be missing: deleted, or still to come
        out of a spool."""
        last: Link | None = None
        for run in sorted(self._runs):
            if last is not None:
                yield from self._between(last, run.first, cut)
            last = max(last, run.last) if last is not None else run.last

    def beginning(self, cut: Head) -> Finding | None:
        """What is wrong with its beginning: it may begin at its start, or with what retention left."""
        if not self._runs:
            return None
        first = min(self._runs).first
        next_to_cut = first.seq == cut.seq + 1
        whole = first.prev == (cut.mac if cut.seq else START) if next_to_cut else not self.lacking(cut.seq, first.seq)
        return None if whole else Finding(self.writer, 1, "the beginning is missing")

    def _between(self, one: Link, next_: Link, cut: Head) -> Iterator[Finding]:
        before = Head(one.seq, one.mac) if one.seq >= cut.seq or next_.seq == one.seq + 1 else cut
        if lacking := self.lacking(before.seq, next_.seq):
            yield Finding(self.writer, before.seq + 1, missing(lacking))
        elif next_.seq == before.seq + 1 and next_.prev != before.mac:
            yield Finding(self.writer, next_.seq, "does not follow the record before it")


def missing(number: int, where: str = "") -> str:
    """Says that so many records are, and where."""
    return f"{counted(number, 'record')}{where} {'is' if number == 1 else 'are'} missing"


def link_of(record: Record) -> tuple[str, Link | None]:
    """The writer that a record names, and its place; None if that is not where it says."""
    fields = record.fields
    writer, seq, prev, mac = (fields.get(name) for name in ("writer", "seq", "prev", "mac"))
    if not (isinstance(writer, str) and type(seq) is int and isinstance(prev, str) and isinstance(mac, str)):
        return "", None
    return writer, Link(seq, prev, mac) if record.id == row_id(writer, seq) else None
