"""`[providers.<name>]` with `kind = "echo"`."""

from __future__ import annotations

from sentinel_core.config import Name
from sentinel_core.provider import ProviderConfig


class EchoConfig(ProviderConfig, frozen=True, kw_only=True):
    """Nothing to set: what echo answers follows from the request alone."""

    models: tuple[Name, ...] = ("echo",)
