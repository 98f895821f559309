"""U01 to U07: no connection, no secure one, one that breaks before its answer, one that stays silent."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from sentinel_core.json_types import TomlValue
from sentinel_core.services import HttpPools
from sentinel_plugins.http.pools import AiohttpPools
from tests.pace import in_time
from tests.plugins.providers.calls import SHORT_S
from tests.plugins.providers.faults.rig import IMPATIENT, SAID, call_of, error_of, hear, heard_of, nobody, streamed
from tests.plugins.providers.spoken import provider_at
from tests.upstream import Close, Reply, Reset, Stall, Stream, Upstream
from tests.upstream.api import Wire
from tests.upstream.apis import Spoken

YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


async def code_at(spoken: Spoken, root: str, **config: TomlValue) -> str | None:
    async with provider_at(spoken, root, **config) as provider:
        heard = await hear(provider, call_of())
    assert root.partition("://")[2] not in str(heard.error)
    return heard.code


async def test_u01_nobody_listens(spoken: Spoken) -> None:
    assert await code_at(spoken, nobody()) == "upstream_unreachable"


@pytest.mark.parametrize("why", [socket.EAI_NONAME, socket.EAI_AGAIN], ids=["nxdomain", "servfail"])
async def test_u02_a_name_that_nobody_knows(spoken: Spoken, why: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(why, "of secret-name.test")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert await code_at(spoken, "http://secret-name.test") == "upstream_unreachable"


async def test_u02_a_name_server_that_hangs_holds_up_neither_the_call_nor_the_loop(
    spoken: Spoken, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def hang(*_: object, **__: object) -> None:
        answered.wait(10)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    monkeypatch.setattr(socket, "getaddrinfo", hang)
    try:
        asked = code_at(spoken, "http://slow-name.test", connect_timeout_s=SHORT_S)
        assert await in_time(asked, 1) == "upstream_unreachable"
    finally:
        answered.set()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that the gateway trusts."""
    return trustme.CA()


@pytest.fixture(scope="module")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpPools]:
    """Pools that trust it, and nobody else."""
    file: Path = tmp_path_factory.mktemp("tls") / "ca.pem"
    authority.cert_pem.write_to_path(file)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        yield AiohttpPools()


CERTIFICATES: Mapping[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "expired": lambda authority: authority.issue_cert("127.0.0.1", not_after=YESTERDAY),
    "wrong name": lambda authority: authority.issue_cert("example.com"),
    "self-signed": lambda _: trustme.CA().issue_cert("127.0.0.1"),
}


@pytest.mark.parametrize("fault", [*CERTIFICATES])
async def test_u03_a_certificate_that_is_not_valid_is_never_accepted(
    spoken: Spoken, authority: trustme.CA, trusting: HttpPools, fault: str
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    CERTIFICATES[fault](authority).configure_cert(context)
    async with (
        Upstream(tls=context) as upstream,
        provider_at(spoken, upstream.root, pools=trusting) as provider,
    ):
        heard = await hear(provider, call_of())
        assert (heard.code, upstream.requests) == ("upstream_tls_error", [])


async def test_u03_one_that_is_valid_is_accepted(spoken: Spoken, authority: trustme.CA, trusting: HttpPools) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with (
        Upstream(tls=context) as upstream,
        provider_at(spoken, upstream.root, pools=trusting) as provider,
    ):
        upstream.script(None, Reply(spoken.api.answer(SAID)))
        assert (await hear(provider, call_of())).text == SAID.text


async def test_u03_a_handshake_that_hangs(spoken: Spoken, upstream: Upstream) -> None:
    root = upstream.root.replace("http://", "https://")
    assert await code_at(spoken, root, connect_timeout_s=SHORT_S) == "upstream_tls_error"
    await upstream.closed()


async def test_u04_a_reset_before_the_head(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, Reset())
    error = await error_of(spoken, upstream, stream)
    assert (error.code, error.status, error.should_retry) == ("upstream_connection_reset", 502, True)
    assert len(upstream.requests) == 1


@pytest.mark.parametrize("end", [Close(), Reset()], ids=["fin", "rst"])
async def test_u05_a_reused_connection_that_had_died_is_replaced(
    spoken: Spoken, upstream: Upstream, end: Close | Reset
) -> None:
    good = Reply(spoken.api.answer(SAID))
    upstream.script(None, good, end, good)
    async with provider_at(spoken, upstream.root) as provider:
        assert [(await hear(provider, call_of())).text for _ in range(2)] == [SAID.text] * 2
    assert [request.connection for request in upstream.requests] == [1, 1, 2]


async def test_u06_a_head_that_never_comes(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, Stall())
    began = time.monotonic()
    error = await in_time(error_of(spoken, upstream, stream, **IMPATIENT), SHORT_S + 0.5)
    assert time.monotonic() - began >= SHORT_S - 0.01
    assert (error.code, error.status) == ("upstream_timeout", 504)
    await upstream.closed(timeout_s=1)


async def test_u07_a_head_and_then_silence(spoken: Spoken, upstream: Upstream, stream: bool) -> None:
    upstream.script(None, Stream([Stall()], content_type=spoken.api.content_type if stream else "application/json"))
    error = await error_of(spoken, upstream, stream, **IMPATIENT)
    assert (error.code, error.status) == ("upstream_timeout", 504)
    await upstream.closed(timeout_s=1)


async def test_u07_an_opening_and_then_silence(spoken: Spoken, upstream: Upstream) -> None:
    wire: Wire = spoken.api.stream(SAID)
    upstream.script(None, streamed(spoken, wire.opening, [Stall()]))
    heard = await heard_of(spoken, upstream, True, **IMPATIENT)
    assert (heard.opened, heard.code) == (False, "upstream_timeout")
    await upstream.closed(timeout_s=1)
