"""Ends one request's task from outside: the client left, time is up, the reader stalled.

An ASGI server tells a disconnect to nobody who does not ask (reliability 0.7), and asking takes a second task. Most
requests are over before it would matter, so the watcher starts with the first look at the clock, `FIRST_LOOK_S` after
the request: a fast request pays for one timer and no task.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING

from starlette.types import Receive

from sentinel_core.config import ServerSettings
from sentinel_core.errors import Refusal, SentinelError, UpstreamError
from sentinel_server.termination import Cause

if TYPE_CHECKING:
    from sentinel_server.edge.transaction import Transaction

FIRST_LOOK_S = 0.05
GRACE_S = 0.1
"""The provider's own timer speaks first at the deadline: it knows what was slow."""

Pulse = Callable[[float], float]
"""Called on the watch's clock with the monotonic time; answers when it wants to be called again."""


class Watch:
    """`async with Watch(...)` around the work of one request, in the task that does it.

    Ends the task by cancelling it and turns that cancellation into what it means: silence for a client that is gone,
    `Refusal` or `UpstreamError` for the rest. A cancellation by anybody else passes through. Nothing is left behind:
    the watcher is cancelled and awaited on the way out. `sending_since` is when the write that is under way began, None
    where none is.
    """

    __slots__ = (
        "_body_due",
        "_cancelled_before",
        "_closed",
        "_deadline",
        "_finishing",
        "_looked",
        "_loop",
        "_pulse",
        "_receive",
        "_stall_s",
        "_task",
        "_timer",
        "_tx",
        "_watcher",
        "cause",
        "sending_since",
    )

    def __init__(self, tx: Transaction, receive: Receive, settings: ServerSettings) -> None:
        self._tx = tx
        self._receive = receive
        self._stall_s = settings.send_timeout_s
        self._body_due = tx.started + min(settings.body_timeout_s, settings.request_timeout_s)
        self._deadline = tx.started + settings.request_timeout_s + GRACE_S
        self._pulse: Pulse | None = None
        self.sending_since: float | None = None
        self._watcher: asyncio.Task[None] | None = None
        self._looked = self._finishing = self._closed = False
        self.cause: Cause | None = None

    async def __aenter__(self) -> Watch:
        self._loop = loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task is not None  # a coroutine that runs on asyncio has a task
        self._task = task
        self._cancelled_before = task.cancelling()
        self._timer = self._loop.call_later(FIRST_LOOK_S, self._look)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        self.release()
        if self._watcher is not None:
            self._watcher.cancel()
            await asyncio.wait([self._watcher])
        cause = self.cause
        if not self._take_back() or not isinstance(error, asyncio.CancelledError):
            return False
        if cause in ("client", "stalled"):
            return True
        raise self._meaning(cause) from None

    def body_arrived(self) -> None:
        """The body is complete: from here on a disconnect can be seen, and no body deadline counts."""
        self._body_due = 0.0
        if self._looked:
            self._timer.cancel()
            self._timer = self._loop.call_later(FIRST_LOOK_S, self._look)

    def call(self, pulse: Pulse) -> None:
        """Let `pulse` share this watch's timer. It is first called within `FIRST_LOOK_S`."""
        self._pulse = pulse
        if self._looked:
            self._timer.cancel()
            self._timer = self._loop.call_later(FIRST_LOOK_S, self._look)

    def sending(self) -> None:
        """A write begins: if it is not over in time, the reader has stalled (C05)."""
        self.sending_since = monotonic()

    @property
    def busy(self) -> bool:
        """A write is under way."""
        return self.sending_since is not None

    def sent(self) -> None:
        """The write is over."""
        self.sending_since = None

    def finishing(self) -> None:
        """The last write begins. Servers report a disconnect once a response is complete: it means nothing now."""
        self._finishing = True

    def release(self) -> None:
        """The response is complete, or has failed: end nothing any more."""
        self._closed = True
        self._pulse = None
        self._timer.cancel()

    def end(self, cause: Cause) -> None:
        """Cancel the request's task, once, for this cause."""
        if self._closed or self.cause is not None or (cause == "client" and self._finishing):
            return
        self.cause = cause
        self._tx.ended(cause)
        self._task.cancel()

    def error(self) -> SentinelError | None:
        """What a cancellation that just arrived has to tell the client, None if there is nothing or nobody to tell.

        Takes the cancellation back, so that the client can be told; only a stalled reader is still watched for then.
        """
        cause = self.cause
        if cause in (None, "client", "stalled") or not self._take_back():
            return None
        self._deadline = float("inf")
        self._timer.cancel()
        self._timer = self._loop.call_later(FIRST_LOOK_S, self._look)
        return self._meaning(cause)

    def _take_back(self) -> bool:
        """Undo our own cancellation. False if there was none, or if others cancelled as well: theirs counts."""
        if self.cause is None:
            return False
        self.cause = None
        return self._task.uncancel() <= self._cancelled_before

    @staticmethod
    def _meaning(cause: Cause | None) -> SentinelError:
        if cause == "body":
            return Refusal("request_timeout")
        return UpstreamError("upstream_timeout")

    def _look(self) -> None:
        """One look at the clock; sets the time of the next one."""
        now = monotonic()
        self._looked = True
        if self._body_due:
            due = self._body_due
            if now >= due:
                self.end("body")
        else:
            due = self._due(now)
        if not self._closed and self.cause is None:
            self._timer = self._loop.call_later(max(due - now, 0.001), self._look)

    def _due(self, now: float) -> float:
        if self._watcher is None:
            self._watcher = self._loop.create_task(self._wait_for_disconnect())
        if now >= self._deadline:
            self.end("deadline")
        due = self._deadline
        since = self.sending_since
        if since is not None:
            if now - since >= self._stall_s:
                self.end("stalled")
            due = min(due, since + self._stall_s)
        else:
            due = min(due, now + self._stall_s)
        return due if self._pulse is None else min(due, self._pulse(now))

    async def _wait_for_disconnect(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass  # an empty body message after the end of the body
        self.end("client")
