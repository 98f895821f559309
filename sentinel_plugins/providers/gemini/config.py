"""`[providers.<name>]` with `kind = "gemini"`."""

from __future__ import annotations

from sentinel_core.config import HttpUrl
from sentinel_core.upstream import BaseUrlConfig


class GeminiConfig(BaseUrlConfig, frozen=True, kw_only=True):
    """Where the upstream is, how to identify there, and how long and how large its answers may be."""

    base_url: HttpUrl = "https://generativelanguage.googleapis.com/v1beta"
    """The part of the URL before `/models`, the API's version included. Set it for a proxy."""
