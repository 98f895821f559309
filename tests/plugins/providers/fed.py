"""An upstream without sockets: a pool of connections that answers with the bytes it was fed, cut as it was told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

import msgspec

from sentinel_core.json_types import JsonValue
from sentinel_core.services import HttpTimeouts


class Pieces:
    """A response whose body arrives in these pieces."""

    status = 200

    def __init__(self, pieces: Iterable[bytes], content_type: str = "application/json") -> None:
        self.headers: Mapping[str, str] = {"Content-Type": content_type}
        self._pieces = iter([piece for piece in pieces if piece])

    async def chunk(self) -> bytes:
        return next(self._pieces, b"")

    async def read(self, limit: int) -> bytes:
        return b"".join(self._pieces)

    async def release(self) -> None:
        return None

    async def abort(self) -> None:
        return None


class Fed:
    """A pool whose every call is answered with the same pieces. `sent` is the last body that was sent."""

    def __init__(self, pieces: Iterable[bytes], content_type: str = "application/json") -> None:
        self.sent: JsonValue = None
        self._pieces = [*pieces]
        self._content_type = content_type

    @asynccontextmanager
    async def pool(self, *, connections: int) -> AsyncIterator[Fed]:
        yield self

    async def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        body: bytes | None = None,
        timeouts: HttpTimeouts = HttpTimeouts(),  # noqa: B008 - frozen
        deadline: float | None = None,
    ) -> Pieces:
        self.sent = msgspec.json.decode(body or b"null")
        return Pieces(self._pieces, self._content_type)
