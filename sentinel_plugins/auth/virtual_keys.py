"""Keys that are made at run time: shown once, kept as digests, rotated, revoked, expiring."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Callable
from typing import Literal

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.limits import Limits
from sentinel_core.records import RecordStore
from sentinel_core.services import Clock
from sentinel_plugins.auth.credential import invalid
from sentinel_plugins.auth.digest import Digests
from sentinel_plugins.auth.known import Known
from sentinel_plugins.auth.names import Allowed, Scopes, TenantName
from sentinel_plugins.auth.rows import Rows
from sentinel_plugins.auth.tenants import NO_LIMITS, Tenants, principal_of

_TEXT = re.compile(r"sk-sentinel-([0-9a-f]{16})-[A-Za-z0-9_-]{43}")
_NO_DIGEST = bytes(32)
HINT_CHARS = 4


class VirtualKey(msgspec.Struct, frozen=True, kw_only=True):
    """One key as it is kept. Times are seconds since the epoch; `hint` is how its text ends."""

    id: str
    tenant: TenantName
    created_at: float
    digest: str
    hint: str
    name: str = ""
    user: str | None = None
    scopes: Scopes = ()
    models: Allowed = None
    routes: Allowed = None
    limits: Limits = NO_LIMITS
    expires_at: float | None = None
    revoked_at: float | None = None
    rotated_at: float | None = None

    def status(self, now: float) -> Literal["active", "expired", "revoked"]:
        """What it is worth at this time."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and now >= self.expires_at else "active"


class VirtualKeys:
    """The keys of the record store, and who presents one of them."""

    def __init__(
        self, records: RecordStore, digests: Digests, tenants: Tenants, clock: Clock, ttl_s: float = 1.0
    ) -> None:
        self.rows = Rows(records, "auth_keys", VirtualKey)
        self._digests = digests
        self._tenants = tenants
        self._clock = clock
        self._ttl_s = ttl_s

    def takes(self, text: str) -> bool:
        """Whether the text looks like one of these keys."""
        return _TEXT.fullmatch(text) is not None

    async def known(self, text: str, fingerprint: bytes) -> Known:
        """Whose key this is. Raises `Refusal`: invalid_api_key, state_unavailable.

        Unknown, wrong, expired and revoked keys take the same way: one look-up, one comparison in constant time.
        """
        found = _TEXT.fullmatch(text)
        key = await self.rows.get(f"key_{found[1]}", None) if found is not None else None
        kept = bytes.fromhex(key.digest) if key is not None else _NO_DIGEST
        same = hmac.compare_digest(kept, self._digests.of(text))
        now = self._clock.time()
        if key is None or not same or key.status(now) != "active":
            raise invalid()
        tenant = await self._tenants.find(key.tenant)
        if tenant is None or tenant.disabled_at is not None:
            raise invalid()
        principal = principal_of(
            tenant,
            key.id,
            user=key.user,
            scopes=key.scopes,
            models=key.models,
            routes=key.routes,
            limits={"key": key.limits},
        )
        left_s = self._ttl_s if key.expires_at is None else min(self._ttl_s, key.expires_at - now)
        return Known(principal, left_s)

    async def create(self, made: Callable[[str, str, str], VirtualKey]) -> tuple[VirtualKey, str]:
        """A new key and its text, which nobody can show again. `made` gets its id, its digest and its hint."""
        while True:
            number = secrets.token_hex(8)
            text, digest, hint = self._minted(number)
            key = made(f"key_{number}", digest, hint)
            if await self.rows.add(key):
                return key, text

    async def rotate(
        self, id_: str, tenant: str | None, check: Callable[[VirtualKey], None] = lambda _: None
    ) -> tuple[VirtualKey, str] | None:
        """Another text for the same key; the old one is worth nothing from now on. None where there is no such key.

        Raises what `check` raises, and `Refusal` (invalid_parameter) for a key that was revoked.
        """
        text, digest, hint = self._minted(id_.removeprefix("key_"))

        def rotated(key: VirtualKey) -> VirtualKey:
            check(key)
            if key.revoked_at is not None:
                raise Refusal("invalid_parameter", "This key was revoked.", param="id")
            return msgspec.structs.replace(key, digest=digest, hint=hint, rotated_at=self._clock.time())

        key = await self.rows.change(id_, tenant, rotated)
        return (key, text) if key is not None else None

    async def revoke(
        self, id_: str, tenant: str | None, check: Callable[[VirtualKey], None] = lambda _: None
    ) -> VirtualKey | None:
        """End a key for good; again, nothing. None where there is no such key."""

        def revoked(key: VirtualKey) -> VirtualKey:
            check(key)
            at = self._clock.time() if key.revoked_at is None else key.revoked_at
            return msgspec.structs.replace(key, revoked_at=at)

        return await self.rows.change(id_, tenant, revoked)

    def _minted(self, number: str) -> tuple[str, str, str]:
        text = f"sk-sentinel-{number}-{secrets.token_urlsafe(32)}"
        return text, self._digests.of(text).hex(), text[-HINT_CHARS:]
