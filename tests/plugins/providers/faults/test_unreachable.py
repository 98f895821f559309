"""U01 to U03 and U05 through a whole gateway: targets that cannot be reached at all, and connections that had died."""

from __future__ import annotations

import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, NamedTuple

import pytest
import trustme

from sentinel_core.dialects.openai_chat import OPENAI_CHAT
from sentinel_core.errors import UpstreamError
from sentinel_core.gateway import Gateway
from tests.pace import in_time
from tests.plugins.providers.faults.behind import HAIR_TRIGGER, RETRYING, SPARE, asked, gateway_at, verdict
from tests.plugins.providers.faults.rig import BODY, SAID, nobody
from tests.upstream import Close, Reply, Reset, Upstream
from tests.upstream.apis import Spoken


@asynccontextmanager
async def refused() -> AsyncIterator[str]:
    yield nobody()


@asynccontextmanager
async def unknown() -> AsyncIterator[str]:
    look_up = socket.getaddrinfo

    def gone(host: Any, *arguments: Any, **options: Any) -> Any:  # its own
        if host == "secret-name.test":
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket, "getaddrinfo", gone)
        yield "http://secret-name.test"


@asynccontextmanager
async def distrusted() -> AsyncIterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with Upstream(tls=context) as upstream:
        yield upstream.root
        assert upstream.requests == []


class Row(NamedTuple):
    """A way not to be reached, the error, and how often one request tries it."""

    root: Callable[[], AbstractAsyncContextManager[str]]
    code: str
    attempts: int


ROWS = {
    "u01_refused": Row(refused, "upstream_unreachable", 3),
    "u02_unknown": Row(unknown, "upstream_unreachable", 3),
    "u03_distrusted": Row(distrusted, "upstream_tls_error", 1),
}
rows = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)


async def attempts(gateway: Gateway) -> tuple[int, UpstreamError | None]:
    """How many calls one request makes, and the error that ends it."""
    ctx = gateway.context(OPENAI_CHAT.decode_request(BODY))
    try:
        async with gateway.open(ctx):
            return len(ctx.attempts), None
    except UpstreamError as error:
        return len(ctx.attempts), error


@rows
async def test_a_target_that_cannot_be_reached(spoken: Spoken, row: Row) -> None:
    async with row.root() as root, gateway_at(spoken, root, retry=RETRYING) as gateway:
        made, error = await in_time(attempts(gateway), 1)
    assert error is not None
    assert (made, error.code, error.status) == (row.attempts, row.code, 502)
    assert error.should_retry is (row.attempts == 1)


@rows
async def test_another_target_takes_over_at_once(spoken: Spoken, upstream: Upstream, row: Row) -> None:
    upstream.script(None, Reply(spoken.api.answer(SPARE)))
    stages = {"retry": RETRYING, "breaker": HAIR_TRIGGER}
    async with row.root() as root, gateway_at(spoken, root, upstream.root, **stages) as gateway:
        answer = await asked(gateway)
        assert (answer.status, answer.headers["x-sentinel-provider"], verdict(gateway)) == (200, "spare", "failure")


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["fin", "rst"])
async def test_u05_a_stale_connection_is_nobodys_failure_and_no_repetition(
    spoken: Spoken, upstream: Upstream, end: Close | Reset
) -> None:
    good = Reply(spoken.api.answer(SAID))
    upstream.script(None, good, end, good)
    async with gateway_at(spoken, upstream.root, retry={"budget": 0.0}, breaker=HAIR_TRIGGER) as gateway:
        assert [await attempts(gateway) for _ in range(2)] == [(1, None), (1, None)]
        assert verdict(gateway) == "neutral"
    assert len(upstream.requests) == 3
