"""One request's way in and out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from time import perf_counter
from types import TracebackType
from typing import Any

from sentinel_core.cancellation import called_off
from sentinel_core.chain import dispatching, finish, inward, monitor, outward
from sentinel_core.chain.account import Account
from sentinel_core.chain.compile import Chain
from sentinel_core.chain.endings import Endings
from sentinel_core.chain.faults import is_fault
from sentinel_core.chain.restoring import RestoredStream, restored
from sentinel_core.chain.resumed import CutOff
from sentinel_core.chain.rows import Rows
from sentinel_core.chain.stream import Delivery, Source
from sentinel_core.chain.transcript import Transcript
from sentinel_core.context import Context, Outcome, Status
from sentinel_core.errors import Refusal, StageFault, UpstreamError
from sentinel_core.events import Event
from sentinel_core.messages import Answer
from sentinel_core.reply import EventStream, Reply, each
from sentinel_core.running import Running


class Exchange:
    """`async with` it for the reply: an `Answer`, or a `Delivery` to iterate.

    On exit, whatever the ending, everything that was opened is closed and every entered stage is finished, once.
    `outcome` is set then. A second cancellation may leave the exit early; the gateway's drain waits for the rest. One
    that is broken off ends without its owner, who is told `Refusal` (draining).
    """

    __slots__ = (
        "_broken_off",
        "_delivery",
        "_ending",
        "_entering",
        "_exited",
        "_failure",
        "_opened",
        "account",
        "chain",
        "ctx",
        "endings",
        "entered",
        "outcome",
        "rows",
        "seconds",
        "verdicts",
        "wants_stream",
    )

    def __init__(self, chain: Chain, ctx: Context) -> None:
        self.chain = chain
        self.ctx = ctx
        self.entered = 0
        self.endings = Endings(chain.tracker)
        self.account = Account(ctx, chain.guards)
        self.rows = Rows()
        self.verdicts = self.account.verdicts
        self.seconds = [0.0] * len(chain.names)
        self.wants_stream = ctx.request.stream
        self.outcome: Outcome | None = None
        self._delivery: Delivery | None = None
        self._failure: BaseException | None = None
        self._exited: bool | None = None  # before it is entered
        self._entering: asyncio.Task[Any] | None = None  # Any: whatever the caller's gives
        self._broken_off = False
        self._ending: asyncio.Task[None] | None = None  # of one that was broken off
        self._opened = perf_counter()

    async def __aenter__(self) -> Answer | Delivery:
        if self._exited is not None:
            raise RuntimeError("an exchange is entered once: open another one")
        self._exited = False
        self.ctx.stage_names = self.chain.names
        self.ctx.stage_seconds = self.seconds
        self.chain.enter()
        self.chain.open.add(self)
        self._entering = asyncio.current_task()
        try:
            reply = await self._run()
            if not self._broken_off:
                return reply
            raise asyncio.CancelledError  # somebody has swallowed it
        except BaseException as exc:  # a cancellation ends an exchange as well, and nothing may stay open
            failure = called_off(exc) if self._broken_off else exc
            self._failure = exc
            await self._exit(exc)
            if failure is exc:
                raise
            raise failure from exc
        finally:
            self._entering = None

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exit(exc)

    def break_off(self) -> bool:
        """End it now, whoever still waits for it or reads it; False if it is ending already.

        For a gateway that waits no longer: its tracker has what that takes.
        """
        if self._exited is not False or self._broken_off:
            return False
        self._broken_off = True
        if self._entering is not None:
            self._entering.cancel()  # whoever enters ends it as well
            return True
        whole = self._delivery is None or self._delivery.exhausted
        if self._delivery is not None:
            self._delivery.break_off()
        self._ending = self.chain.tracker.start(self._exit(None if whole else asyncio.CancelledError()))
        return True

    async def _run(self) -> Answer | Delivery:
        reply, depth = await inward.enter(self)
        if reply is None:
            depth = len(self.chain.names)
            try:
                reply = await dispatching.dispatch(self)
            except UpstreamError as exc:
                raise await outward.screened(self, exc) from exc.__cause__
            self.rows.taken(reply)
        if isinstance(reply, EventStream):
            self.endings.adopt(reply)
        if self.wants_stream:
            return self._deliver(reply, depth)
        return await self._answered(reply, depth)

    async def _answered(self, reply: Reply, depth: int) -> Answer:
        if isinstance(reply, EventStream):
            reply = await self._assembled(reply)
        self.account.upstream = reply
        answer = await outward.respond(self, reply, depth)
        self.account.answer = answer
        if self.ctx.restorations:
            answer = restored(answer, self.ctx.restorations)
        self.account.restored = answer
        return answer

    async def _assembled(self, stream: EventStream) -> Answer:
        """A stream for a caller who asked for one answer."""
        transcript = Transcript()
        source = Source(stream, self.rows, transcript)
        self.account.produced = source.meter
        try:
            async for _ in source:
                pass
        except (UpstreamError, StageFault) as exc:
            self.rows.broke(exc, self.ctx.deadline)
            if isinstance(exc, StageFault):
                raise
            raise await outward.screened(self, exc) from exc.__cause__
        return transcript.answer(self.ctx.request.dialect)

    def _deliver(self, reply: Reply, depth: int) -> Delivery:
        account = self.account
        if isinstance(reply, Answer):
            self.account.upstream = reply
            reply = EventStream(each(reply.dialect.stream_frames(reply)), dialect=reply.dialect)
            self.endings.adopt(reply)
        if self.chain.monitors[depth]:
            account.kept = Transcript()
        if self.chain.finishers[self.entered]:
            account.guarded_parts = Transcript()
        events: AsyncIterator[Event] = reply
        if self.chain.streams[depth] or account.kept is not None or self.ctx.restorations:
            one_text = self.ctx.request.operation != "response"  # whose items each end for themselves
            source = Source(reply, self.rows, account.kept, read=bool(self.chain.streams[depth]), one_text=one_text)
            account.produced = source.meter
            events = outward.layers(self, source, depth)
        guarded = account.guarded_parts
        if self.ctx.restorations:
            events, guarded = RestoredStream(events, self.ctx.restorations, guarded), None
        delivery = Delivery(events, self.endings.reading, guarded, self._failed)
        account.delivered = delivery.meter
        account.produced = account.produced or delivery.meter  # nothing stands between: what came is what goes
        self._delivery = delivery
        return delivery

    async def _failed(self, exc: BaseException) -> BaseException:
        """Note why the stream broke; an upstream's own words pass the guards before the caller sees them."""
        if is_fault(exc):
            exc = self.rows.fault(exc)
        if isinstance(exc, CutOff):
            return exc  # what counts is the cancellation before it
        self._failure = exc
        if isinstance(exc, UpstreamError | StageFault):
            self.rows.broke(exc, self.ctx.deadline)
        if isinstance(exc, UpstreamError):
            self._failure = await outward.screened(self, exc)
        return self._failure

    async def _exit(self, exc: BaseException | None) -> None:
        if self._exited:
            if self._ending is not None and self._ending is not asyncio.current_task():
                await asyncio.shield(self._ending)
            return
        self._exited = True
        if self._delivery is not None:
            self._delivery.detach()
        chain = self.chain
        if self.endings or chain.monitors[self.entered] or chain.waits_for_finishers[self.entered]:
            await self._owed(self._end(exc), exc)
            return
        self.endings.seal()
        outcome = self._conclude(exc)
        rest = finish.run_plain(self, outcome, chain.finishers[self.entered])
        if rest is not None:
            await self._owed(self._end_with(rest), exc)
        else:
            self._leave()

    async def _owed(self, work: Running[None], exc: BaseException | None) -> None:
        """Wait for what an ending owes, past the first cancellation; the second one leaves it to the tracker."""
        task = self.chain.tracker.start(work)
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError:
            if not isinstance(exc, asyncio.CancelledError):
                await asyncio.shield(task)
            raise

    async def _end(self, exc: BaseException | None) -> None:
        """Everything that an ending owes, in one task that no caller can cancel."""
        try:
            await self.endings.close()
            outcome = self._conclude(exc)
            monitors = self.chain.monitors[self.entered]
            if monitors:
                await monitor.watch_reply(self, monitors)
            await finish.run(self, outcome, self.chain.finishers[self.entered])
        finally:
            self._leave()

    async def _end_with(self, rest: Running[None]) -> None:
        try:
            await rest
        finally:
            self._leave()

    def _leave(self) -> None:
        self.chain.open.discard(self)
        self.chain.leave()

    def _conclude(self, exc: BaseException | None) -> Outcome:
        failure = self._failure or exc
        if (
            isinstance(self._failure, asyncio.CancelledError)
            and self._delivery is not None
            and self._delivery.exhausted
        ):
            failure = exc  # a read was cancelled, and the caller read on to the end
        self.rows.counted(self.account.usage)
        first = self._delivery.first_event_at if self._delivery is not None else None
        self.outcome = Outcome(
            self._status(failure),
            self.account,
            error=failure,
            usage=self.account.counted,
            first_event_s=first - self._opened if first is not None else None,
            elapsed_s=perf_counter() - self._opened,
        )
        return self.outcome

    def _status(self, failure: BaseException | None) -> Status:
        if failure is None:
            whole = self._delivery is None or self._delivery.exhausted
            return "completed" if whole else "cancelled"
        if isinstance(failure, Refusal):
            return "refused"
        if isinstance(failure, asyncio.CancelledError | GeneratorExit):
            return "cancelled"
        return "failed"
