"""The provider keeps what every provider must keep."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from acme_cloud import AcmeCloud

from sentinel_core.registry import Registry
from sentinel_core.services import Services
from sentinel_core.testing import ProviderConformance, fake_services

from .acme import acme_cloud


class TestAcmeCloud(ProviderConformance):
    provider = AcmeCloud
    model = "acme-1"

    @asynccontextmanager
    async def services(self) -> AsyncIterator[Services]:
        """The kit's services, with a real connection pool that reaches an Acme Cloud of this test."""
        registry = Registry()
        registry.load("http", "service")
        async with acme_cloud() as (_, url), fake_services() as made:
            type(self).config = {"base_url": url}
            yield replace(made, http=registry.services["http"]())
