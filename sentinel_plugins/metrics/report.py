"""The counts as JSON."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from sentinel_core.costs import dollars
from sentinel_core.counts import Family
from sentinel_core.gateway import Gateway


class MetricsReport(msgspec.Struct, frozen=True, kw_only=True):
    """The body of `GET /metrics`: this process since its start.

    `counts` has each family by its name, and below it one level for each of its labels. `usage` are the totals of the
    caller's ledger, where a key says who that is and the record store answers.
    """

    uptime_seconds: float
    in_flight: int
    state_available: bool
    records_available: bool
    total_cost_usd: str
    cost_by_provider: dict[str, str]
    counts: dict[str, Any]  # numbers, or mappings of them
    usage: Any = UNSET  # the ledger's own totals


def report(gateway: Gateway, usage: msgspec.Struct | UnsetType) -> MetricsReport:
    """What was counted so far."""
    families = {family.name: family for family in gateway.services.counts}
    costs = {values[0]: number for values, number in families["cost_nanousd"].read()}
    return MetricsReport(
        uptime_seconds=round(gateway.uptime_s, 3),
        in_flight=gateway.in_flight,
        state_available=gateway.state.available,
        records_available=gateway.records.available,
        total_cost_usd=dollars(sum(costs.values())),
        cost_by_provider={provider: dollars(cost) for provider, cost in sorted(costs.items())},
        counts={name: _nested(family) for name, family in sorted(families.items())},
        usage=usage,
    )


def _nested(family: Family) -> Any:  # a number, or mappings of them
    if not family.labels:
        return family.read()[0][1]
    found: dict[str, Any] = {}  # the same
    for values, number in sorted(family.read()):
        below = found
        for value in values[:-1]:
            below = below.setdefault(value, {})
        below[values[-1]] = number
    return found
