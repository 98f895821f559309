"""A provider of any host, at the scripted upstream."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from sentinel_core.config import Secret
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.openai.hosts import sentinel_providers
from sentinel_plugins.providers.openai.hosts.provider import HostProvider
from tests.upstream import Upstream

KINDS: dict[str, type[Any]] = {kind.name: kind for kind in sentinel_providers()}  # each with its own Config
KEY = Secret("sk-own", "KEY")


@asynccontextmanager
async def host_at(upstream: Upstream, kind: str, **config: Any) -> AsyncIterator[HostProvider]:  # fields of the config
    """A provider of that kind that calls this upstream."""
    cls = KINDS[kind]
    root = upstream.base_url.removesuffix("/v1")
    place = {"endpoint": root} if kind == "azure" else {"base_url": upstream.base_url}
    settings = cls.Config(api_key=KEY, **{**place, **config})
    async with AiohttpPools().pool(connections=4) as http:
        yield cls(settings, http)
