"""What somebody who administers keys may give away: nothing that they have not (Z04)."""

from __future__ import annotations

from sentinel_core.endpoints import ADMIN
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal
from sentinel_core.limits import Limits
from sentinel_core.permission import within
from sentinel_plugins.auth.tenants import NO_LIMITS
from sentinel_plugins.auth.virtual_keys import VirtualKey


def reach(principal: Principal) -> str | None:
    """The tenant whose keys they administer; None for all."""
    return None if ADMIN in principal.scopes else principal.tenant


def check_grant(principal: Principal, key: VirtualKey) -> None:
    """Raise `Refusal` (route_not_allowed) for a key that may more than whoever gives it away, or shows it anew."""
    tenant = reach(principal)
    admin = tenant is None
    allowed = (
        (admin or key.tenant == tenant)
        and (admin or principal.scopes.issuperset(key.scopes))
        and within(key.models, principal.models)
        and within(key.routes, principal.routes)
        and _bounded(key.limits, principal.limits.get("key", NO_LIMITS))
    )
    if not allowed:
        raise Refusal("route_not_allowed", "Nobody can give a key more than they may themselves.")


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
