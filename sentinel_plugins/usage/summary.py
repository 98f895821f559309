"""Sums of the ledger: the one aggregation behind the route and the command."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import add
from typing import Literal, TypeAlias, get_args

import msgspec

from sentinel_core.costs import dollars
from sentinel_core.errors import Refusal
from sentinel_core.records import DAY, TENANT, Group, RecordStore
from sentinel_plugins.recording.moment import moment
from sentinel_plugins.recording.reach import Reach
from sentinel_plugins.usage.row import SUMS, TABLE

GroupBy: TypeAlias = Literal["model", "provider", "key", "tenant", "day"]
GROUPS: tuple[str, ...] = get_args(GroupBy)
_FIELDS: Mapping[str, str] = {name: name for name in GROUPS} | {"tenant": TENANT, "day": DAY}

_Sums: TypeAlias = tuple[int, ...]
_NOTHING: _Sums = (0,) * (len(SUMS) + 1)


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    """What the calls that were made came to. `cost_usd` is `cost_nanousd` in dollars, exactly; `unpriced` calls are not
    in either."""

    attempts: int
    requests: int
    unpriced: int
    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cache_write_tokens: int
    reasoning_tokens: int
    cost_nanousd: int
    cost_usd: str


class UsageGroup(msgspec.Struct, frozen=True):
    """The totals of one value of `group_by`; null where rows have none, such as a key."""

    value: str | None
    totals: Totals


class UsageSummary(msgspec.Struct, frozen=True, kw_only=True):
    """The ledger of a time, since the first row and until now if nobody said otherwise."""

    since: float | None
    until: float | None
    group_by: GroupBy | None
    total: Totals
    total_cost_usd: str
    cost_by_provider: dict[str, str]
    cost_by_model: dict[str, str]
    data: list[UsageGroup]


class Asked(msgspec.Struct, frozen=True):
    """Which rows, and by what they are grouped."""

    reach: Reach
    since: float | None = None
    until: float | None = None
    group_by: GroupBy | None = None


def asked(query: Mapping[str, str], reach: Reach) -> Asked:
    """What parameters ask for. Raises `Refusal` (invalid_parameter)."""
    return Asked(reach, moment(query, "since"), moment(query, "until"), _group_by(query.get("group_by")))


async def summary(records: RecordStore, asked: Asked) -> UsageSummary:
    """The sums, all of one look at the store, so that they agree."""
    by = asked.group_by or "model"
    groups = await records.aggregate(
        TABLE,
        tenant=asked.reach.tenant,
        group_by=("provider", "model", _FIELDS[by]),
        sums=(*SUMS, "not_called"),
        where=asked.reach.where,
        since=asked.since,
        until=asked.until,
    )
    total = _totals(_added(groups, 0).values())
    return UsageSummary(
        since=asked.since,
        until=asked.until,
        group_by=asked.group_by,
        total=total,
        total_cost_usd=total.cost_usd,
        cost_by_provider=_costs(groups, 0),
        cost_by_model=_costs(groups, 1),
        data=[UsageGroup(value, _totals([sums])) for value, sums in _sorted(groups)] if asked.group_by else [],
    )


def _group_by(text: str | None) -> GroupBy | None:
    for name in get_args(GroupBy):
        if name == text:
            found: GroupBy = name
            return found
    if text is not None:
        message = f"The parameter 'group_by' must be one of: {', '.join(GROUPS)}."
        raise Refusal("invalid_parameter", message, param="group_by")
    return None


def _added(groups: Iterable[Group], place: int) -> dict[str | None, _Sums]:
    """Counts and sums by the value at one place."""
    found: dict[str | None, _Sums] = defaultdict(lambda: _NOTHING)
    for group in groups:
        value = group.values[place]
        *sums, not_called = group.sums
        found[value] = tuple(map(add, found[value], (group.count - not_called, *sums)))
    return found


def _sorted(groups: Iterable[Group]) -> list[tuple[str | None, _Sums]]:
    return sorted(_added(groups, 2).items(), key=lambda item: item[0] or "")


def _costs(groups: Iterable[Group], place: int) -> dict[str, str]:
    return {value or "": _totals([sums]).cost_usd for value, sums in sorted(_added(groups, place).items(), key=str)}


def _totals(rows: Iterable[_Sums]) -> Totals:
    sums = _NOTHING
    for row in rows:
        sums = tuple(map(add, sums, row))
    named = dict(zip(("attempts", *SUMS), sums, strict=True))
    return Totals(**named, cost_usd=dollars(named["cost_nanousd"]))
