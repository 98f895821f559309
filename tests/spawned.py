"""Processes of their own that are told what to do, and answer, through a pipe."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import NamedTuple, TypeAlias

from sentinel_core.running import Running

Serve: TypeAlias = Callable[[Connection], Running[None]]
"""What a process does until it is killed; the first thing that it sends is "ready". A function of a module."""


class Spawned(NamedTuple):
    """One process, and the way to it."""

    pid: int
    pipe: Connection


@contextmanager
def spawned(count: int, serve: Serve) -> Iterator[list[Spawned]]:
    """That many processes, once all are ready; they are killed at the end."""
    spawn = get_context("spawn")
    pipes = [spawn.Pipe() for _ in range(count)]
    processes = [spawn.Process(target=_work, args=(serve, far)) for _, far in pipes]
    try:
        for process in processes:
            process.start()
        for near, _ in pipes:
            assert near.recv() == "ready"
        yield [Spawned(process.pid or 0, near) for process, (near, _) in zip(processes, pipes, strict=True)]
    finally:
        for process, (near, far) in zip(processes, pipes, strict=True):
            process.kill()
            process.join()
            near.close()
            far.close()


def _work(serve: Serve, pipe: Connection) -> None:
    asyncio.run(serve(pipe))
