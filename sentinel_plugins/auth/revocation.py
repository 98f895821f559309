"""Telling every worker that a key or a tenant changed: caches are emptied before their time is up."""

from __future__ import annotations

import logging
from typing import TypeAlias

import msgspec

from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.services import Clock
from sentinel_core.state import Message, StateStore
from sentinel_plugins.auth.stage import Auth

log = logging.getLogger("sentinel.auth")

CHANNEL = "auth.changed"
RETRY_S = 1.0

Changed: TypeAlias = tuple[str, str | None]
"""A tenant, and one of its keys or None for all of them."""


async def tell(state: StateStore, tenant: str, id_: str | None = None) -> None:
    """Tell whoever listens. Where nobody can be told, `cache_ttl_s` still bounds how long a key is believed."""
    try:
        await state.publish(CHANNEL, msgspec.json.encode((tenant, id_)))
    except Refusal as error:
        log.warning("other workers hear of a changed key only when they look again: %s", error.code)


class Listener:
    """Forgets what others say has changed."""

    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def run(self) -> None:
        """Listen for as long as the gateway is open."""
        clock: Clock = self._gateway.services.clock
        while True:
            try:
                async with self._gateway.state.subscribe(CHANNEL) as messages:
                    async for message in messages:
                        self._hear(message)
            except Refusal as error:
                log.warning("changed keys are not heard of: %s", error.code)
            await clock.sleep(RETRY_S)

    def _hear(self, message: Message) -> None:
        try:
            tenant, id_ = msgspec.json.decode(message.data, type=Changed)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            log.warning("a message about changed keys cannot be read")
            return
        auth_of(self._gateway).callers.cache.forget(tenant, id_)


def auth_of(gateway: Gateway) -> Auth:
    """The stage of the present generation. Raises `Refusal` (not_found) where another one authenticates."""
    auth = gateway.authenticator
    if not isinstance(auth, Auth):
        raise Refusal("not_found")
    return auth
