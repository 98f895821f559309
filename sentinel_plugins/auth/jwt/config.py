"""The table `[stages.auth.jwt]`."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from sentinel_core.config import HttpUrl, Name, Seconds, Secret
from sentinel_core.limits import Limits
from sentinel_plugins.auth.names import TenantName

Asymmetric = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
Symmetric = Literal["HS256", "HS384", "HS512"]
Algorithm = Asymmetric | Symmetric

SECRET_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""What a secret must have at least: the size of the algorithm's hash (RFC 7518 section 3.2)."""


class JwtConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose tokens are believed, and what of them says who asks."""

    issuer: Name
    """What `iss` must say, exactly."""
    audience: Annotated[tuple[Name, ...], Meta(min_length=1)]
    """One of these must be in `aud`: the names of this gateway at the issuer."""
    jwks_url: HttpUrl | None = None
    """Where the issuer publishes its keys. The token's own `jku` and `x5u` are never followed."""
    secret: Secret | None = None
    """Instead, a secret shared with the issuer, for HS256 and its like. It is as long as the algorithm's hash at least:
    32 bytes for HS256, 48 for HS384, 64 for HS512."""
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("RS256", "ES256")
    """The only algorithms that are accepted."""
    user_claim: Name = "sub"
    """The claim that names the user."""
    tenant: TenantName = "default"
    """The tenant of all these users, where `tenant_claim` does not say it."""
    tenant_claim: Name | None = None
    """The claim that names the tenant, which must be known. A token without it is refused."""
    scopes_claim: Name | None = None
    """The claim that holds scopes, as words or as a list. Without it no token has a scope: one with `admin`
    administers the gateway."""
    limits: Limits = Limits()
    """What each user may use."""
    leeway_s: Annotated[float, Meta(ge=0, le=300)] = 30.0
    """How far the clocks of issuer and gateway may be apart."""
    jwks_ttl_s: Seconds = 3600.0
    """How long published keys are believed. An unknown key's id makes them be fetched at once."""

    def __post_init__(self) -> None:
        problems = []
        if (self.jwks_url is None) is (self.secret is None):
            problems.append("jwt: give one of jwks_url and secret")
        shared = [name for name in self.algorithms if name in SECRET_BYTES]
        if set(shared) != (set(self.algorithms) if self.secret is not None else set()):
            problems.append("jwt: algorithms HS256, HS384 and HS512 go with secret, all others with jwks_url")
        elif self.secret is not None:
            size, name = max((SECRET_BYTES[name], name) for name in shared)
            if len(self.secret.reveal().encode()) < size:
                problems.append(f"jwt: secret must have at least {size} bytes for {name}: ask the issuer for one")
        if problems:
            raise ValueError(*problems)
