"""Opening what verifies tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.services import Services
from sentinel_plugins.auth.jwt.config import JwtConfig
from sentinel_plugins.auth.jwt.key_set import KeySet, PublishedKeys
from sentinel_plugins.auth.jwt.users import JwtUsers
from sentinel_plugins.auth.memory import Memory
from sentinel_plugins.auth.tenants import Tenants


@asynccontextmanager
async def opened(config: JwtConfig, tenants: Tenants, services: Services, memory: Memory) -> AsyncIterator[JwtUsers]:
    """The users of the issuer, with a connection to its keys where it publishes them."""
    if config.jwks_url is None:
        yield JwtUsers(config, None, tenants, services.clock)
        return
    async with services.http.pool(connections=2) as http:
        known = memory.key_sets.of(config.jwks_url, KeySet)
        keys = PublishedKeys(config.jwks_url, config.jwks_ttl_s, http, services.clock, known)
        yield JwtUsers(config, keys, tenants, services.clock)
