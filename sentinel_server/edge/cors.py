"""Cross-origin requests from browsers, allowed by configuration only (the Fetch standard, section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.types import Receive, Scope, Send

_ASKED_HEADERS = re.compile(rb"[A-Za-z0-9_, -]{0,1024}")
_EXPOSED = (
    b"x-request-id, request-id, x-response-time, server-timing, retry-after, retry-after-ms, x-should-retry, "
    b"x-sentinel-cache, x-sentinel-provider, x-sentinel-dropped-params, x-sentinel-clamped-params, "
    b"x-sentinel-cost-usd, x-sentinel-degraded, "
    b"x-ratelimit-limit, x-ratelimit-remaining, x-ratelimit-reset, "
    b"x-ratelimit-limit-requests, x-ratelimit-remaining-requests, x-ratelimit-reset-requests, "
    b"x-ratelimit-limit-tokens, x-ratelimit-remaining-tokens, x-ratelimit-reset-tokens"
)

RawHeaders = tuple[tuple[bytes, bytes], ...]


class Preflight:
    """The answer to a question that a browser asks before the request itself, as an ASGI application."""

    def __init__(self, allowed: RawHeaders) -> None:
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say what is allowed."""
        await send({"type": "http.response.start", "status": 204, "headers": list(self._allowed)})
        await send({"type": "http.response.body", "body": b""})


class Cors:
    """The answers to one list of origins: exact ones, or `*` for all. Credentials are never allowed: callers send keys
    in headers, not cookies."""

    def __init__(self, origins: tuple[str, ...]) -> None:
        self._any = "*" in origins
        self._origins = frozenset(origin.encode("latin-1", "replace") for origin in origins)

    def allows(self, origin: bytes) -> bool:
        """Whether pages of this origin may read answers."""
        return self._any or origin in self._origins

    def headers(self, origin: bytes) -> RawHeaders:
        """What every answer to this origin carries; nothing for an origin that is not allowed."""
        if not self.allows(origin):
            return ()
        return (
            (b"access-control-allow-origin", b"*" if self._any else origin),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"origin"),
        )

    def preflight(self, headers: Mapping[bytes, bytes]) -> RawHeaders | None:
        """The headers of the answer to a preflight; None where the request is none, or its origin is not allowed."""
        origin = headers.get(b"origin")
        if origin is None or b"access-control-request-method" not in headers or not self.allows(origin):
            return None
        asked = headers.get(b"access-control-request-headers", b"")
        return (
            (b"access-control-allow-methods", b"GET, POST, PUT, PATCH, DELETE"),
            (b"access-control-allow-headers", asked if _ASKED_HEADERS.fullmatch(asked) else b""),
            (b"access-control-max-age", b"600"),
        )


def same_origin(headers: Mapping[bytes, bytes]) -> bool:
    """True without an Origin header (no browser), or where it names the host that was asked."""
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2].lower() == headers.get(b"host", b"").lower()
