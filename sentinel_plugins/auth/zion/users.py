"""Who a bearer is, by what Zion says."""

from __future__ import annotations

import hashlib
import logging
import re
from base64 import urlsafe_b64decode

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.services import Clock
from sentinel_core.state import StateStore, state_key
from sentinel_plugins.auth.credential import invalid
from sentinel_plugins.auth.known import Known
from sentinel_plugins.auth.tenants import Tenants, principal_of
from sentinel_plugins.auth.zion.account import NOTHING, Account, Spent, bounds
from sentinel_plugins.auth.zion.api import ZionApi
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.auth.zion.due import Due
from sentinel_plugins.auth.zion.heard import Heard
from sentinel_plugins.auth.zion.wire import ZionLimit, ZionUser

log = logging.getLogger("sentinel.auth")

RETRY_S = 10.0
"""How long limits that are stale already are used until Zion is asked again."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*")
_DOWN = frozenset({"state_unavailable", "upstream_error", "upstream_invalid_response", "upstream_auth_error"})


class _Told(msgspec.Struct, frozen=True):
    """Limits as they lie in the state store; `at` is seconds since the epoch, `waiting` what Zion had not been told by
    then."""

    at: float
    limits: list[ZionLimit]
    waiting: Spent = NOTHING


class _Claims(msgspec.Struct, frozen=True):
    exp: float | None = None


class ZionUsers:
    """The users of one Zion. Tokens are remembered by their fingerprints only, limits in the state store."""

    def __init__(
        self,
        config: ZionConfig,
        api: ZionApi,
        tenants: Tenants,
        state: StateStore,
        clock: Clock,
        heard: Heard,
        due: Due,
    ) -> None:
        self._config = config
        self._api = api
        self._tenants = tenants
        self._state = state
        self._clock = clock
        self._heard = heard
        self._due = due

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
        limits = bounds(account, self._config.limits_ttl_s)
        principal = principal_of(tenant, user.external_id, user=user.external_id, limits={"user": limits})
        left_s = min(until, self._believed_until(account)) - self._clock.monotonic()
        return Known(principal, min(left_s, self._tenants.ttl_s(tenant)), account)

    def _believed_until(self, account: Account) -> float:
        """When it is time to ask for the limits again, on the monotonic clock."""
        return max(account.heard_at + self._config.limits_ttl_s, account.tried_at + RETRY_S)

    async def _account(self, user: ZionUser) -> Account:
        """The user's account: one for all of their tokens, with the limits that Zion told last."""
        accounts = self._heard.accounts
        found = accounts.get(user.external_id)
        if found is not None and self._clock.monotonic() < self._believed_until(found):
            return found
        told = await self._limits(user.external_id)
        now, age_s = self._clock.monotonic(), self._clock.time() - told.at
        heard_at = now - age_s if age_s >= 0 else float("-inf")
        found = accounts.get(user.external_id)
        if found is None:
            found = accounts[user.external_id] = Account(user, told.limits, told.at, heard_at, told.waiting)
        elif found.told_at != told.at:
            found.user = user
            found.tell(told.limits, told.at, heard_at, told.waiting)
        if found.heard_at + self._config.limits_ttl_s <= now:
            found.tried_at = now
        return found

    async def _user(self, text: str, fingerprint: bytes) -> tuple[ZionUser, float]:
        """Who has this token, and until when that may be believed, on the monotonic clock."""
        ends = _ends(text)
        if ends <= self._clock.time():
            raise invalid()
        now, users = self._clock.monotonic(), self._heard.users
        found = users.get(fingerprint)
        if found is None or found[1] + self._config.token_ttl_s <= now:
            users.pop(fingerprint, None)
            found = users[fingerprint] = (await self._api.user(text), now)
        user, validated_at = found
        left_s = ends - self._clock.time()
        return user, min(validated_at + self._config.token_ttl_s, self._clock.monotonic() + left_s)

    async def _limits(self, external_id: str) -> _Told:
        """What was told lately, what Zion says now, or, where it says nothing, what was told last."""
        name = hashlib.sha256(f"{self._config.url}\n{external_id}".encode()).hexdigest()
        key = state_key(self._config.tenant, "zion limits", name)
        last = await self._remembered(key)
        now = self._clock.time()
        if last is not None and self._is_fresh(last, external_id):
            return last
        await self._due.look()
        now, waiting = self._clock.time(), self._due.waiting(external_id)
        try:
            fresh = _Told(now, await self._api.limits(external_id), waiting)
        except Refusal as error:
            if last is not None and error.code in _DOWN and now - last.at < self._config.stale_limits_s:
                log.warning("Zion does not tell limits (%s): those of %d s ago are used", error.code, now - last.at)
                return last
            raise
        other = await self._remembered(key)
        if other is not None and self._is_fresh(other, external_id):
            return other  # what several workers asked at one time is counted since one of the answers
        await self._remember(key, fresh)
        return fresh

    def _is_fresh(self, told: _Told, external_id: str) -> bool:
        """Whether it was told lately: as this process has it from its own clock, which nobody sets, or else by the
        date, but never in the future of another machine's clock."""
        age_s, account = self._clock.time() - told.at, self._heard.accounts.get(external_id)
        if account is not None and account.told_at == told.at:
            age_s = self._clock.monotonic() - account.heard_at
        return 0 <= age_s < self._config.limits_ttl_s

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


def _ends(token: str) -> float:
    """When a token says that it ends: it is not believed, but Zion's word for it is worth nothing after that."""
    payload = token.split(".")[1]
    try:
        claims = msgspec.json.decode(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)), type=_Claims)
    except (ValueError, msgspec.MsgspecError, RecursionError):
        return float("inf")
    return claims.exp if claims.exp is not None else float("inf")
