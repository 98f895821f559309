"""aiohttp's exceptions as this gateway's errors. No message here holds an address; the cause is chained for the log."""

from __future__ import annotations

import ssl

import aiohttp
from aiohttp.http import HttpProcessingError

from sentinel_core.errors import UpstreamError

CALL_ERRORS = (aiohttp.ClientError, OSError, UnicodeError)
"""What sending a request raises: aiohttp's own errors, the socket's, and that of a host name that cannot be one."""

BODY_ERRORS = (aiohttp.ClientError, OSError, HttpProcessingError)
"""What reading a body raises; the last one comes from aiohttp's parser in Python."""


def call_error(error: Exception) -> UpstreamError:
    """What went wrong before the head of the response was there."""
    if isinstance(error, aiohttp.ClientSSLError | ssl.SSLError | ssl.CertificateError):
        return UpstreamError("upstream_tls_error")
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.InvalidURL | UnicodeError):
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
