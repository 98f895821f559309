"""The table `[stages.auth]`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta

from sentinel_core.config import Seconds, Secret
from sentinel_core.endpoints import ADMIN
from sentinel_core.json_types import TomlTable
from sentinel_core.limits import Limits
from sentinel_core.stage import StageConfig
from sentinel_plugins.auth.jwt.config import JwtConfig
from sentinel_plugins.auth.names import ANONYMOUS, DEFAULT_TENANT, Allowed, Scopes, TenantName
from sentinel_plugins.auth.zion.config import ZionConfig

Count = Annotated[int, Meta(ge=1)]

BOOTSTRAP = "bootstrap"
ADMINISTRATOR = "admin"
MIN_SECRET_CHARS = 16


class StaticKey(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A key that the configuration knows; the table's name is its id."""

    secret: Secret
    """The key itself, at least 16 characters: `openssl rand -hex 24` makes one."""
    tenant: TenantName = "default"
    """Whose it is."""
    user: str | None = None
    """On whose behalf it asks, where that is one person."""
    scopes: Scopes = ()
    """What it may beyond asking: `admin` administers the gateway, `keys` the keys of its tenant."""
    models: Allowed = None
    """Models that it may use, by their names at the providers: `gpt-4o*`. By default all of its tenant's."""
    routes: Allowed = None
    """Paths that it may call: `/v1/chat/*`. By default all of its tenant's."""
    limits: Limits = Limits()
    """What it may use."""


class TenantTable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant that the configuration knows. It binds all of the tenant's keys and users."""

    models: Allowed = None
    """Models that it may use. By default all."""
    routes: Allowed = None
    """Paths that it may call. By default all."""
    limits: Limits = Limits()
    """What all of its keys and users may use together."""
    preferences: TomlTable = {}
    """Settings of its own, for stages that know them."""


class AuthConfig(StageConfig, frozen=True, kw_only=True):
    """Who may ask. Without any key, pepper, `jwt` or `zion` every caller is anonymous, which a public address refuses
    to serve."""

    api_key: Secret | None = None
    """A first key, of the tenant `default`, without scopes."""
    admin_key: Secret | None = None
    """A key with the scope `admin`. Clients may send it as `X-Admin-Key`."""
    pepper: Secret | None = None
    """Turns on keys that are made at run time and kept in the record store, hashed with this. At least 16 characters;
    with another pepper none of them is valid any more."""
    keys: Mapping[TenantName, StaticKey] = {}
    """Keys of this file, by their ids."""
    tenants: Mapping[TenantName, TenantTable] = {}
    """Tenants of this file, by their names. Others may be made at run time."""
    jwt: JwtConfig | None = None
    """Tokens of an identity provider, verified here."""
    zion: ZionConfig | None = None
    """Tokens and limits of a Zion governance system."""
    cache_ttl_s: Seconds = 1.0
    """How long a key from the record store is believed without another look: at most so long after it was revoked is
    it still served, wherever it was revoked. Raise it where the store is far away."""
    max_failures_per_minute: Count = 100
    """Wrong credentials of one address, after which no further one is looked up for a minute, in each worker. Keys that
    were valid there when they were used last go on working."""

    def __post_init__(self) -> None:
        if problems := [*self._secret_problems(), *self._owner_problems(), *self._name_problems()]:
            raise ValueError(*problems)

    @property
    def authenticates(self) -> bool:
        """Whether callers must say who they are."""
        return any((self.api_key, self.pepper, self.keys, self.jwt, self.zion))

    @property
    def fixed_keys(self) -> Mapping[str, StaticKey]:
        """Every key that this table knows, by its id: the first one and the administrator's among them."""
        first = {BOOTSTRAP: StaticKey(secret=self.api_key)} if self.api_key is not None else {}
        chief = {ADMINISTRATOR: StaticKey(secret=self.admin_key, scopes=(ADMIN,))} if self.admin_key is not None else {}
        return {**self.keys, **first, **chief}

    @property
    def owners(self) -> frozenset[str]:
        """The tenants of the keys that this table knows, but for the administrator's."""
        first = {DEFAULT_TENANT} if self.api_key is not None else set()
        return frozenset(first | {key.tenant for key in self.keys.values()})

    @property
    def states_limits(self) -> bool:
        """Whether it says how much somebody may use."""
        stated = [*self.keys.values(), *self.tenants.values(), *((self.jwt,) if self.jwt is not None else ())]
        return any(one.limits != Limits() for one in stated)

    def _secret_problems(self) -> Iterator[str]:
        named = {"api_key": self.api_key, "admin_key": self.admin_key, "pepper": self.pepper}
        named |= {f"keys.{name}.secret": key.secret for name, key in self.keys.items()}
        secrets = {name: secret.reveal() for name, secret in named.items() if secret is not None}
        for name, text in secrets.items():
            if len(text) < MIN_SECRET_CHARS or not (text.isascii() and text.isprintable()) or " " in text:
                yield f"{name}: must be at least {MIN_SECRET_CHARS} printable ASCII characters, no spaces"
        named_by: dict[str, str] = {}
        for name, text in secrets.items():
            if (other := named_by.setdefault(text, name)) != name:
                yield f"{other} and {name} are the same"

    def _owner_problems(self) -> Iterator[str]:
        declared = {DEFAULT_TENANT, *self.tenants}
        owners = {f"keys.{name}.tenant": key.tenant for name, key in self.keys.items()}
        if self.pepper is None:  # else tenants may be in the record store
            owners |= {"jwt.tenant": self.jwt.tenant} if self.jwt is not None else {}
            owners |= {"zion.tenant": self.zion.tenant} if self.zion is not None else {}
        for place, tenant in owners.items():
            if tenant not in declared:
                yield f"{place}: there is no table [stages.auth.tenants.{tenant}]"

    def _name_problems(self) -> Iterator[str]:
        if ANONYMOUS in self.tenants:
            yield f"tenants.{ANONYMOUS}: callers that nobody knows have this name; choose another one"
        for name in (BOOTSTRAP, ADMINISTRATOR):
            if name in self.keys:
                yield f"keys.{name}: this id is taken; choose another one"
