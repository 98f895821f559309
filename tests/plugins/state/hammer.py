"""Gateways in processes of their own, which ask one Redis at the same time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import TypeAlias

from sentinel_core.state import Claim, state_key
from sentinel_plugins.state.redis import RedisState
from tests.plugins.state.redis_stores import redis_state
from tests.spawned import spawned

Order: TypeAlias = tuple[str, str, int, Sequence[Claim]]
"""Where to ask, a name for the reservations, how many, and what each of them asks for."""


@dataclass(frozen=True)
class Worker:
    """One process, and the way to it."""

    pid: int
    pipe: Connection

    def begin(self, order: Order) -> None:
        """Ask for all of it at the same time."""
        self.pipe.send(order)

    def admitted(self) -> int:
        """How many of them were."""
        count: int = self.pipe.recv()
        return count

    def kill(self) -> None:
        """End it as a crash would."""
        os.kill(self.pid, signal.SIGKILL)


@contextmanager
def workers(count: int) -> Iterator[list[Worker]]:
    """That many processes."""
    with spawned(count, _serve) as processes:
        yield [Worker(*process) for process in processes]


async def _serve(pipe: Connection) -> None:
    stores: dict[str, RedisState] = {}
    pipe.send("ready")
    async with AsyncExitStack() as stack:
        while True:
            url, name, count, claims = await asyncio.to_thread(pipe.recv)
            if url not in stores:
                stores[url] = await stack.enter_async_context(redis_state(url))
            steps = (stores[url].admit(state_key("acme", f"{name}-{os.getpid()}-{n}"), claims) for n in range(count))
            pipe.send(sum(admission.admitted for admission in await asyncio.gather(*steps)))
