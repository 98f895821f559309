"""An edge around a small application, without a gateway."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Receive, Scope, Send

from sentinel_core.config import ServerSettings
from sentinel_server.access_log import ACCESS_LOGGER, AccessRecord
from sentinel_server.edge import Edge, Transaction, Watch
from sentinel_server.edge.body import read_body
from sentinel_server.edge.head import check_json
from tests.pace import PATIENCE_S
from tests.server.serving import RUNNERS, Served, serving


@dataclass
class Life:
    """A gateway's life, as the edge asks for it."""

    started: bool = True
    draining: bool = False


@dataclass
class Inner:
    """Answers with the number of bytes it read; `raises` instead, if it is set."""

    settings: ServerSettings
    bodies: list[bytes] = field(default_factory=list)
    raises: Exception | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.raises is not None:
            raise self.raises
        tx = Transaction.of(scope)
        async with Watch(tx, receive, self.settings) as watch:
            if scope["method"] == "POST":
                check_json(tx.headers)
                self.bodies.append(await read_body(tx, receive, self.settings.max_body_bytes))
                watch.body_arrived()
            watch.finishing()
            await tx.answer(200, b'{"read":%d}' % sum(map(len, self.bodies)))
            watch.release()


class AccessLines(logging.Handler):
    """Keeps access records, and lets a test wait for the next one."""

    def __init__(self) -> None:
        super().__init__()
        self.records: asyncio.Queue[AccessRecord] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        assert isinstance(record.msg, AccessRecord)
        self.records.put_nowait(record.msg)

    async def next(self) -> AccessRecord:
        """The record of the next request that ends."""
        return await asyncio.wait_for(self.records.get(), PATIENCE_S)


@contextmanager
def access_lines() -> Iterator[AccessLines]:
    """Collect access records in this block."""
    handler = AccessLines()
    logger = logging.getLogger(ACCESS_LOGGER)
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(handler)
    try:
        yield handler
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


@asynccontextmanager
async def edge(
    runner: str = RUNNERS[0],
    *,
    life: Life | None = None,
    app: Any = None,  # an ASGI application of any kind
    **settings: Any,  # fields of ServerSettings
) -> AsyncIterator[tuple[Served, Inner]]:
    """A served edge and the application inside it."""
    configured = ServerSettings(**settings)
    inner = Inner(configured)
    async with serving(Edge(app or inner, life or Life(), configured, exact={}), runner) as served:
        yield served, inner
