"""Acme Cloud's models behind Sentinel. Enabled by `[providers.acme_cloud]`."""

from __future__ import annotations

from collections.abc import Iterable

from acme_cloud.provider import AcmeCloud, AcmeCloudConfig
from sentinel_core.hookspecs import hookimpl
from sentinel_core.provider import Provider

__all__ = ["AcmeCloud", "AcmeCloudConfig", "sentinel_providers"]


@hookimpl
def sentinel_providers() -> Iterable[type[Provider]]:
    """The `acme_cloud` kind."""
    return (AcmeCloud,)
