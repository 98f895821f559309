"""Redis beside a benchmark: on the load's core, as the mock is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.harness import machine
from tests.redis.binaries import BINARIES, MISSING  # the tests know where servers are, and start them
from tests.redis.server import RedisServer, running_server

__all__ = ["MISSING", "RedisServer", "redis", "redis_binary", "steps"]


def redis_binary() -> str | None:
    """A server that can be started; `MISSING` says why there is none."""
    return next((path for path in BINARIES.values() if path), None)


@contextmanager
def redis(binary: str | None) -> Iterator[RedisServer | None]:
    """An empty Redis, None where there is none."""
    if binary is None:
        yield None
        return
    with TemporaryDirectory() as folder, ExitStack() as stack:
        with machine.pinned(machine.cores().load):  # no longer: the gateway is started while this one runs
            server = stack.enter_context(running_server(binary, Path(folder)))
        yield server


def steps(server: RedisServer | None) -> int:
    """How many scripts a server was sent."""
    if server is None:
        return 0
    stats = server.ask("INFO", "commandstats")
    return sum(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"] for name in ("evalsha", "eval"))
