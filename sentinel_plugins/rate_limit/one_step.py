"""Work that mostly does not wait, without a task of its own for it."""

from __future__ import annotations

from collections.abc import Awaitable, Generator
from typing import Any

from sentinel_core.running import Running


def begun(work: Running[None]) -> Awaitable[None] | None:
    """Run until it waits for the first time: None if it never does, else what is left.

    A finisher that returns nothing needs no task, which costs as much as the step on a store in memory
    (benchmarks/state.py). Not for work that asks which task it runs in, as timeouts do.
    """
    try:
        waits_for = work.send(None)
    except StopIteration:
        return None
    return _Rest(work, waits_for)


class _Rest:
    """The rest of a coroutine that was begun outside of the task that awaits it."""

    __slots__ = ("_waits_for", "_work")

    def __init__(self, work: Running[None], waits_for: Any) -> None:  # Any: its loop's
        self._work = work
        self._waits_for = waits_for

    def __await__(self) -> Generator[Any, Any, None]:  # Any: its loop's
        waits_for = self._waits_for
        while True:
            raised: BaseException | None = None
            sent = None
            try:
                sent = yield waits_for
            except BaseException as exc:  # noqa: BLE001 - handed on to the coroutine, which is what would have got it
                raised = exc
            try:
                waits_for = self._work.throw(raised) if raised is not None else self._work.send(sent)
            except StopIteration:
                return
