"""The keys that an issuer publishes (RFC 7517), fetched, kept, and fetched again when it changes them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

import jwt
import msgspec

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.services import Clock, HttpClient, HttpTimeouts
from sentinel_core.upstream.whole import whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

log = logging.getLogger("sentinel.auth")

Key: TypeAlias = "jwt.PyJWK | RSAPublicKey"
"""A key with its algorithm, or one of RSA that verifies each of its kind: `alg` is optional (RFC 7517, section 4.4)."""
COOLDOWN_S = 10.0
"""Between two fetches that unknown ids asked for: whoever invents ids cannot make this gateway flood the issuer."""
MAX_BYTES = 1024 * 1024
_TIMEOUTS = HttpTimeouts(connect_s=2, first_byte_s=3, idle_s=3, total_s=5)


class Keys(Protocol):
    """Keys by their ids."""

    async def find(self, kid: str | None) -> Key | None:
        """The key, None where there surely is none. Raises `Refusal` (state_unavailable) where that is unknown."""
        ...


@dataclass(slots=True)
class KeySet:
    """What an issuer published, and when, in monotonic seconds, it was fetched and asked for last."""

    keys: dict[str | None, Key] = field(default_factory=dict)
    fetched: float | None = None
    tried: float | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class PublishedKeys:
    """A key set behind a URL. Known keys go on being believed while the issuer does not answer."""

    def __init__(self, url: str, ttl_s: float, http: HttpClient, clock: Clock, known: KeySet) -> None:
        self._url = url
        self._ttl_s = ttl_s
        self._http = http
        self._clock = clock
        self._known = known

    async def find(self, kid: str | None) -> Key | None:
        """The key of this id; without an id, the only key there is.

        That there is none is certain only by a set that was fetched since it was asked for: an issuer may have begun
        to use a key a moment ago.
        """
        known, asked = self._known, self._clock.monotonic()
        if self._age(known.fetched) >= self._ttl_s or self._chosen(kid) is None:
            async with known.lock:
                await self._refresh(kid)
        found = self._chosen(kid)
        if found is None and (known.fetched is None or known.fetched < asked):
            message, wait_s = "Whether the token is valid cannot be told now.", COOLDOWN_S - self._age(known.tried)
            raise Refusal("state_unavailable", message, retry_after_s=max(1.0, wait_s))
        return found

    def _chosen(self, kid: str | None) -> Key | None:
        if kid is None and len(self._known.keys) == 1:
            return next(iter(self._known.keys.values()))
        return self._known.keys.get(kid)

    def _age(self, at: float | None) -> float:
        return float("inf") if at is None else self._clock.monotonic() - at

    async def _refresh(self, kid: str | None) -> None:
        """Fetch, unless somebody has just done so."""
        if self._age(self._known.tried) < COOLDOWN_S:
            return
        if self._age(self._known.fetched) < self._ttl_s and self._chosen(kid) is not None:
            return
        before, now = self._known.tried, self._clock.monotonic()
        self._known.tried = now
        try:
            self._known.keys = _read(await self._fetch())
            self._known.fetched = now
        except (UpstreamError, ValueError, jwt.PyJWTError, msgspec.MsgspecError) as error:
            log.warning("the keys at %s cannot be read: %s", self._url, type(error).__name__)
        except asyncio.CancelledError:  # what was given up says nothing about the issuer
            self._known.tried = before
            raise

    async def _fetch(self) -> bytes:
        response = await self._http.send("GET", self._url, headers={"accept": "application/json"}, timeouts=_TIMEOUTS)
        body = await whole(response, MAX_BYTES)
        if response.status != 200:
            raise ValueError(f"status {response.status}")
        return body


class _KeySet(msgspec.Struct):
    keys: list[dict[str, object]]


def _read(body: bytes) -> dict[str | None, Key]:
    """The keys for signatures. One that this library cannot read is left out: it may be for somebody else."""
    found: dict[str | None, Key] = {}
    for entry in msgspec.json.decode(body, type=_KeySet).keys:
        if entry.get("use", "sig") != "sig" or entry.get("kty") == "oct":
            continue
        try:
            key = jwt.PyJWK.from_dict(entry)
            found[key.key_id] = key.key if entry.get("kty") == "RSA" and entry.get("alg") is None else key
        except (jwt.PyJWTError, TypeError):  # an algorithm or an id that is a list cannot be looked up
            continue
    return found
