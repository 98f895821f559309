"""Every host keeps what every provider must keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from sentinel_core.services import Services
from sentinel_core.testing import ProviderConformance
from sentinel_core.testing.harness import fake_services
from sentinel_plugins.http.pools import AiohttpPools
from tests.plugins.providers.hosts.served import KINDS
from tests.upstream import Upstream


class TestEveryHost(ProviderConformance):
    model = "m"

    @pytest.fixture(autouse=True, params=sorted(KINDS))
    def kind(self, request: pytest.FixtureRequest) -> None:
        type(self).provider = KINDS[str(request.param)]
        type(self).config = {"resource": "none"} if request.param == "azure" else {}

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        async with Upstream() as upstream, fake_services() as made:  # its tasks must end before those are counted
            root = upstream.base_url.removesuffix("/v1")
            azure = self.provider.name == "azure"
            type(self).config = {"endpoint": root} if azure else {"base_url": upstream.base_url}
            yield replace(made, http=AiohttpPools())
