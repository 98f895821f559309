"""The table `[stages.auth.zion]`."""

from __future__ import annotations

from typing import Literal

import msgspec

from sentinel_core.config import HttpUrl, Seconds, Secret
from sentinel_plugins.auth.names import TenantName


class ZionConfig(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where Zion is, and how long what it said is believed."""

    url: HttpUrl
    """Its address, without `/api/v1`."""
    api_key: Secret
    """This gateway's own key there, sent as `x-api-key`."""
    tenant: TenantName = "default"
    """The tenant of all users that Zion knows."""
    token_ttl_s: Seconds = 300.0
    """How long a token that Zion accepted is believed; never longer than it says itself."""
    limits_ttl_s: Seconds = 300.0
    """How long a user's limits are believed."""
    stale_limits_s: Seconds = 86_400.0
    """How old limits may be that are used while Zion does not answer."""
    usage_body: Literal["limits", "totals"] = "limits"
    """How usage is told: one call for each limit (`externalId`, `limitName`, `amount`), or one for each request
    (`email`, `aiInputTokens`, `aiOutputTokens`, `aiRequests`)."""
    usage_interval_s: Seconds = 1.0
    """How often the outbox is looked at."""
