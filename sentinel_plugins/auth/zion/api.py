"""Zion's HTTP interface, and what its failures mean to a caller.

401 of a token is 401, 404 is 404, 429 is tried once more and is 503 then, 5xx is 502, and silence is 503.
"""

from __future__ import annotations

from typing import TypeVar
from urllib.parse import quote

import msgspec

from sentinel_core.errors import Refusal, UpstreamError
from sentinel_core.json_types import JsonObject
from sentinel_core.services import Clock, HttpClient, HttpTimeouts
from sentinel_core.upstream.whole import whole
from sentinel_plugins.auth.credential import invalid
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.auth.zion.wire import Envelope, ZionLimit, ZionUser

T = TypeVar("T")

MAX_BYTES = 1024 * 1024
MAX_WAIT_S = 1.0
"""How long a 429 may ask to wait before the one repetition."""
_TIMEOUTS = HttpTimeouts(connect_s=1, first_byte_s=2, idle_s=2, total_s=3)
_JSON = "application/json"


class ZionApi:
    """The three calls."""

    def __init__(self, config: ZionConfig, http: HttpClient, clock: Clock) -> None:
        self._root = config.url.rstrip("/")
        self._key = config.api_key
        self._http = http
        self._clock = clock

    async def user(self, token: str) -> ZionUser:
        """Whose token this is. Raises `Refusal`."""
        status, body = await self._asked("/api/v1/users/me", {"authorization": f"Bearer {token}"})
        if status in (401, 403):
            raise invalid()
        _check(status)
        user = _data(body, Envelope[ZionUser])
        if not user.external_id:
            raise _garbled()
        return user

    async def limits(self, external_id: str) -> list[ZionLimit]:
        """What this user may use. Raises `Refusal`."""
        status, body = await self._asked(f"/api/v1/limits/external/{quote(external_id, safe='')}", {})
        _check(status)
        return _data(body, Envelope[list[ZionLimit]])

    async def increment(self, body: JsonObject, key: str) -> int:
        """Tell usage; the status of the answer. `key` is the same when this is told again. Raises `UpstreamError`."""
        headers = {"content-type": _JSON, "idempotency-key": key}
        path = "/api/v1/usage/external/increment"
        status, _, _ = await self._send("POST", path, headers, msgspec.json.encode(body))
        return status

    async def _asked(self, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            status, body, wait_s = await self._send("GET", path, headers)
            if status == 429 and wait_s <= MAX_WAIT_S:
                await self._clock.sleep(wait_s)
                status, body, wait_s = await self._send("GET", path, headers)
        except UpstreamError as error:
            if error.code == "upstream_invalid_response":
                raise _garbled() from None
            raise Refusal("state_unavailable", "The governance system does not answer.", retry_after_s=1) from None
        if status == 429:
            message = "The governance system is overloaded."
            raise Refusal("state_unavailable", message, retry_after_s=max(1.0, wait_s))
        return status, body

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[int, bytes, float]:
        sent = {"accept": _JSON, "x-api-key": self._key.reveal(), **headers}
        response = await self._http.send(method, self._root + path, headers=sent, body=body, timeouts=_TIMEOUTS)
        content = await whole(response, MAX_BYTES)
        wait = response.headers.get("retry-after", "")
        return response.status, content, float(wait) if wait.isascii() and wait.isdigit() else 0.1


def _check(status: int) -> None:
    if status == 200:
        return
    if status == 404:
        raise Refusal("not_found", "The governance system does not know this user.")
    if status in (401, 403):
        raise Refusal("upstream_auth_error", "The governance system refused this gateway's credentials.")
    raise Refusal("upstream_error", "The governance system reported an error.")


def _data(body: bytes, kind: type[Envelope[T]]) -> T:
    try:
        envelope = msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise _garbled() from None
    if not envelope.success:
        raise _garbled()
    return envelope.data


def _garbled() -> Refusal:
    return Refusal("upstream_invalid_response", "The governance system sent an answer that is not valid.")
