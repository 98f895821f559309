"""What the routes and the commands for keys take and show. Times are seconds since the epoch."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from sentinel_core.limits import Limits
from sentinel_plugins.auth.admin.change import named
from sentinel_plugins.auth.names import Allowed, Scopes, TenantName
from sentinel_plugins.auth.tenants import NO_LIMITS
from sentinel_plugins.auth.virtual_keys import VirtualKey

Label = Annotated[
    str,
    Meta(
        max_length=256,
        pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\Z",
        description="one line of text, at most 256 characters",
    ),
]
"""One line, whichever terminal shows it."""
MAX_LIFETIME_S = 100 * 366 * 86_400
Lifetime = Annotated[float, Meta(gt=0, le=MAX_LIFETIME_S)]
LAST = 253_402_300_799.0
"""The end of the year 9999, the last that calendars here know."""
Time = Annotated[float, Meta(ge=0, le=LAST)]


class NewKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key to make. Without `tenant` it is the caller's own; without `expires_in_s` it does not expire."""

    tenant: TenantName | None = None
    name: Label = ""
    user: Label | None = None
    scopes: Scopes = ()
    models: Allowed = None
    routes: Allowed = None
    limits: Limits = NO_LIMITS
    expires_in_s: Lifetime | None = None

    def key(self, tenant: str, now: float, id_: str, digest: str, hint: str) -> VirtualKey:
        """The key, as it is kept."""
        return VirtualKey(
            id=id_,
            tenant=tenant,
            created_at=now,
            digest=digest,
            hint=hint,
            name=self.name,
            user=self.user or None,
            scopes=self.scopes,
            models=self.models,
            routes=self.routes,
            limits=self.limits,
            expires_at=now + self.expires_in_s if self.expires_in_s is not None else None,
        )


class KeyChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a key becomes otherwise; what is left out stays."""

    name: Label | UnsetType = UNSET
    scopes: Scopes | UnsetType = UNSET
    models: Allowed | UnsetType = UNSET
    routes: Allowed | UnsetType = UNSET
    limits: Limits | UnsetType = UNSET
    expires_at: Time | UnsetType | None = UNSET


class ShownKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key without what would let anybody use it. `hint` is how its text ends. `key` is the text itself, shown when it
    is made and never again."""

    id: str
    tenant: str
    name: str
    status: Literal["active", "expired", "revoked"]
    hint: str
    created_at: float
    user: str | None
    scopes: tuple[str, ...]
    models: tuple[str, ...] | None
    routes: tuple[str, ...] | None
    limits: Limits
    expires_at: float | None
    revoked_at: float | None
    rotated_at: float | None
    key: str | UnsetType = UNSET


class KeyPage(msgspec.Struct, frozen=True):
    """Keys, newest first. `cursor` goes on; null at the end."""

    data: list[ShownKey]
    cursor: str | None


def shown_key(key: VirtualKey, now: float, text: str | None = None) -> ShownKey:
    """A key as anybody may see it."""
    fields = msgspec.structs.asdict(key)
    del fields["digest"]
    return ShownKey(**fields, status=key.status(now), key=text or UNSET)


def changed_key(key: VirtualKey, change: KeyChange) -> VirtualKey:
    """The key with what the change names."""
    return msgspec.structs.replace(key, **named(change))
