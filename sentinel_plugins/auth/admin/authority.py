"""What somebody who administers keys may give away: nothing that they have not (Z04)."""

from __future__ import annotations

from typing import NamedTuple

from sentinel_core.endpoints import ADMIN
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal
from sentinel_core.limits import Limits
from sentinel_core.permission import Patterns, within
from sentinel_plugins.auth.tenants import NO_LIMITS
from sentinel_plugins.auth.virtual_keys import VirtualKey


class Giver(NamedTuple):
    """Somebody who administers keys, and what binds them beside their tenant: models, routes, and when they expire.

    What binds the tenant binds every key of it alike, today and after a change. So a key may no more than its giver if
    it may no more by itself.
    """

    principal: Principal
    models: Patterns = None
    routes: Patterns = None
    ends: float | None = None


def reach(principal: Principal) -> str | None:
    """The tenant whose keys they administer; None for all."""
    return None if ADMIN in principal.scopes else principal.tenant


def check_end(principal: Principal, key: VirtualKey) -> None:
    """Raise `Refusal` (route_not_allowed) for a key that is not theirs to end, which gives nobody more: another
    tenant's, or an administrator's, who is not of the tenant alone."""
    tenant = reach(principal)
    _check(tenant is None or (key.tenant == tenant and ADMIN not in key.scopes))


def check_grant(giver: Giver, key: VirtualKey) -> None:
    """Raise `Refusal` (route_not_allowed) for a key that may more than whoever gives it away, or shows it anew, or for
    longer."""
    principal, own = giver.principal, _own_limits(giver.principal)
    check_end(principal, key)
    _check(within(key.models, giver.models) and within(key.routes, giver.routes) and _bounded(key.limits, own))
    if reach(principal) is not None:
        _check(
            principal.scopes.issuperset(key.scopes)
            and principal.user in (None, key.user)
            and (giver.ends is None or (key.expires_at is not None and key.expires_at <= giver.ends))
            and _bound_alike(key.limits, own)
        )


def _check(allowed: bool) -> None:
    if not allowed:
        raise Refusal("route_not_allowed", "Nobody can give a key more than they may themselves.")


def _own_limits(principal: Principal) -> Limits:
    """What binds them, beside their tenant."""
    return principal.limits.get("key" if principal.kind == "key" else "user", NO_LIMITS)


def _bound_alike(limits: Limits, own: Limits) -> bool:
    """Whether what the configuration says for those without limits, or without limits of requests, binds the key where
    it binds its giver: limits of one's own take its place."""
    return (own != NO_LIMITS or limits == NO_LIMITS) and (_counts_requests(own) or not _counts_requests(limits))


def _counts_requests(limits: Limits) -> bool:
    return any(rate.unit == "requests" for rate in limits.rates())


def _bounded(limits: Limits, bound: Limits) -> bool:
    """Whether every limit of `bound` is in `limits`, and no higher."""
    rates = {(rate.unit, rate.period_s): rate.limit for rate in reversed(limits.rates())}
    budgets = dict(limits.allowances())
    return (
        all(rates.get((rate.unit, rate.period_s), rate.limit + 1) <= rate.limit for rate in bound.rates())
        and all(budgets.get(period, most + 1) <= most for period, most in bound.allowances())
        and (bound.max_concurrency is None or _at_most(limits.max_concurrency, bound.max_concurrency))
    )


def _at_most(value: int | None, most: int) -> bool:
    return value is not None and value <= most
