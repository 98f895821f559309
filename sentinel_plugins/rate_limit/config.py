"""`[stages.rate_limit]`."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from sentinel_core.config import Count
from sentinel_core.limits import Amount, Limits, Rate, Seconds
from sentinel_core.stage import StageConfig
from sentinel_core.state import Algorithm

DEFAULT_REQUESTS = 100

Reserve: TypeAlias = Literal["estimate", "upper_bound"]


class RateLimitConfig(StageConfig, frozen=True, kw_only=True):
    """What callers may use who have no limits of their own, and how it is counted.

    Limits of a tenant, a key or a user that authentication knows take the place of that table here. Every table takes
    the keys of `Limits`.
    """

    max_requests: Amount | Literal["unlimited"] | None = None
    """Requests of one client in any `window_s` seconds, where no other limit of requests binds it: 100 unless this or
    `requests_per_minute` says otherwise. A client is a tenant, or an address where nobody is known."""
    window_s: Seconds = 60.0
    """The window of `max_requests`."""
    requests_per_minute: Amount | None = None
    """The same in any minute, where that is what you think in."""
    address: Limits = Limits()
    """For each address of callers that nobody knows."""
    tenant: Limits = Limits()
    """For each tenant, all its keys and users together."""
    key: Limits = Limits()
    """For each key."""
    user: Limits = Limits()
    """For each user."""
    models: dict[str, Limits] = msgspec.field(default_factory=dict)
    """For each client's use of the models that a pattern names: `models."gpt-4*".requests_per_minute = 5`. The first
    pattern that fits counts."""
    algorithm: Algorithm = "exact"
    """How windows count: `exact` never lets more through than the limit, the others need less memory."""
    reserve: Reserve = "estimate"
    """How a prompt is counted before it is sent: as the model counts it, or by its bytes, which no prompt exceeds, its
    images by the most that the model counts for one, and what the provider keeps by the model's context window; then no
    budget is ever overspent as far as answers keep to their caps."""
    max_output_tokens: Count | None = None
    """Tokens reserved for an answer whose request sets no cap. Unless set, the most that the model can write. Lower it
    where such requests wait for budgets that they would not use."""
    require_pricing: bool = False
    """Where a budget binds, do not use models without a price. Else they are free of it."""
    quota_status: Literal[402, 429] = 429
    """The status of a request that a budget refuses. Clients that ignore `x-should-retry` do not repeat a 402."""
    lease_ttl_s: Seconds = 900.0
    """How long a request counts that nobody ends, after a crash. Longer for requests whose own time is longer."""
    replicas: Count | None = None
    """How many gateways share these limits, where they are not the `replicas` of `[server]`: while the state store does
    not answer, each worker of each grants its part of a rate."""

    def client(self) -> Limits:
        """What binds a client whose requests nothing else limits."""
        rates = []
        if self.requests_per_minute is not None:
            rates.append(Rate(limit=self.requests_per_minute, period_s=60.0))
        limit = self.max_requests
        if limit is None and not rates:
            limit = DEFAULT_REQUESTS
        if isinstance(limit, int):
            rates.append(Rate(limit=limit, period_s=self.window_s))
        return msgspec.structs.replace(Limits(), windows=tuple(rates))
