"""Who a bearer is, by what Zion says."""

from __future__ import annotations

import hashlib
import logging
import re
from base64 import urlsafe_b64decode
from collections import OrderedDict
from typing import TypeVar

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.services import Clock
from sentinel_core.state import StateStore, state_key
from sentinel_plugins.auth.credential import invalid
from sentinel_plugins.auth.known import MAX_KNOWN, Known
from sentinel_plugins.auth.tenants import Tenants, principal_of
from sentinel_plugins.auth.zion.account import Account, bounds
from sentinel_plugins.auth.zion.api import ZionApi
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.auth.zion.wire import ZionLimit, ZionUser

K = TypeVar("K")
V = TypeVar("V")

log = logging.getLogger("sentinel.auth")

RETRY_S = 10.0
"""How long limits that are stale already are used until Zion is asked again."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_DOWN = frozenset({"state_unavailable", "upstream_error", "upstream_invalid_response", "upstream_auth_error"})


class _Told(msgspec.Struct, frozen=True):
    """Limits as they lie in the state store; `at` is seconds since the epoch."""

    at: float
    limits: list[ZionLimit]


class _Claims(msgspec.Struct, frozen=True):
    exp: float | None = None


class ZionUsers:
    """The users of one Zion. Tokens are remembered by their fingerprints only, limits in the state store."""

    def __init__(self, config: ZionConfig, api: ZionApi, tenants: Tenants, state: StateStore, clock: Clock) -> None:
        self._config = config
        self._api = api
        self._tenants = tenants
        self._state = state
        self._clock = clock
        self._users: OrderedDict[bytes, tuple[ZionUser, float]] = OrderedDict()
        self._accounts: OrderedDict[str, Account] = OrderedDict()

    def takes(self, text: str) -> bool:
        """Whether the text has the shape of a JWT: nothing else is shown to Zion."""
        return _TOKEN.fullmatch(text) is not None

    async def known(self, text: str, fingerprint: bytes) -> Known:
        """The user and what they may use. Raises `Refusal`."""
        user, until = await self._user(text, fingerprint)
        account = await self._account(user)
        tenant = await self._tenants.find(self._config.tenant)
        if tenant is None or tenant.disabled_at is not None:
            raise invalid()
        now = self._clock.time()
        limits = bounds(account, self._config.limits_ttl_s)
        principal = principal_of(tenant, user.external_id, user=user.external_id, limits={"user": limits})
        return Known(principal, min(until - now, account.until - now, self._tenants.ttl_s(tenant)), account)

    async def _account(self, user: ZionUser) -> Account:
        """The user's account: one for all of their tokens, with the limits that Zion told last."""
        found, now = self._accounts.get(user.external_id), self._clock.time()
        if found is not None and now < found.until:
            return found
        told = await self._limits(user.external_id)
        found = self._accounts.get(user.external_id)
        if found is None:
            found = self._accounts[user.external_id] = Account(user, told.limits, told.at)
            _trim(self._accounts)
        elif found.told_at != told.at:
            found.user = user
            found.tell(told.limits, told.at)
        left_s = told.at + self._config.limits_ttl_s - now
        found.until = now + (left_s if left_s > 0 else RETRY_S)
        return found

    async def _user(self, text: str, fingerprint: bytes) -> tuple[ZionUser, float]:
        """Who has this token, and until when that may be believed."""
        now = self._clock.time()
        ends = _ends(text)
        if ends <= now:
            raise invalid()
        found = self._users.get(fingerprint)
        if found is None or found[1] <= now:
            self._users.pop(fingerprint, None)
            user = await self._api.user(text)
            found = self._users[fingerprint] = (user, min(now + self._config.token_ttl_s, ends))
            _trim(self._users)
        return found

    async def _limits(self, external_id: str) -> _Told:
        """What was told lately, what Zion says now, or, where it says nothing, what was told last."""
        name = hashlib.sha256(external_id.encode()).hexdigest()
        key = state_key(self._config.tenant, "zion limits", name)
        last = await self._remembered(key)
        now = self._clock.time()
        if last is not None and 0 <= now - last.at < self._config.limits_ttl_s:
            return last
        try:
            fresh = _Told(now, await self._api.limits(external_id))
        except Refusal as error:
            if last is not None and error.code in _DOWN and now - last.at < self._config.stale_limits_s:
                log.warning("Zion does not tell limits (%s): those of %d s ago are used", error.code, now - last.at)
                return last
            raise
        await self._remember(key, fresh)
        return fresh

    async def _remembered(self, key: str) -> _Told | None:
        """What the state store has. Where that does not answer, Zion is asked."""
        try:
            told = await self._state.get(key)
            return msgspec.json.decode(told, type=_Told) if told is not None else None
        except (Refusal, msgspec.MsgspecError, UnicodeDecodeError) as error:
            log.warning("limits of Zion cannot be read from the state store: %s", type(error).__name__)
            return None

    async def _remember(self, key: str, told: _Told) -> None:
        try:
            await self._state.set(key, msgspec.json.encode(told), ttl_s=self._config.stale_limits_s)
        except Refusal as error:
            log.warning("limits of Zion cannot be kept in the state store: %s", error.code)


def _trim(table: OrderedDict[K, V]) -> None:
    """The oldest entry makes room."""
    if len(table) > MAX_KNOWN:
        table.popitem(last=False)


def _ends(token: str) -> float:
    """When a token says that it ends: it is not believed, but Zion's word for it is worth nothing after that."""
    payload = token.split(".")[1]
    try:
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return float("inf")
    return claims.exp if claims.exp is not None else float("inf")
