"""The `openai` provider keeps what every provider must keep, for clients of every format."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from sentinel_core.services import Services
from sentinel_core.testing import ProviderConformance
from sentinel_core.testing.harness import fake_services
from sentinel_plugins.http.pools import AiohttpPools
from sentinel_plugins.providers.openai.provider import OpenAIProvider
from tests.upstream import Upstream


class TestOpenAI(ProviderConformance):
    provider = OpenAIProvider
    model = "m"

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        async with Upstream() as upstream, fake_services() as made:  # its tasks must end before those are counted
            type(self).config = {"base_url": upstream.base_url}
            yield replace(made, http=AiohttpPools())
