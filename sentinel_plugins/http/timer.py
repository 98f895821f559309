"""The time limits of one call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType

from sentinel_core.errors import UpstreamError

_NEVER = float("inf")


class CallTimer:
    """Connect, first byte, idle and total of one call on a single timer of the loop, armed lazily.

    A wait is a `with timer.limit(seconds):` block; past its limit it raises `UpstreamError` (upstream_timeout). Where
    `on_expiry` itself ends the wait, it is enough to say when it is `due`, with `until` if that is before the time for
    which the timer is `armed`, and after it that only the `end` is: that is once for every piece of every stream. A
    limit that moves to later costs nothing: the timer fires at the old time and arms itself anew.
    Between waits only the total runs. `on_expiry` is called at the limit, before the wait ends, and also where nobody
    waits. `asyncio.timeout` would arm and cancel a timer for every piece. `waiters` is the loop whose tasks wait, where
    `loop` only tells the time.
    """

    __slots__ = (
        "_cancelling",
        "_handle",
        "_loop",
        "_on_expiry",
        "_task",
        "_waiters",
        "armed",
        "due",
        "end",
        "expired",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        total_s: float,
        on_expiry: Callable[[], None],
        *,
        waiters: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._loop = loop
        self._waiters = waiters or loop
        self.end = self.due = loop.time() + total_s
        self._on_expiry = on_expiry
        self._handle: asyncio.TimerHandle | None = None
        self.armed = _NEVER
        self._task: asyncio.Task[object] | None = None
        self._cancelling = 0
        self.expired = False

    def limit(self, seconds: float) -> CallTimer:
        """Limit the wait that follows to this many seconds from now, and never past the total."""
        return self.until(self._loop.time() + seconds)

    def until(self, when: float) -> CallTimer:
        """Limit the wait that follows, or that runs, to this time of the loop's clock."""
        self.due = due = min(when, self.end)
        if due < self.armed:
            self._arm(due)
        return self

    def __enter__(self) -> None:
        self._task = task = asyncio.current_task(self._waiters)
        self._cancelling = task.cancelling() if task is not None else 0

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        task, self._task = self._task, None
        self.due = self.end
        if not self.expired or kind is None or not issubclass(kind, asyncio.CancelledError):
            return
        # Ours, unless somebody else cancelled as well; then theirs goes on (as in asyncio.timeout).
        if task is not None and task.uncancel() <= self._cancelling:
            raise UpstreamError("upstream_timeout") from error

    @property
    def total_is_over(self) -> bool:
        """The total has passed, not only a shorter limit."""
        return self._loop.time() >= self.end

    def stop(self) -> None:
        """The call is over."""
        self._on_expiry = _nothing  # no cycle with its owner is left for the garbage collector
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _arm(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._handle, self.armed = self._loop.call_at(when, self._fire), when

    def _fire(self) -> None:
        self._handle, self.armed = None, _NEVER
        due = min(self.due, self.end)
        if self._loop.time() < due:
            self._arm(due)
            return
        self.expired = True
        self._on_expiry()
        if self._task is not None:
            self._task.cancel()


def _nothing() -> None:
    return None
