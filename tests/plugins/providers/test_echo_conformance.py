"""The `echo` provider keeps what every provider must keep, for clients of every format."""

from __future__ import annotations

from sentinel_core.testing import ProviderConformance
from sentinel_plugins.providers.echo.provider import EchoProvider


class TestEcho(ProviderConformance):
    provider = EchoProvider
    model = "echo"
