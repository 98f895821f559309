"""`[providers.<name>]` with `kind = "cohere"`."""

from __future__ import annotations

from sentinel_core.config import HttpUrl
from sentinel_core.upstream import BaseUrlConfig


class CohereConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://api.cohere.com"
    """The part of the URL before `/v2/chat`. Set it for a private deployment."""
