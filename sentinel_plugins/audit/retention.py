"""`Retention`: deletes records that are old enough, and says so in the checkpoints first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import NamedTuple

from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.audit.chain import Chain, Finding, link_of
from sentinel_plugins.audit.checkpoints import Checkpoints
from sentinel_plugins.audit.entry import CLAIMS, TABLE
from sentinel_plugins.audit.seal import UNSEALED, Head, Keys, intact, row_id
from sentinel_plugins.recording.chore import between_looks_s, repeated
from sentinel_plugins.recording.pages import Pages
from sentinel_plugins.recording.witness import Witness

log = logging.getLogger("sentinel.audit")


class Old(NamedTuple):
    """Records that are old enough: the chain of each writer that sealed them, and of each that did not."""

    chains: dict[str, Chain]
    unsealed: dict[str, Chain]

    def ids(self) -> Iterator[str]:
        """Those of all of them."""
        return (id_ for chains in (self.chains, self.unsealed) for chain in chains.values() for id_ in chain.ids())


class Tampered(Exception):
    """What is not as it was written."""


class Retention:
    """The job of one gateway. What is not noted is not deleted, also where it came since: it would look like a theft.
    Nor is anything while a record is not as it was written, or is missing between others: whoever can write the store
    must not get a signature under what they took.
    """

    def __init__(
        self,
        records: RecordStore,
        clock: Clock,
        retention_s: float,
        checkpoints: Checkpoints | None,
        witness: Witness,
    ) -> None:
        self._records = records
        self._clock = clock
        self._retention_s = retention_s
        self._checkpoints = checkpoints
        self._witness = witness
        self._cuts: dict[str, Head] = {}

    async def run(self) -> None:
        """Now, and as long as the gateway is open."""
        every_s = between_looks_s(self._retention_s)
        await repeated(self.forget, every_s, self._clock, log, "old audit records stay for now")

    async def forget(self) -> int:
        """Delete what is too old, as far as this process saw; how many records that were."""
        now, until = self._clock.time(), self._witness.old(self._clock, self._retention_s)
        claims = [claim.id async for page in Pages(self._records, CLAIMS, tenant=None, until=until) for claim in page]
        ids = None
        if self._checkpoints is not None:
            old = await self._signed(self._checkpoints, now, until)
            if old is None:
                return 0
            ids = old.ids()
        count = await self._records.delete(TABLE, until=until, ids=ids)
        # Those that were there before the intents were read: these are gone, and a claim without one claims nothing.
        await self._records.delete(CLAIMS, until=until, ids=claims)
        return count

    async def _signed(self, checkpoints: Checkpoints, now: float, until: float) -> Old | None:
        """What will go and is noted, or needs no note."""
        try:
            old = await self._old(until, checkpoints.keys)
            await self._believe(old, checkpoints)
        except Tampered as found:
            log.error("%s: nothing is deleted, see `verify`", found)
            return None
        except OSError as error:
            log.error("old audit records stay for now: the checkpoints cannot be read: %s", error)
            return None
        cuts = {writer: chain.head for writer, chain in old.chains.items()}
        return old if not cuts or await checkpoints.note("cut", now, cuts) else None

    async def _old(self, until: float, keys: Keys) -> Old:
        """What will go. Raises `Tampered` for a record that is not what it was, or not so old."""
        old = Old({}, {})
        async for page in Pages(self._records, TABLE, tenant=None, until=until):
            for record in page:
                writer, link = link_of(record)
                if link is not None and link.mac == UNSEALED:
                    old.unsealed.setdefault(writer, Chain(writer)).add(link)
                elif link is None or record.at >= until or not intact(record, keys):
                    raise _edited(record.id)
                else:
                    old.chains.setdefault(writer, Chain(writer)).add(link)
        return old

    async def _believe(self, old: Old, checkpoints: Checkpoints) -> None:
        """Raises `Tampered` where a record is missing, or its seal is. What the checkpoints say is read after the
        records: another gateway notes what it deletes before it does."""
        noted = await checkpoints.noted("cut")
        for writer, cut in noted.cuts.items():  # remembered: a file that is moved away begins again
            self._cuts[writer] = max(cut, self._cuts.get(writer, cut))
        doubts = dict(self._doubts(old))
        if doubts:
            known = {*self._cuts, *(await checkpoints.noted()).heads}
            if (wrong := next((doubts[writer] for writer in doubts if writer in known), None)) is not None:
                raise wrong

    def _doubts(self, old: Old) -> Iterator[tuple[str, Tampered]]:
        """What is wrong with a writer of which something was noted, and right with others: they wrote before there were
        checkpoints, or a key. Raises `Tampered` for what is wrong with any."""
        for writer, chain in old.unsealed.items():
            doubt = _edited(next(chain.ids()))
            if writer in old.chains:
                raise doubt
            yield writer, doubt
        for writer, chain in old.chains.items():
            cut = self._cuts.get(writer, Head())
            if (gap := next(chain.gaps(cut), None)) is not None:
                raise _missing(gap)
            beginning = chain.beginning(cut)
            if beginning is not None and self._records.durable:  # others forget the oldest by themselves
                yield writer, _missing(beginning)


def _edited(id_: str) -> Tampered:
    return Tampered(f"audit record {id_!r} is not as it was written")


def _missing(finding: Finding) -> Tampered:
    return Tampered(f"at audit record {row_id(finding.writer, finding.seq)!r} {finding.message}")
