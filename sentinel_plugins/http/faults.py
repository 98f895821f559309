"""aiohttp's exceptions as this gateway's errors. No message here holds an address; the cause is chained for the log."""

from __future__ import annotations

import ssl

import aiohttp

from sentinel_core.errors import UpstreamError

CALL_ERRORS = (aiohttp.ClientError, OSError)
"""What sending a request raises: aiohttp's own errors and the socket's."""


def call_error(error: Exception) -> UpstreamError:
    """What went wrong before the head of the response was there."""
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError):
        return UpstreamError("upstream_tls_error")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL):
        return UpstreamError("upstream_unreachable")
    if isinstance(error, aiohttp.ServerDisconnectedError | OSError):
        return UpstreamError("upstream_connection_reset")
    return UpstreamError("upstream_invalid_response")


def is_stale(error: Exception) -> bool:
    """The connection ended without one byte of a response: on a reused one, the usual end of keep-alive."""
    if isinstance(error, aiohttp.ServerDisconnectedError):
        return isinstance(error.message, str)  # else it holds the part of a head that did arrive
    return isinstance(error, ConnectionResetError | BrokenPipeError) or (
        isinstance(error, aiohttp.ClientOSError) and not isinstance(error, aiohttp.ClientConnectorError)
    )
