"""The provider keeps what every provider must keep; what it says is in `test_installed`."""

from __future__ import annotations

from acme_guard.llm import AcmeLlm

from sentinel_core.testing import ProviderConformance


class TestAcmeLlm(ProviderConformance):
    provider = AcmeLlm
    model = "acme-1"
