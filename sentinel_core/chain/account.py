"""What one exchange can say of itself when it is over.

Apart from the exchange, so that an `Outcome` keeps no exchange alive: reference cycles per request would be work for
the garbage collector (benchmarks/throughput.py).
"""

from __future__ import annotations

import logging

from sentinel_core.chain.entry import Entry
from sentinel_core.chain.transcript import Meter, Transcript, extent_of
from sentinel_core.chain.verdicts import Verdicts
from sentinel_core.context import Context
from sentinel_core.costs import Provisional
from sentinel_core.events import Extent
from sentinel_core.keys import Verdict
from sentinel_core.messages import Answer
from sentinel_core.place import place
from sentinel_core.usage import Usage

log = logging.getLogger("sentinel.chain")


class Account:
    """The replies, extents, usage and verdicts of one exchange; what costs something is worked out when asked for.

    `upstream` is the unary answer before any guard, `answer` after the output guards, `restored` as the caller gets it.
    `kept` and `guarded_parts` are the first two of a stream, noted only where somebody needs them.
    """

    __slots__ = (
        "_ctx",
        "_guards",
        "answer",
        "delivered",
        "guarded_parts",
        "kept",
        "produced",
        "restored",
        "upstream",
        "verdicts",
    )

    def __init__(self, ctx: Context, guards: tuple[tuple[Entry, bool, bool], ...]) -> None:
        self._ctx = ctx
        self._guards = guards
        self.verdicts = Verdicts(ctx)
        self.upstream: Answer | None = None
        self.answer: Answer | None = None
        self.restored: Answer | None = None
        self.produced: Meter | None = None
        self.delivered: Meter | None = None
        self.kept: Transcript | None = None
        self.guarded_parts: Transcript | None = None

    @property
    def usage(self) -> Usage | None:
        """What the provider reported."""
        if self.produced is not None and self.produced.usage is not None:
            return self.produced.usage
        return self.upstream.usage if self.upstream is not None else None

    @property
    def counted(self) -> Usage | None:
        """The same; None where a reply ended and its answer's tokens were not reported."""
        over = self.produced is None or self.produced.ended
        return None if over and isinstance(self.usage, Provisional) else self.usage

    def upstream_text(self) -> Answer | None:
        """What the upstream said, before any guard; of a stream only while a guard monitors.

        Raises what its dialect does for a stream that is no answer of it.
        """
        if self.kept is not None:
            return self.kept.answer(self._ctx.request.dialect)
        return self.upstream

    def guarded(self) -> Answer | None:
        """The reply after the output guards and before restoration.

        None also for a stream that is no answer of its dialect, which is logged without its text: the caller has it,
        and a record judges nothing.
        """
        if self.guarded_parts is None or not self.guarded_parts:
            return self.answer
        try:
            return self.guarded_parts.answer(self._ctx.request.dialect)
        except Exception as exc:  # a finisher must not fail over what a model says
            log.warning("a stream is no answer of its dialect: %s (%s)", type(exc).__name__, place(exc))
            return None

    def finish_reason(self) -> str | None:
        """How the reply's first choice ended, as the output guards left it; of a stream that broke off, None."""
        if self.guarded_parts is not None and self.guarded_parts:
            return self.guarded_parts.finish_reason
        if self.answer is None:
            return None
        return next((end.reason for end in self.answer.dialect.ends(self.answer)), None)

    def extents(self) -> tuple[Extent, Extent]:
        """What the upstream produced, and what left the chain."""
        return _extent(self.produced, self.upstream), _extent(self.delivered, self.restored)

    def verdicts_given(self) -> tuple[Verdict, ...]:
        """One verdict per guard and direction."""
        return self.verdicts.all(self._guards)


def _extent(meter: Meter | None, answer: Answer | None) -> Extent:
    if meter is not None:
        return meter.extent
    return extent_of(answer) if answer is not None else Extent()
