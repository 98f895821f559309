"""The stage against the naive ledger: requests that come, end, break, die or wait, in any order and at any time."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from sentinel_core.attempt import Attempt
from sentinel_core.context import Context, Outcome, Status
from sentinel_core.counts import Counts
from sentinel_core.errors import Refusal
from sentinel_core.events import Extent
from sentinel_core.keys import Target
from sentinel_core.limits import Limits
from sentinel_core.messages import Answer, Request
from sentinel_core.running import Running
from sentinel_core.state import Budget, Settlement, StateStore, Window, state_key
from sentinel_core.testing import FakeClock
from sentinel_core.tokens import Count
from sentinel_core.usage import Usage
from sentinel_plugins.rate_limit.config import RateLimitConfig
from sentinel_plugins.rate_limit.ledger_looks import LedgerLooks
from sentinel_plugins.rate_limit.local import LocalPart
from sentinel_plugins.rate_limit.owed import Owed
from sentinel_plugins.rate_limit.stage import Outside, RateLimit
from sentinel_plugins.records.memory import MemoryRecords
from tests.loops import Loop
from tests.plugins.rate_limit.naive_ledger import IN, OUT, NaiveLedger, Taken
from tests.plugins.rate_limit.scene import NOON, asking, caller, prices

T = TypeVar("T")

TTL_S = 128.0
LIMITS = Limits(requests_per_minute=6, tokens_per_minute=120, max_concurrency=3, total_usd=0.001)
TICKS = st.integers(1, 4096).map(lambda ticks: ticks / 64)


class AsLongAsItSays:
    """A tokenizer: a prompt has as many tokens as it has letters."""

    async def prompt(self, request: Request, model: str) -> Count:
        return Count(len(request.body["messages"][0]["content"]), True)

    async def text(self, text: str, model: str) -> Count:
        return Count(len(text), True)


class NoReport:
    """The report of an outcome of which nothing is known."""

    def guarded(self) -> Answer | None:
        return None

    def extents(self) -> tuple[Extent, Extent]:
        return Extent(), Extent()

    def finish_reason(self) -> None:
        return None

    def verdicts_given(self) -> tuple[()]:
        return ()


class AdmissionMachine(RuleBasedStateMachine):
    """Every decision is the ledger's, and never is more committed and reserved than the limits allow (P1, P3)."""

    running: Bundle[tuple[Context, Taken]] = Bundle("running")

    def __init__(self) -> None:
        super().__init__()
        self.loop = Loop()
        self.clock = FakeClock(NOON)
        self.looks = 0
        self.ledger = NaiveLedger(LIMITS, TTL_S)
        config = RateLimitConfig(lease_ttl_s=TTL_S, max_output_tokens=10)
        tokens, looks = AsLongAsItSays(), LedgerLooks(None, MemoryRecords(), self.clock)
        self.state = self.open()
        counts = Counts()
        outside = Outside(self.clock, self.state, prices(), tokens, LocalPart(None, 1, counts), Owed(), counts, looks)
        self.stage = RateLimit(config, outside)

    @abstractmethod
    def open(self) -> StateStore:
        """An empty store."""

    @abstractmethod
    def moved(self, seconds: float) -> None:
        """The store's time passes."""

    def do(self, work: Running[T]) -> T:
        return self.loop.run(work)

    def teardown(self) -> None:
        self.loop.close()

    @rule(target=running, prompt=st.integers(1, 60), cap=st.integers(1, 60))
    def come(self, prompt: int, cap: int) -> Any:  # an element of the bundle, or none
        ctx = asking(caller(of_key=LIMITS), "x" * prompt, max_tokens=cap)
        tokens, nanousd, now = prompt + cap, prompt * IN + cap * OUT, self.clock.time()
        expected = self.ledger.refused(tokens, nanousd, now)
        found = self.do(self._asked(ctx))
        assert found == expected
        if found is not None:
            self.do(self._ended(ctx, "refused"))  # the chain finishes whom it entered
            return multiple()
        assert ctx.headers["x-ratelimit-remaining-requests"] == str(6 - self.ledger.requests(now) - 1)
        return ctx, self.ledger.admit(tokens, nanousd, now)

    async def _asked(self, ctx: Context) -> str | None:
        try:
            await self.stage.on_request(ctx)
        except Refusal as refusal:
            return refusal.code
        return None

    async def _ended(self, ctx: Context, status: Status) -> None:
        rest = self.stage.on_finish(ctx, Outcome(status, NoReport()))
        if rest is not None:
            await rest

    @rule(one=consumes(running), share=st.floats(0, 1), calls=st.integers(0, 2))
    def end(self, one: tuple[Context, Taken], share: float, calls: int) -> None:
        """It ends after no, one or two calls, each with a part of the answer that it might have given."""
        ctx, taken = one
        prompt = len(ctx.request.body["messages"][0]["content"])
        said = int(share * ctx.request.body["max_tokens"])
        for number in range(1, calls + 1):
            usage = Usage(prompt, said, prompt + said)
            ctx.attempts.append(Attempt(number, Target("fake", "fake"), 0.0, "completed", usage=usage))
        now = self.clock.time()
        self.do(self._ended(ctx, "completed"))
        self.do(self._ended(ctx, "completed"))  # twice is once
        if taken.lease_ends > now and taken.at + 60.0 > now:
            taken.tokens = calls * (prompt + said)
        taken.open = False
        taken.nanousd = calls * (prompt * IN + said * OUT)

    @rule()
    def look(self) -> None:
        """What the store has left is what the ledger has left, to the nano-dollar."""
        bounds = self.stage._subjects.of(asking(caller(of_key=LIMITS)))
        (tokens,), (money,), now = bounds.tokens, bounds.budgets, self.clock.time()
        nothing = Window(tokens.key, tokens.limit, tokens.period_s, cost=0)
        none = Budget(money.key, money.limit, 0, "total", 1.0)
        reservation = state_key("acme", "look", str(self.looks))
        self.looks += 1
        admission = self.do(self.state.admit(reservation, (nothing, none)))
        self.do(self.state.settle(reservation, Settlement()))
        left = [state.remaining for state in admission.claims]
        assert left == [max(0, 120 - self.ledger.tokens(now)), max(0, money.limit - self.ledger.nanousd(now))]

    @rule(seconds=TICKS)
    def wait(self, seconds: float) -> None:
        self.do(self.clock.advance(seconds))
        self.moved(seconds)

    @invariant()
    def nothing_is_overdrawn_by_reserving(self) -> None:
        now = self.clock.time()
        assert self.ledger.requests(now) <= 6
        assert self.ledger.places(now) <= 3
