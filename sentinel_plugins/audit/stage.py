"""`Audit`: the writer of one record for every request."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import ClassVar, Self

from sentinel_core.config import ServerSettings, Settings
from sentinel_core.context import Call, CallNext, Context, Outcome
from sentinel_core.errors import ConfigProblem, Refusal
from sentinel_core.hookspecs import hookimpl
from sentinel_core.keys import UNHEARD
from sentinel_core.records import RecordStore
from sentinel_core.reply import Reply
from sentinel_core.services import SERVER, Clock, ServiceKey, Services
from sentinel_core.stage import Stage
from sentinel_plugins.audit.checkpoints import Checkpoints
from sentinel_plugins.audit.config import AuditConfig
from sentinel_plugins.audit.entry import BEGUN, CLAIMS, TABLE, Begun, claim, intent, terminal
from sentinel_plugins.audit.lost_requests import LostRequests
from sentinel_plugins.audit.noting import Noting
from sentinel_plugins.audit.seal import Keys, Sealer, new_writer
from sentinel_plugins.recording.journal import Journal
from sentinel_plugins.recording.lost import lost_while_running, over_after_s
from sentinel_plugins.recording.witness import Witness

log = logging.getLogger("sentinel.audit")

WITNESS: ServiceKey[Witness] = ServiceKey("audit_witness")
"""Which requests with an intent run, by their exchanges, and how the clock went."""


class Audit(Stage):
    """Writes one record for every request when it is over, and where that is required one before a provider is called.

    Numbers and names only, unless content is asked for, and then what the guards left. Records of a stage are one
    chain, unless the clock is set back; what is left when it closes is written and noted before it does.
    """

    name: ClassVar[str] = "audit"
    Config: ClassVar[type[AuditConfig]] = AuditConfig
    observer: ClassVar[bool] = True

    def __init__(
        self, config: AuditConfig, journal: Journal, records: RecordStore, clock: Clock, witness: Witness
    ) -> None:
        super().__init__(config)
        self.journal = journal
        self._records = records
        self._clock = clock
        self._running = witness.running
        self._required = config.guarantee == "required"
        self._content = config.content

    @classmethod
    def unused(cls, config: AuditConfig) -> tuple[str, ...]:
        """Calls need no intent where records are not required."""
        return () if config.guarantee == "required" else ("dispatch",)

    @classmethod
    def misfits(cls, config: AuditConfig, settings: Settings) -> Iterator[ConfigProblem]:
        """Requests that would be ended before their time is over."""
        if config.guarantee == "required":
            yield from lost_while_running("stages.audit", config.lost_after_s, settings)

    @classmethod
    @asynccontextmanager
    async def open(cls, config: AuditConfig, services: Services) -> AsyncIterator[Self]:
        """The stage, with a chain of its own."""
        keys = keys_of(config)
        sealer = Sealer(keys, new_writer(), services.counts.count("audit_sealed", "Entries of the audit's chains"))
        notes = checkpoints_of(config, services)
        if notes is not None and not services.dry_run:
            await notes.prepare()
        async with Noting(notes, services.clock, config.checkpoint_interval_s).open() as noting:
            journal = Journal(
                TABLE,
                services.records,
                services.clock,
                finish=sealer.seal,
                committed=noting.committed,
                most=config.max_waiting,
                most_bytes=config.max_waiting_bytes if config.content else None,
                counts=services.counts,
            )
            witness = services.find(WITNESS, Witness)
            lost_s = config.lost_after_s
            over_s = over_after_s(lost_s, services.find(SERVER, ServerSettings))
            lost = LostRequests(services.records, journal, services.clock, lost_s, over_s, witness)
            async with journal.open(), lost.open() if config.guarantee == "required" else nullcontext():
                yield cls(config, journal, services.records, services.clock, witness)

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Where a record is required, write the intent first. Raises `Refusal` (ledger_unavailable)."""
        if self._required:
            self._over(ctx)  # a stage before this one may try again
            record = intent(ctx, self._clock.time())
            self._running.add(ctx[BEGUN].exchange)
            await self.journal.write(record)
        reply: Reply = await call_next(call)
        return reply

    @hookimpl
    def on_finish(self, ctx: Context, outcome: Outcome) -> Awaitable[None] | None:
        """Take the record of one request; nobody waits for the record store. Of a flood there is one in a minute."""
        if UNHEARD in ctx:
            return None
        self._over(ctx)
        lost, now = self.journal.dropped, self._clock.time()
        record = terminal(ctx, outcome, now, lost=lost, content=self._content)
        self.journal.add(record)
        begun = ctx.get(BEGUN)
        return self._claim(begun, record.tenant) if begun is not None and now < begun.at else None

    def _over(self, ctx: Context) -> None:
        """What has an intent runs no longer: it has its end, or nobody will write it."""
        if (begun := ctx.get(BEGUN)) is not None:
            self._running.discard(begun.exchange)

    async def _claim(self, begun: Begun, tenant: str) -> None:
        """Keep others from ending a request once more, whose end is dated before its intent and deleted before it."""
        try:
            await self._records.put(CLAIMS, claim(begun, tenant), expect=None)
        except Refusal as error:
            log.warning("a request whose end is dated before its beginning may get another one: %s", error.message)


def keys_of(config: AuditConfig) -> Keys | None:
    """What records are sealed with, and what older ones were."""
    if config.key is None:
        return None
    return Keys(config.key.reveal().encode(), tuple(key.reveal().encode() for key in config.previous_keys))


def checkpoints_of(config: AuditConfig, services: Services) -> Checkpoints | None:
    """The file of signed notes, where one is kept."""
    keys = keys_of(config)
    return Checkpoints(Path(config.checkpoints), keys, services.executor) if keys and config.checkpoints else None
