"""Which attempt gave which reply, so that what becomes of a reply is written into its own row."""

from __future__ import annotations

from time import perf_counter

from sentinel_core.attempt import Attempt
from sentinel_core.blame import blame_of
from sentinel_core.chain.faults import source_fault
from sentinel_core.errors import StageFault, UpstreamError
from sentinel_core.messages import Answer
from sentinel_core.reply import Reply
from sentinel_core.usage import Usage


class Rows:
    """The replies of one exchange's attempts. Several may come beside each other; the exchange goes on with one."""

    __slots__ = ("_came", "_taken")

    def __init__(self) -> None:
        self._came: list[tuple[Attempt, Reply]] = []
        self._taken: Attempt | None = None

    def came(self, attempt: Attempt, reply: Reply) -> None:
        """An attempt's reply is in. A whole answer has its counts with it."""
        self._came.append((attempt, reply))
        if isinstance(reply, Answer):
            attempt.usage = reply.usage

    def taken(self, reply: Reply) -> None:
        """The exchange goes on with this reply; whole answers beside it were given up, for what they cost.

        A reply that a stage made of one that came is that one's where there is no other.
        """
        came = self._came
        own = came if len(came) == 1 else [pair for pair in came if pair[1] is reply]
        if not own:
            return
        self._taken = taken = own[0][0]
        taken.taken = True
        for attempt, other in came:
            if attempt is not taken and isinstance(other, Answer):
                attempt.ending = "discarded"

    def broke(self, exc: UpstreamError | StageFault, deadline: float | None) -> None:
        """A stream broke off: its attempt failed, whichever attempt came last."""
        said = blame_of(exc, deadline=deadline, now=perf_counter(), begun=True)
        for attempt, reply in self._came:
            if not isinstance(reply, Answer) and reply.ending == "failed" and attempt.error is None:
                attempt.error, attempt.blame = exc.code, said

    def fault(self, exc: BaseException) -> StageFault:
        """The fault that the stream which was taken broke with: its provider's, where an attempt gave it."""
        taken = self._taken
        source = f"provider {taken.target.provider}" if taken is not None else "the stage that answered"
        return source_fault(source, "stream", exc)

    def counted(self, usage: Usage | None) -> None:
        """What the reply that was taken had cost when it ended."""
        if self._taken is not None and usage is not None:
            self._taken.usage = usage
