"""Small answers of services that are asked beside the providers."""

from __future__ import annotations

from sentinel_core.services import HttpResponse


async def whole(response: HttpResponse, limit: int) -> bytes:
    """The body, of at most `limit` bytes, with the connection given back; closed where it cannot be read to its end.
    Raises `UpstreamError`."""
    try:
        body = await response.read(limit)
    except BaseException:  # whoever is cancelled here leaves no connection behind
        await response.abort()
        raise
    await response.release()
    return body
