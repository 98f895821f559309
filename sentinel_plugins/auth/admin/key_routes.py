"""`/admin/keys`: for administrators, and for those with the scope `keys` as far as their own tenant goes."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

from sentinel_core.endpoints import Endpoint, HttpReply, HttpRequest
from sentinel_core.keys import Principal
from sentinel_plugins.auth.admin import asked
from sentinel_plugins.auth.admin.authority import Giver, check_end, check_grant, reach
from sentinel_plugins.auth.admin.key_shapes import KeyChange, KeyPage, NewKey, ShownKey, changed_key, shown_key
from sentinel_plugins.auth.admin.resource import Resource
from sentinel_plugins.auth.names import KEYS
from sentinel_plugins.auth.virtual_keys import VirtualKey, VirtualKeys
from sentinel_plugins.recording.asked import limit


class KeyRoutes(Resource):
    """The handlers of one gateway. A key that is another tenant's is not there (Z05)."""

    noun: ClassVar[str] = "key"
    scope: ClassVar[str] = KEYS

    def all(self) -> tuple[Endpoint, ...]:
        """Every route."""
        declare = self.declare
        return (
            declare("GET", "", self._list, KeyPage, "Keys, newest first", query=("tenant", "limit", "cursor")),
            declare("POST", "", self._create, ShownKey, "Make a key; its text is shown this once", NewKey),
            declare("GET", "/{id}", self._get, ShownKey, "One key"),
            declare("PATCH", "/{id}", self._update, ShownKey, "Change what a key may", KeyChange),
            declare("DELETE", "/{id}", self._revoke, ShownKey, "Revoke a key for good"),
            declare("POST", "/{id}/rotate", self._rotate, ShownKey, "Give a key another text; the old one ends"),
        )

    async def _list(self, request: HttpRequest) -> HttpReply:
        bound = reach(asked.principal(request))
        wanted = request.query.get("tenant", bound)
        if bound not in (None, wanted):
            raise self.missing()
        keys, cursor = await self._keys.rows.page(wanted, limit(request), request.query.get("cursor"))
        return self.reply(KeyPage([shown_key(key, self.now) for key in keys], cursor))

    async def _get(self, request: HttpRequest) -> HttpReply:
        key = await self._keys.rows.get(request.path_params["id"], reach(asked.principal(request)))
        return self._shown(self.found(key))

    async def _create(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        new = asked.body(request, NewKey)
        name = new.tenant or principal.tenant
        make = partial(new.key, name, self.now)
        check_grant(await self._giver(principal), make("", "", ""))
        await self.auth.tenants.require(name)
        key, text = await self._keys.create(make)
        return self._shown(key, text, 201)

    async def _update(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        change = asked.body(request, KeyChange)
        giver = await self._giver(principal)

        def changed(key: VirtualKey) -> VirtualKey:
            check_grant(giver, key)
            after = changed_key(key, change)
            check_grant(giver, after)
            return after

        key = self.found(await self._keys.rows.change(request.path_params["id"], reach(principal), changed))
        await self.changed(key.tenant, key.id)
        return self._shown(key)

    async def _rotate(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        check = partial(check_grant, await self._giver(principal))
        key, text = self.found(await self._keys.rotate(request.path_params["id"], reach(principal), check))
        await self.changed(key.tenant, key.id)
        return self._shown(key, text)

    async def _revoke(self, request: HttpRequest) -> HttpReply:
        principal = asked.principal(request)
        check = partial(check_end, principal)
        key = self.found(await self._keys.revoke(request.path_params["id"], reach(principal), check))
        await self.changed(key.tenant, key.id)
        return self._shown(key)

    async def _giver(self, principal: Principal) -> Giver:
        """Whoever asks, with what binds their own key. A user has none."""
        if principal.kind != "key":
            return Giver(principal)
        fixed = self.auth.fixed_keys.get(principal.id)
        if fixed is not None:
            return Giver(principal, fixed.models, fixed.routes)
        own = self.found(await self._keys.rows.get(principal.id, principal.tenant))
        return Giver(principal, own.models, own.routes, own.expires_at)

    def _shown(self, key: VirtualKey, text: str | None = None, status: int = 200) -> HttpReply:
        return self.reply(shown_key(key, self.now, text), status)

    @property
    def _keys(self) -> VirtualKeys:
        return self.found(self.auth.keys)
