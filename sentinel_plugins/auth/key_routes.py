"""`/admin/keys`: for administrators, and for those with the scope `keys` as far as their own tenant goes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeAlias

import msgspec

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_plugins.auth import asked
from sentinel_plugins.auth.authority import check_grant, reach
from sentinel_plugins.auth.names import KEYS
from sentinel_plugins.auth.revocation import auth_of, tell
from sentinel_plugins.auth.shapes import KeyChange, KeyPage, NewKey, ShownKey, changed_key, shown_key
from sentinel_plugins.auth.virtual_keys import VirtualKey, VirtualKeys
from sentinel_plugins.recording.asked import limit

Handler: TypeAlias = Callable[[HttpRequest], Awaitable[HttpReply]]

PATH = "/admin/keys"
NO_STORE = {"cache-control": "no-store"}


class KeyRoutes:
    """The handlers of one gateway. A key that is another tenant's is not there (Z05)."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        one = f"{PATH}/{{id}}"
        return (
            _declare("GET", PATH, self._list, KeyPage, "Keys, newest first"),
            _declare("POST", PATH, self._create, ShownKey, "Make a key; its text is shown this once", NewKey),
            _declare("GET", one, self._get, ShownKey, "One key"),
            _declare("PATCH", one, self._update, ShownKey, "Change what a key may", KeyChange),
            _declare("DELETE", one, self._revoke, ShownKey, "Revoke a key for good"),
            _declare("POST", f"{one}/rotate", self._rotate, ShownKey, "Give a key another text; the old one ends"),
        )

    async def _list(self, request: HttpRequest) -> HttpReply:
        bound = reach(asked.principal(request))
        wanted = request.query.get("tenant", bound)
        if bound is not None and wanted != bound:
            raise _missing()
        keys, cursor = await self._keys.rows.page(wanted, limit(request), request.query.get("cursor"))
        return HttpReply(KeyPage([shown_key(key, self._now) for key in keys], cursor), headers=NO_STORE)

    async def _get(self, request: HttpRequest) -> HttpReply:
        key = await self._keys.rows.get(request.path_params["id"], reach(asked.principal(request)))
        return self._shown(key)

    async def _create(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        new = asked.body(request, NewKey)
        name = new.tenant or principal.tenant
        make = partial(new.key, name, self._now)
        check_grant(principal, make("", "", ""))
        await auth_of(self._gateway).tenants.require(name)
        key, text = await self._keys.create(make)
        return HttpReply(shown_key(key, self._now, text), status=201, headers=NO_STORE)

    async def _update(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        change = asked.body(request, KeyChange)

        def changed(key: VirtualKey) -> VirtualKey:
            check_grant(principal, key)
            after = changed_key(key, change)
            check_grant(principal, after)
            return after

        key = await self._keys.rows.change(request.path_params["id"], reach(principal), changed)
        return await self._told(key)

    async def _rotate(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        check = partial(check_grant, principal)
        rotated = await self._keys.rotate(request.path_params["id"], reach(principal), check)
        if rotated is None:
            raise _missing()
        key, text = rotated
        await self._told(key)
        return HttpReply(shown_key(key, self._now, text), headers=NO_STORE)

    async def _revoke(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        check = partial(check_grant, principal)
        return await self._told(await self._keys.revoke(request.path_params["id"], reach(principal), check))

    async def _told(self, key: VirtualKey | None) -> HttpReply:
        """Forget the key here at once, and tell the others."""
        if key is not None:
            auth_of(self._gateway).callers.cache.forget(key.tenant, key.id)
            await tell(self._gateway.state, key.tenant, key.id)
        return self._shown(key)

    def _shown(self, key: VirtualKey | None) -> HttpReply:
        if key is None:
            raise _missing()
        return HttpReply(shown_key(key, self._now), headers=NO_STORE)

    @property
    def _keys(self) -> VirtualKeys:
        keys = auth_of(self._gateway).keys
        if keys is None:
            raise _missing()
        return keys

    @property
    def _now(self) -> float:
        return self._gateway.services.clock.time()


def _missing() -> Refusal:
    return Refusal("not_found", "There is no such key.")


def _declare(
    method: str,
    path: str,
    handler: Handler,
    response: type[msgspec.Struct],
    summary: str,
    request: type[msgspec.Struct] | None = None,
) -> Endpoint:
    return Endpoint(method, path, handler, "admin", request, response, summary, ("keys",), KEYS)
