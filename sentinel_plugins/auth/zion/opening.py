"""Opening what talks to Zion."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sentinel_core.prices import Prices
from sentinel_core.services import PRICES, TOKENS, Services
from sentinel_core.tokens import RoughTokens
from sentinel_plugins.auth.memory import Memory
from sentinel_plugins.auth.tenants import Tenants
from sentinel_plugins.auth.zion.api import ZionApi
from sentinel_plugins.auth.zion.config import ZionConfig
from sentinel_plugins.auth.zion.due import Due
from sentinel_plugins.auth.zion.heard import Heard
from sentinel_plugins.auth.zion.meter import Meter
from sentinel_plugins.auth.zion.outbox import Outbox
from sentinel_plugins.auth.zion.row import TABLE
from sentinel_plugins.auth.zion.users import ZionUsers
from sentinel_plugins.recording.journal import Journal

CONNECTIONS = 20


@asynccontextmanager
async def opened(
    config: ZionConfig, tenants: Tenants, services: Services, memory: Memory
) -> AsyncIterator[tuple[ZionUsers, Meter]]:
    """Its users, and the meter of their usage, over one pool of connections."""
    due = Due(services.records, services.clock)
    journal = Journal(TABLE, services.records, services.clock, committed=due.put_all)
    async with journal.open(), services.http.pool(connections=CONNECTIONS) as http:
        api = ZionApi(config, http, services.clock)
        heard = memory.zions.of((config.url, config.api_key), Heard)
        users = ZionUsers(config, api, tenants, services.state, services.clock, heard, due)
        outbox = Outbox(config, api, journal, due, services.clock)
        try:
            yield users, Meter(outbox, services.find(PRICES, Prices), services.find(TOKENS, RoughTokens))
        finally:
            await outbox.close()
