"""Who a token says it is from, once its signature and its claims were checked (RFC 7519, RFC 8725)."""

from __future__ import annotations

import re
from sys import float_info
from typing import Final, TypeGuard

import jwt

from sentinel_core.json_types import JsonObject
from sentinel_core.services import Clock
from sentinel_plugins.auth.credential import invalid
from sentinel_plugins.auth.jwt.config import JwtConfig
from sentinel_plugins.auth.jwt.key_set import Key, Keys
from sentinel_plugins.auth.known import Known
from sentinel_plugins.auth.tenants import Tenants, principal_of

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
MAX_TTL_S = 60.0
"""How long a verified token is believed without another look; it never outlives its own end."""


class JwtUsers:
    """The users of one issuer. `keys` is None where a shared secret verifies."""

    def __init__(self, config: JwtConfig, keys: Keys | None, tenants: Tenants, clock: Clock) -> None:
        self._config = config
        self._keys = keys
        self._tenants = tenants
        self._clock = clock

    def takes(self, text: str) -> bool:
        """Whether the text is a token that says it comes from this issuer. That is not believed yet."""
        return text.count(".") == 2 and _unverified(text).get("iss") == self._config.issuer

    async def known(self, text: str, fingerprint: bytes) -> Known:
        """The user. Raises `Refusal`: invalid_api_key, state_unavailable."""
        claims = self._verified(text, await self._key(text))
        user = claims.get(self._config.user_claim)
        claim = self._config.tenant_claim
        name = self._config.tenant if claim is None else claims.get(claim)
        if not (_is_text(user) and _is_text(name)):
            raise invalid()
        tenant = await self._tenants.find(name)
        if tenant is None or tenant.disabled_at is not None:
            raise invalid()
        limits = self._config.limits
        principal = principal_of(tenant, user, user=user, scopes=self._scopes(claims), limits={"user": limits})
        left_s = claims["exp"] + self._config.leeway_s - self._clock.time()
        return Known(principal, min(MAX_TTL_S, left_s, self._tenants.ttl_s(tenant)))

    async def _key(self, text: str) -> Key | str:
        if self._keys is None:
            assert self._config.secret is not None  # the configuration says one of the two
            return self._config.secret.reveal()
        try:
            kid = jwt.get_unverified_header(text).get("kid")
        except jwt.PyJWTError:
            raise invalid() from None
        key = await self._keys.find(kid if isinstance(kid, str) else None)
        if key is None:
            raise invalid()
        return key

    def _verified(self, text: str, key: Key | str) -> JsonObject:
        """The claims. The algorithm is one of ours, and one that fits the key, whatever the token's header says.

        Times are checked on the gateway's clock.
        """
        options: jwt.types.Options = {
            "require": ["exp", "iss", "aud"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        }
        try:
            claims: JsonObject = jwt.decode(
                text,
                key,
                algorithms=list(self._config.algorithms),
                audience=list(self._config.audience),
                issuer=self._config.issuer,
                options=options,
            )
        except (jwt.PyJWTError, ValueError, TypeError):
            raise invalid() from None
        self._check_times(claims)
        return claims

    def _check_times(self, claims: JsonObject) -> None:
        now, leeway_s = self._clock.time(), self._config.leeway_s
        ends, begins = claims["exp"], claims.get("nbf", 0)
        if not (_is_time(ends) and _is_time(begins)) or now >= ends + leeway_s or now < begins - leeway_s:
            raise invalid()

    def _scopes(self, claims: JsonObject) -> tuple[str, ...]:
        found = claims.get(self._config.scopes_claim) if self._config.scopes_claim is not None else None
        if isinstance(found, str):
            return tuple(found.split())
        return tuple(scope for scope in found if isinstance(scope, str)) if isinstance(found, list) else ()


def _is_text(value: object) -> TypeGuard[str]:
    """Whether it is a string that can be written: JSON can name half of a surrogate pair."""
    return isinstance(value, str) and bool(value) and not _SURROGATE.search(value)


def _is_time(value: object) -> bool:
    """Whether one can count with it: JSON has integers beyond any float, and its readers know an infinity."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= float_info.max


def _unverified(text: str) -> JsonObject:
    try:
        claims: JsonObject = jwt.decode(text, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, TypeError):
        return {}
    return claims
