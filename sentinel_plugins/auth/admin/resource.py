"""What the routes of one kind of row have in common."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar, TypeAlias, TypeVar

import msgspec

from sentinel_core.endpoints import ADMIN, NO_STORE, Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.auth.revocation import auth_of, tell
from sentinel_plugins.auth.stage import Auth

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpReply]]
T = TypeVar("T")


class Resource:
    """The handlers of one gateway for one kind of row."""

    noun: ClassVar[str]
    """`key`: what is missing where there is none."""
    scope: ClassVar[str] = ADMIN
    """Who may come here besides administrators."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def path(self) -> str:
        """Where its rows are."""
        return f"/admin/{self.noun}s"

    def declare(
        self,
        method: str,
        tail: str,
        handler: Handler,
        response: type[msgspec.Struct],
        summary: str,
        request: type[msgspec.Struct] | None = None,
        query: tuple[str, ...] = (),
    ) -> Endpoint:
        """One route, at `tail` below the rows."""
        path = self.path + tail
        tags = (f"{self.noun}s",)
        return Endpoint(method, path, handler, "admin", request, response, summary, tags, self.scope, query)

    def found(self, row: T | None) -> T:
        """The row. Raises `Refusal` (not_found)."""
        if row is None:
            raise self.missing()
        return row

    def missing(self) -> Refusal:
        """What is another tenant's is not there either (Z05)."""
        return Refusal("not_found", f"There is no such {self.noun}.")

    def reply(self, body: msgspec.Struct, status: int = 200) -> HttpReply:
        """An answer that no cache keeps."""
        return HttpReply(body, status=status, headers=NO_STORE)

    async def changed(self, tenant: str, id_: str | None = None) -> None:
        """Forget here at once who this was, and tell the others."""
        self.auth.callers.cache.forget(tenant, id_)
        await tell(self._gateway.state, tenant, id_)

    @property
    def auth(self) -> Auth:
        """The stage of the present generation."""
        return auth_of(self._gateway)

    @property
    def now(self) -> float:
        """Seconds since the epoch."""
        return self._gateway.services.clock.time()
