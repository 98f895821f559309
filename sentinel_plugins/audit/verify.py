"""Whether the records are those that were written: all of them, unchanged, in their order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from sentinel_core.records import Record, Stored
from sentinel_plugins.audit.chain import Chain, Finding, link_of, missing
from sentinel_plugins.audit.checkpoints import Noted
from sentinel_plugins.audit.entry import EXCHANGE
from sentinel_plugins.audit.seal import Head, Keys, intact


class Verified(msgspec.Struct, frozen=True):
    """What was looked at and found. `unfinished` counts intents without an end: running, killed, or their end was lost.

    Without `checkpoints` nobody can tell whether a beginning or an end is missing.
    """

    records: int
    writers: int
    findings: tuple[Finding, ...]
    unfinished: int
    checkpoints: bool


class Verifier:
    """Looks at one row after another, in whatever order they come, and keeps none of them.

    `noted` is what the checkpoints said before, None where none are kept.
    """

    def __init__(self, keys: Keys, noted: Noted | None) -> None:
        self._keys = keys
        self._heads = noted.heads if noted is not None else {}
        self._chains: dict[str, Chain] = {}
        self._edited: dict[str, set[int]] = {}
        self._findings: list[Finding] = []
        self._open: Counter[object] = Counter()
        self._count = 0

    def look(self, row: Stored) -> None:
        """At a row as it lies in a store: it must be a record as it is written, and found by what it says."""
        self._count += 1
        if row.record is None:
            self._findings.append(Finding("", 0, f"{row.id!r} cannot be read"))
            return
        if not (row.in_place and row.as_written):
            what = "does not stand where it belongs" if row.as_written else "is not the text that was written"
            self._find(row.record, f"{row.id!r} {what}")
        self._link(row.record, in_place=row.in_place)

    def found(self, noted: Noted | None) -> Verified:
        """What all of that was. `noted` is what the checkpoints say now: a gateway may be running, so ends count as
        they were before, and what retention has deleted as it is after."""
        findings = [*self._findings]
        for writer in sorted({*self._chains, *self._heads}):
            chain = self._chains.get(writer) or Chain(writer)
            chain.edited = sorted(self._edited.get(writer, ()))
            findings += self._whole(chain, noted)
        if noted is not None:
            findings += _notes(noted)
        unfinished = sum(more for more in self._open.values() if more > 0)
        return Verified(self._count, len(self._chains), tuple(findings), unfinished, noted is not None)

    def _link(self, record: Record, *, in_place: bool) -> None:
        writer, link = link_of(record)
        if link is None or not intact(record, self._keys):
            self._find(record, f"{record.id!r} was edited")
            if link is not None and in_place:
                self._edited.setdefault(writer, set()).add(link.seq)
            return
        self._chains.setdefault(writer, Chain(writer)).add(link)
        head = self._heads.get(writer, Head())
        if link.seq == head.seq and link.mac != head.mac:
            self._find(record, "is not the record that was noted")
        if (exchange := record.fields.get(EXCHANGE)) is not None:
            self._pair(exchange, 1 if record.fields.get("kind") == "intent" else -1)

    def _pair(self, exchange: object, more: int) -> None:
        """An intent meets its end, and both are forgotten."""
        self._open[exchange] += more
        if not self._open[exchange]:
            del self._open[exchange]

    def _find(self, record: Record, message: str) -> None:
        writer, link = link_of(record)
        self._findings.append(Finding(writer, link.seq if link is not None else 0, message))

    def _whole(self, chain: Chain, noted: Noted | None) -> Iterator[Finding]:
        """What is missing of one chain."""
        cut = noted.cuts.get(chain.writer, Head()) if noted is not None else Head()
        yield from chain.gaps(cut)
        if noted is None:
            return
        if (beginning := chain.beginning(cut)) is not None:
            yield beginning
        head, last = self._heads.get(chain.writer, Head()), max(chain.head.seq, cut.seq)
        if lacking := chain.lacking(last, head.seq + 1):
            yield Finding(chain.writer, last + 1, missing(lacking, " at the end"))


def _notes(noted: Noted) -> Iterator[Finding]:
    if not noted.kept:
        yield Finding("", 0, "the checkpoints are gone")
    for line in noted.bad_lines:
        yield Finding("", line, "this line of the checkpoints was edited")
