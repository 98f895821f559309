"""How exchanges end with a stage in them: whole, broken, left and cancelled, on streams and whole answers."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from itertools import product

from sentinel_core.chain import Delivery, Exchange, Tracker
from sentinel_core.chain.compile import Chain
from sentinel_core.context import Context, Outcome
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.stage import Stage, StageConfig
from sentinel_core.testing.fake_clock import settle
from sentinel_core.testing.fake_provider import HANG, FakeProvider, Item, Script, Unhurried
from sentinel_core.testing.harness import chain_of, opened
from sentinel_core.testing.stage_trial import StageTrial, cut
from sentinel_core.testing.watching import ended, no_fault

PIECES = 3
"""In how many pieces a reply comes that breaks, or is left, behind each of them."""
TURNS = 30
"""How many turns of the loop a request may take until it is cancelled; one that ends before has no more of them."""
_SILENT_AFTER = 50


class Finishes(Stage):
    """Counts finishers. It stands first, so that it is finished last."""

    name = "finishes"
    observer = True

    def __init__(self) -> None:
        super().__init__(StageConfig())
        self.outcomes: list[Outcome] = []

    @hookimpl
    def on_finish(self, outcome: Outcome) -> None:
        """Note one ending."""
        self.outcomes.append(outcome)


@dataclass(slots=True)
class Ending:
    """How one exchange ended: what its stages were told, and whether its caller left it before its end."""

    outcome: Outcome
    provider: FakeProvider
    left: bool = False
    cancelled: bool = False


class StageEndings(StageTrial):
    """The tests of `StageConformance` that look at how exchanges end."""

    async def test_every_ending_finishes_once_and_leaves_nothing(self) -> None:
        """Completed, left after each event, never pulled: one finish, the upstream closed, no task left."""
        before, prompt = asyncio.all_tasks(), await self._let_through()
        for reply in self.replies:
            pieces = _pieces(reply)
            for leave_after in (None, *range(len(pieces) + 1)):
                ending = await self._ending(prompt, pieces, leave_after=leave_after)
                status = ending.outcome.status
                assert not ending.left or status == "cancelled", (
                    f"a caller left after {leave_after} events, and the exchange ended as {status}"
                )
        assert asyncio.all_tasks() == before, "a task is left behind"

    async def test_an_upstream_that_fails_is_an_error(self) -> None:
        """Where a call fails, or a stream breaks behind any event, the caller is told: no reply looks whole then.

        Not asked of a stage with `answers_failures`, which must only finish once and leave nothing.
        """
        prompt = await self._let_through()
        for stream in (True, False):
            error = UpstreamError("upstream_timeout")
            self._told(error, await self._ending(prompt, error, stream=stream))
        for pieces in map(_pieces, self.replies):
            for count in range(len(pieces) + 1):
                error = UpstreamError("upstream_stream_interrupted")
                self._told(error, await self._ending(prompt, (*pieces[:count], error)))

    def _told(self, error: UpstreamError, ending: Ending) -> None:
        if self.answers_failures or error.__traceback__ is None:  # nobody asked the upstream, or nobody that far
            return
        outcome = ending.outcome
        assert outcome.error is not None, f"{error.code} was swallowed: to the caller the reply looks whole"
        refused = isinstance(outcome.error, Refusal)
        assert refused or outcome.status == "failed", f"{error.code} of the upstream ended as {outcome.status}"

    async def test_a_cancelled_request_closes_the_upstream(self) -> None:
        """A caller who leaves while the upstream is silent, before its reply or behind any event, leaves nothing open;
        the cancellation goes on, and the exchange ends as cancelled."""
        prompt = await self._let_through()
        silent: list[tuple[Script, bool]] = [(HANG, True), (HANG, False)]
        for pieces in map(_pieces, self.replies):
            silent += [((*pieces[:count], HANG), True) for count in range(len(pieces) + 1)]
        for script, stream in silent:
            ending = await self._ending(prompt, script, stream=stream, cancel_after=_SILENT_AFTER)
            if ending.cancelled and not isinstance(ending.outcome.error, Refusal):
                status = ending.outcome.status
                assert status == "cancelled", f"a request was cancelled, and the exchange ended as {status}"

    async def test_it_can_be_cancelled_at_every_await(self) -> None:
        """Wherever a caller's cancellation comes, it goes on and leaves nothing: no stage keeps it."""
        prompt = await self._let_through()
        for reply, stream in product(self.replies, (True, False)):
            for turns in range(1, TURNS):
                if not (await self._ending(prompt, _pieces(reply), stream=stream, cancel_after=turns)).cancelled:
                    break

    async def _ending(
        self,
        prompt: str,
        script: Script,
        *,
        stream: bool = True,
        leave_after: int | None = None,
        cancel_after: int | None = None,
    ) -> Ending:
        """One exchange, which must finish once and close what it opened, whose caller leaves after so many events, or
        is cancelled after so many turns of the loop."""
        finishes, tracker = Finishes(), Tracker()
        provider = FakeProvider(script) if cancel_after is None else Unhurried(script)
        cancelled = False
        async with opened(self.stage, self.config) as live:
            with no_fault():
                chain = chain_of([finishes, live], provider, tracker)
                task = asyncio.create_task(_played(chain, self._context(prompt, stream=stream), leave_after))
                if cancel_after is not None:
                    await settle(cancel_after)
                    cancelled = task.cancel()
                await ended(asyncio.wait([task]))
                await ended(tracker.drained())
        assert not cancelled or task.cancelled(), "a cancellation was swallowed: it must go on to whoever asked for it"
        assert len(finishes.outcomes) == 1, f"the exchange was finished {len(finishes.outcomes)} times"
        assert provider.opened == provider.closed, "the upstream was not closed"
        assert chain.users == 0, "the exchange is not over"
        return Ending(finishes.outcomes[0], provider, not cancelled and task.result(), cancelled)


async def _played(chain: Chain, ctx: Context, leave_after: int | None) -> bool:
    """One exchange whose caller leaves after so many events, or stays. Whether it left."""
    try:
        async with Exchange(chain, ctx) as reply:
            return isinstance(reply, Delivery) and await _left(reply, leave_after)
    except SentinelError:
        return False  # an ending like any other: what it leaves is what is looked at


async def _left(reply: Delivery, leave_after: int | None) -> bool:
    count = 0
    if leave_after == 0:
        return True
    async for _ in reply:
        count += 1
        if count == leave_after:
            return True
    return False


def _pieces(reply: str) -> list[Item]:
    return cut(reply, max(1, -(-len(reply) // PIECES)))
