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

import msgspec
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import InvalidResponse, RedisError

from sentinel_plugins.redis.address import connected
from sentinel_plugins.redis.tasks import Tasks
from sentinel_plugins.redis.wire import Reply, Wire


class Unanswered(Exception):
    """There was no reply, or not in time. The command may have been executed."""


READ_S = 0.005
"""How long a look that finds something overdue waits for what has arrived to be read: the loop may have been busy, and
a loop looks at its clock before it reads."""


class Call(msgspec.Struct, eq=False):
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
        self._wire: Wire | None = None
        self._flows = False
        self._timer: asyncio.TimerHandle | None = None
        self._task = tasks.start(self._live())

    def __len__(self) -> int:
        return len(self._unsent) + len(self._unanswered)

    def send(self, command: bytes) -> asyncio.Future[Reply]:
        """Send a packed command; its reply, or `Unanswered`."""
        loop = self._loop
        call = Call(command, loop.time() + self._timeout_s, loop.create_future())
        if self._flows and not self._unsent:
            loop.call_soon(self._turn)
        self._unsent.append(call)
        if self._timer is None:
            self._timer = loop.call_at(call.deadline, self._look)
        return call.reply

    def close(self) -> None:
        """End the connection now."""
        self._end("the connection was given up")
        self._task.cancel()

    async def _live(self) -> None:
        try:
            await connected(self._connection, self._timeout_s, self._stood_still)
            self._wire = Wire(self._connection, self._heard, self._let_flow)
            self._let_flow(True)
            await self._wire.ended
        except (RedisError, OSError) as error:
            self._end(str(error) or "no connection in time")
        finally:
            self._end("the connection was closed")
            with suppress(RedisError):  # the server takes nothing any more, not even a farewell
                await self._connection.disconnect()

    def _stood_still(self, late_s: float) -> None:
        """The loop did, while the connection was opened: what waits for it is given that time."""
        for call in self._unsent:
            call.deadline += late_s

    def _let_flow(self, flows: bool) -> None:
        """Whether what is given may be sent; what waited for it is sent now."""
        self._flows = flows
        if flows:
            self._flush()

    def _turn(self) -> None:
        """Send what this turn of the loop brought. The server's time begins now, however long that turn took."""
        deadline = self._loop.time() + self._timeout_s
        for call in self._unsent:
            call.deadline = deadline
        self._flush()

    def _flush(self) -> None:
        """Send what was not sent yet."""
        if not self._flows or self._wire is None:
            return
        calls = [call for call in self._unsent if not call.reply.done()]
        self._unsent.clear()
        if calls:
            self._unanswered.extend(calls)
            self._wire.write([call.command for call in calls])

    def _heard(self, reply: Reply) -> None:
        if not self._unanswered:
            raise InvalidResponse("an answer to nothing")
        waiting = self._unanswered.popleft().reply
        if not waiting.done():
            waiting.set_result(reply)

    def _look(self) -> None:
        """Come back when the next call is overdue; if one is, after what has arrived was read."""
        loop, now = self._loop, self._loop.time()
        first = next((call for call in chain(self._unanswered, self._unsent) if not call.reply.done()), None)
        if first is None:
            self._timer = None
        elif first.deadline > now:
            self._timer = loop.call_at(first.deadline, self._look)
        else:
            self._timer = loop.call_later(READ_S, self._expire, now)

    def _expire(self, moment: float) -> None:
        """Fail what was overdue at that moment and still is not answered."""
        waiting = [call for call in chain(self._unanswered, self._unsent) if not call.reply.done()]
        overdue = [call for call in waiting if call.deadline <= moment]
        for call in overdue:
            call.reply.set_exception(Unanswered(f"no answer within {self._timeout_s:g} s"))
        self.retired |= bool(overdue)
        rest = waiting[len(overdue) :]
        self._timer = self._loop.call_at(rest[0].deadline, self._look) if rest else None
        if self.retired and not rest:
            self.close()

    def _end(self, reason: str) -> None:
        self.retired, self._flows = True, False
        for call in chain(self._unanswered, self._unsent):
            if not call.reply.done():
                call.reply.set_exception(Unanswered(reason))
        self._unanswered.clear()
        self._unsent.clear()
        if self._timer is not None:
            self._timer.cancel()
