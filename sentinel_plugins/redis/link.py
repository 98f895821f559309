"""One connection that all requests share.

Commands are sent in the order in which they were given, those of one turn of the event loop together; answers come in
the same order. So an answer can only reach the call that it belongs to, whoever was cancelled meanwhile (R10), and
nobody ever waits for a free connection (R09).
"""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from itertools import chain
from typing import TypeAlias

import msgspec
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import RedisError, ResponseError

from sentinel_plugins.redis.address import connected
from sentinel_plugins.redis.tasks import Tasks

Reply: TypeAlias = bytes | int | list["Reply"] | ResponseError | None
"""What a server says; an error is a reply as well."""


class Unanswered(Exception):
    """There was no reply, or not in time. The command may have been executed."""


class Call(msgspec.Struct, frozen=True, eq=False):
    """One command, and who waits for its reply until when."""

    command: bytes
    deadline: float
    reply: asyncio.Future[Reply]


class Link:
    """A connection from its opening to its end; it is never opened again. `len` is how many calls wait.

    A link that let somebody wait for more than `timeout_s` is `retired`: it takes no more commands, and closes when
    those that it has are answered or overdue. Commands whose callers left before they were sent are not sent.
    """

    def __init__(self, connection: AbstractConnection, timeout_s: float, tasks: Tasks) -> None:
        self.retired = False
        self._connection = connection
        self._timeout_s = timeout_s
        self._loop = asyncio.get_running_loop()
        self._unsent: list[Call] = []
        self._unanswered: deque[Call] = deque()
        self._wake = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._task = tasks.start(self._live())

    def __len__(self) -> int:
        return len(self._unsent) + len(self._unanswered)

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        """Send a packed command; its reply, or `Unanswered`."""
        call = Call(command, self._loop.time() + self._timeout_s, self._loop.create_future())
        self._unsent.append(call)
        self._wake.set()
        if self._timer is None:
            self._timer = self._loop.call_at(call.deadline, self._look)
        return call.reply

    def close(self) -> None:
        """End the connection now."""
        self._end("the connection was given up")
        self._task.cancel()

    async def _live(self) -> None:
        try:
            await connected(self._connection, self._timeout_s)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._write())
                both.create_task(self._read())
        except* (RedisError, OSError) as errors:
            self._end(_reason(errors))
        finally:
            self._end("the connection was closed")
            with suppress(RedisError):  # the server takes nothing any more, not even a farewell
                await self._connection.disconnect()

    async def _write(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            calls = [call for call in self._unsent if not call.reply.done()]
            self._unsent.clear()
            self._unanswered.extend(calls)
            if calls:
                await self._connection.send_packed_command([call.command for call in calls], check_health=False)

    async def _read(self) -> None:
        while True:
            reply: Reply
            try:
                reply = await self._connection.read_response(disable_decoding=True)
            except ResponseError as error:
                reply = error
            call = self._unanswered.popleft()
            if not call.reply.done():
                call.reply.set_result(reply)

    def _look(self) -> None:
        """Fail what is overdue, and come back when the next one would be."""
        now = self._loop.time()
        waiting = [call for call in chain(self._unanswered, self._unsent) if not call.reply.done()]
        overdue = [call for call in waiting if call.deadline <= now]
        for call in overdue:
            call.reply.set_exception(Unanswered(f"no answer within {self._timeout_s:g} s"))
        self.retired |= bool(overdue)
        rest = waiting[len(overdue) :]
        self._timer = self._loop.call_at(rest[0].deadline, self._look) if rest else None
        if self.retired and not rest:
            self.close()

    def _end(self, reason: str) -> None:
        self.retired = True
        for call in chain(self._unanswered, self._unsent):
            if not call.reply.done():
                call.reply.set_exception(Unanswered(reason))
        self._unanswered.clear()
        self._unsent.clear()
        if self._timer is not None:
            self._timer.cancel()


def _reason(errors: BaseExceptionGroup[RedisError | OSError]) -> str:
    """What the first of them says. A timeout says nothing by itself."""
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return str(first) or "no connection in time"
