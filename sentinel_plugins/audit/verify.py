"""Whether the records are those that were written: all of them, unchanged, in their order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from sentinel_core.records import Record, Stored
from sentinel_plugins.audit.checkpoints import Noted
from sentinel_plugins.audit.entry import EXCHANGE
from sentinel_plugins.audit.seal import START, Head, Keys, intact, row_id


class Finding(msgspec.Struct, frozen=True):
    """Something that is not as it was written, at which record of which writer. Without a writer `seq` is a line of the
    checkpoints, or 0 where the message alone says what it is about."""

    writer: str
    seq: int
    message: str


class Verified(msgspec.Struct, frozen=True):
    """What was looked at and found. `unfinished` counts intents without an end: running, killed, or their end was lost.

    Without `checkpoints` nobody can tell whether a beginning or an end is missing.
    """

    records: int
    writers: int
    findings: tuple[Finding, ...]
    unfinished: int
    checkpoints: bool


class _Link(NamedTuple):
    seq: int
    prev: str
    mac: str


def verify(records: Iterable[Record], keys: Keys, noted: Noted | None) -> Verified:
    """Look at every record, in whatever order they come. `noted` is None where no checkpoints are kept."""
    chains: dict[str, list[_Link]] = defaultdict(list)
    findings: list[Finding] = []
    open_: Counter[tuple[str, str]] = Counter()
    count = 0
    for record in records:
        count += 1
        writer, link = _link(record)
        if link is None or not intact(record, keys):
            findings.append(Finding(writer, link.seq if link is not None else 0, f"{record.id!r} was edited"))
            continue
        chains[writer].append(link)
        open_[_exchange(record)] += 1 if record.fields.get("kind") == "intent" else -1
    for writer in sorted({*chains, *(noted.heads if noted is not None else ())}):
        findings += _chain(writer, sorted(chains[writer]), noted)
    if noted is not None:
        findings += _notes(noted)
    unfinished = sum(more for more in open_.values() if more > 0)
    return Verified(count, len(chains), tuple(findings), unfinished, noted is not None)


def verify_stored(rows: Sequence[Stored], keys: Keys, noted: Noted | None) -> Verified:
    """The same of rows as they lie in a store: each must be a record as it is written, and found by what it says."""
    found = verify((row.record for row in rows if row.record is not None), keys, noted)
    return replace(found, records=len(rows), findings=(*_misplaced(rows), *found.findings))


def _misplaced(rows: Iterable[Stored]) -> Iterator[Finding]:
    for row in rows:
        if row.record is None:
            yield Finding("", 0, f"{row.id!r} cannot be read")
        elif not (row.in_place and row.as_written):
            writer, link = _link(row.record)
            what = "does not stand where it belongs" if row.as_written else "is not the text that was written"
            yield Finding(writer, link.seq if link is not None else 0, f"{row.id!r} {what}")


def _link(record: Record) -> tuple[str, _Link | None]:
    """The writer that a record names, and its place; None if that is not where it says."""
    fields = record.fields
    writer, seq, prev, mac = (fields.get(name) for name in ("writer", "seq", "prev", "mac"))
    if not (isinstance(writer, str) and type(seq) is int and isinstance(prev, str) and isinstance(mac, str)):
        return "", None
    return writer, _Link(seq, prev, mac) if record.id == row_id(writer, seq) else None


def _exchange(record: Record) -> tuple[str, str]:
    """What an intent and its end have in common; where there is nothing of the kind, their request's id."""
    name = EXCHANGE if EXCHANGE in record.fields else "request_id"
    return name, str(record.fields.get(name))


def _chain(writer: str, links: Sequence[_Link], noted: Noted | None) -> Iterator[Finding]:
    """What is wrong with one chain. Up to the cut any may be missing: deleted, or still to come out of a spool."""
    cut = noted.cuts.get(writer, Head()) if noted is not None else Head()
    for one, next_ in pairwise(links):
        before = Head(one.seq, one.mac) if one.seq >= cut.seq or next_.seq == one.seq + 1 else cut
        if next_.seq > before.seq + 1:
            yield Finding(writer, before.seq + 1, f"{next_.seq - before.seq - 1} records are missing")
        elif next_.seq == before.seq + 1 and next_.prev != before.mac:
            yield Finding(writer, next_.seq, "does not follow the record before it")
    if noted is None:
        return
    head = noted.heads.get(writer, Head())
    if links and not _begins(links[0], cut):
        yield Finding(writer, 1, "the beginning is missing")
    last = max(links[-1].seq if links else 0, cut.seq)
    if head.seq > last:
        yield Finding(writer, last + 1, f"{head.seq - last} records at the end are missing")
    if any(link.seq == head.seq and link.mac != head.mac for link in links):
        yield Finding(writer, head.seq, "is not the record that was noted")


def _begins(first: _Link, cut: Head) -> bool:
    """Whether a chain may begin here: at its start, or with what retention left."""
    if first.seq == cut.seq + 1:
        return first.prev == (cut.mac if cut.seq else START)
    return first.seq <= cut.seq


def _notes(noted: Noted) -> Iterator[Finding]:
    if not noted.kept:
        yield Finding("", 0, "the checkpoints are gone")
    for line in noted.bad_lines:
        yield Finding("", line, "this line of the checkpoints was edited")
