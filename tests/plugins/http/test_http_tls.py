"""U03: no certificate that is not valid for the upstream's name is ever accepted."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import ssl
import time
from pathlib import Path

import pytest
import trustme

from sentinel_core.errors import UpstreamError
from sentinel_core.services import HttpTimeouts
from sentinel_plugins.http.pools import AiohttpPools
from tests.pace import AT_ONCE_S, in_time
from tests.upstream import Hold, Raw, Reply, Stall, Stream, Upstream, head

LIMITS = HttpTimeouts(connect_s=2.0, first_byte_s=2.0)
YESTERDAY = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trustme.CA:
    """An authority that this process trusts."""
    made = trustme.CA()
    made.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    return made


def serving(certificate: trustme.LeafCert) -> Upstream:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return Upstream(tls=context)


async def body(upstream: Upstream) -> bytes:
    upstream.script(None, Reply(b"fine"))
    async with AiohttpPools().pool(connections=1) as pool:
        response = await pool.send("GET", upstream.base_url, headers={}, timeouts=LIMITS)
        answer = await response.read(100)
        await response.release()
        return answer


async def test_a_certificate_of_a_trusted_authority_is_accepted(authority: trustme.CA) -> None:
    async with serving(authority.issue_cert("127.0.0.1")) as upstream:
        assert await body(upstream) == b"fine"


async def test_authorities_that_changed_count_for_pools_that_are_made_from_then_on(
    authority: trustme.CA, tmp_path: Path
) -> None:
    """As after a reload: one that was taken out of the file is trusted no more."""
    async with serving(authority.issue_cert("127.0.0.1")) as upstream:
        assert await body(upstream) == b"fine"
        file = tmp_path / "ca.pem"
        before = file.stat().st_mtime_ns
        trustme.CA().cert_pem.write_to_path(file)
        os.utime(file, ns=(before, before + 1))
        with pytest.raises(UpstreamError, match="upstream_tls_error"):
            await body(upstream)


@pytest.mark.parametrize("fault", ["expired", "wrong name", "unknown authority"])
async def test_u03_a_certificate_that_is_not_valid_is_refused(authority: trustme.CA, fault: str) -> None:
    certificate = {
        "expired": lambda: authority.issue_cert("127.0.0.1", not_after=YESTERDAY),
        "wrong name": lambda: authority.issue_cert("example.com"),
        "unknown authority": lambda: trustme.CA().issue_cert("127.0.0.1"),
    }[fault]()
    async with serving(certificate) as upstream:
        with pytest.raises(UpstreamError, match="upstream_tls_error") as refused:
            await body(upstream)
        assert upstream.requests == []
    assert "127.0.0.1" not in str(refused.value)


async def test_u03_a_handshake_that_hangs_is_a_tls_error_at_the_connect_limit(upstream: Upstream) -> None:
    upstream.script(None, Stall())
    url = upstream.base_url.replace("http://", "https://")
    async with AiohttpPools().pool(connections=1) as pool:
        with pytest.raises(UpstreamError, match="upstream_tls_error"):
            await pool.send("GET", url, headers={}, timeouts=HttpTimeouts(connect_s=0.1))
    await upstream.closed()


async def test_u03_a_handshake_that_outlasts_the_whole_limit_is_the_upstreams_and_one_that_a_deadline_ends_is_not(
    upstream: Upstream,
) -> None:
    upstream.script(None, Stall())
    url = upstream.base_url.replace("http://", "https://")
    async with AiohttpPools().pool(connections=1) as pool:
        with pytest.raises(UpstreamError, match="upstream_tls_error") as failed:
            await pool.send("GET", url, headers={}, timeouts=HttpTimeouts(total_s=0.1))
        assert failed.value.attempted
        with pytest.raises(UpstreamError, match="upstream_timeout") as late:
            await pool.send("GET", url, headers={}, timeouts=LIMITS, deadline=time.monotonic() + 0.1)
        assert not late.value.attempted


async def test_u03_an_upstream_that_speaks_no_tls_is_a_tls_error() -> None:
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    async with AiohttpPools().pool(connections=1) as pool:
        with pytest.raises(UpstreamError, match="upstream_tls_error"):
            await pool.send("GET", url, headers={}, timeouts=LIMITS)
    server.close()


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    writer.close()


async def test_an_aborted_tls_stream_is_closed_without_a_good_bye(authority: trustme.CA) -> None:
    async with serving(authority.issue_cert("127.0.0.1")) as upstream:
        upstream.script(None, Stream([b"one", Stall()]))
        async with AiohttpPools().pool(connections=1) as pool:
            response = await pool.send("GET", upstream.base_url, headers={}, timeouts=LIMITS)
            assert await response.chunk() == b"one"
            await response.abort()
            await upstream.closed()


async def test_u09a_framing_that_breaks_over_tls_ends_the_answer_at_once(authority: trustme.CA) -> None:
    begun = head(200, [("Transfer-Encoding", "chunked")]) + b"3\r\none\r\n"
    read = asyncio.Event()
    async with serving(authority.issue_cert("127.0.0.1")) as upstream:
        upstream.script(None, Raw([begun, Hold(read), b"zz\r\n", Stall()]))
        async with AiohttpPools().pool(connections=1) as pool:
            response = await pool.send("GET", upstream.base_url, headers={})
            assert await response.chunk() == b"one"
            read.set()
            with pytest.raises(UpstreamError, match="upstream_stream_interrupted"):
                await in_time(response.read(100), AT_ONCE_S)
            await response.abort()
