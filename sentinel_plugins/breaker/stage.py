"""The stage: asks the target's circuit before a call, and tells it what became of the call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar, Self

from sentinel_core.attempt import Ending
from sentinel_core.blame import blame, is_due
from sentinel_core.context import Call, CallNext, Context
from sentinel_core.errors import UpstreamError
from sentinel_core.hookspecs import hookimpl
from sentinel_core.reply import EventStream, Reply
from sentinel_core.services import CIRCUITS, Clock, Services
from sentinel_core.stage import Stage
from sentinel_plugins.breaker.circuit import Circuit, Permit, Result
from sentinel_plugins.breaker.circuits import OWN_CIRCUITS, Circuits, CircuitsOfChain
from sentinel_plugins.breaker.config import BreakerConfig


class Breaker(Stage):
    """A circuit per target. While it is open, a call ends at once in `circuit_open`, which names the wait.

    A streamed call counts when its stream is over: read to its end it is a success, broken by an error what that
    error says of any call, and left by its caller nothing at all. A probe's place is free again after every one of
    these, and as soon as its stream begins: a target that speaks again need not be proved for the minutes that an
    answer takes.
    """

    name = "breaker"
    Config: ClassVar[type[BreakerConfig]] = BreakerConfig
    after = ("routing", "hedge", "retry")

    def __init__(self, config: BreakerConfig, clock: Clock, circuits: Circuits) -> None:
        super().__init__(config)
        self._limits = config
        self._clock = clock
        self._circuits = circuits

    @classmethod
    @asynccontextmanager
    async def open(cls, config: BreakerConfig, services: Services) -> AsyncIterator[Self]:
        """The stage on the process's circuits; on its own where nobody brings them, as in a test of the stage."""
        circuits = services.find(OWN_CIRCUITS, Circuits)
        circuits.now = services.clock.monotonic
        services.shared[CIRCUITS] = CircuitsOfChain(circuits, config)
        yield cls(config, services.clock, circuits)

    @hookimpl
    async def dispatch(self, ctx: Context, call: Call, call_next: CallNext) -> Reply:
        """Call the target if its circuit lets it."""
        circuit = self._circuits.of(call.target, self._limits)
        permit = circuit.acquire(self._clock.monotonic())
        if not isinstance(permit, Permit):
            raise UpstreamError("circuit_open", attempted=False, retry_after_s=permit)
        settlement = Settlement(self._clock, circuit, permit, call.deadline)
        try:
            reply: Reply = await call_next(call)
        except UpstreamError as error:
            settlement.failed(error)
            raise
        except BaseException:  # a caller who left, or a fault of our own: nothing that the target did
            settlement.settle("neutral")
            raise
        if isinstance(reply, EventStream):
            settlement.heard(reply)
        reply.on_close(settlement.ended)
        return reply


class Settlement:
    """One call's permit and what it is settled with."""

    __slots__ = ("_circuit", "_clock", "_deadline", "_permit", "_stream")

    def __init__(self, clock: Clock, circuit: Circuit, permit: Permit, deadline: float | None) -> None:
        self._clock = clock
        self._circuit = circuit
        self._permit = permit
        self._deadline = deadline
        self._stream: EventStream | None = None

    def settle(self, result: Result) -> None:
        """Say what became of the call."""
        self._circuit.settle(self._permit, result, self._clock.monotonic())

    def heard(self, stream: EventStream) -> None:
        """The call gave a stream, which providers do with its first content."""
        self._stream = stream
        self._permit = self._circuit.heard(self._permit)

    def failed(self, error: UpstreamError, *, begun: bool = False) -> None:
        """The call gave no reply, or a stream that broke."""
        self.settle(blame(error, deadline=self._deadline, now=self._clock.monotonic(), begun=begun))

    def ended(self, ending: Ending) -> None:
        """The reply is over. A stream that breaks at the request's own deadline ran out of the caller's time."""
        if ending == "completed":
            self.settle("success")
        elif self._stream is not None and isinstance(self._stream.failure, UpstreamError):
            self.failed(self._stream.failure, begun=True)
        elif ending == "discarded" or is_due(self._deadline, self._clock.monotonic()):
            self.settle("neutral")
        else:
            self.settle("failure")
