"""Reloads, one after another: what counts is the last one that was asked for."""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable

log = logging.getLogger("sentinel.server")


class Reloads:
    """Asks for reloads. `reload` says "" or why the old configuration stays; `give_up` ends what it is waiting for.

    One that is asked for while another is under way takes its place: what the older has read may be out of date, and a
    stage that it opens may hang.
    """

    def __init__(self, reload: Callable[[], Awaitable[str]], give_up: Callable[[], None]) -> None:
        self._reload, self._give_up = reload, give_up
        self._task: asyncio.Task[None] | None = None
        self._again = False

    @property
    def outdated(self) -> str:
        """Why the one under way is not to go on: a newer one waits; "" if none does."""
        return "a newer reload takes its place" if self._again else ""

    def ask(self) -> None:
        """Reload, now or as soon as the one under way has given up."""
        if self._task is None or self._task.done():
            self._task = asyncio.get_running_loop().create_task(self._run())
            return
        if not self._again:
            log.info("a reload is under way: it is given up, and the configuration read anew")
        self._again = True
        self._give_up()

    async def ended(self) -> None:
        """None is under way."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def cancel(self) -> None:
        """End the one under way."""
        if self._task is not None:
            self._task.cancel()
        await self.ended()

    async def _run(self) -> None:
        self._again = True
        while self._again:
            self._again = False
            problems = await self._reload()
            if problems and self._again:
                log.info("the reload under way has ended: %s", problems)
            elif problems:
                log.error("reload refused, the configuration in force stays:\n%s", problems)


def heed(stop: Callable[[], None], reloads: Reloads, hung_up: Callable[[], bool]) -> None:
    """Stop or reload on the signals of this process. `hung_up` says whether a SIGHUP came before: it is made up for."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    loop.add_signal_handler(signal.SIGHUP, reloads.ask)
    if hung_up():
        reloads.ask()
