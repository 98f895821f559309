"""The ledger beside a provider's bill."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from sentinel_core.config import did_you_mean
from sentinel_core.costs import dollars
from sentinel_core.records import DAY, Group, RecordStore
from sentinel_plugins.recording.groups import DAY_S
from sentinel_plugins.usage.bill import Bill, Place
from sentinel_plugins.usage.row import TABLE


class Difference(msgspec.Struct, frozen=True):
    """One day, and one model where the bill names them: nano-dollars in the ledger and on the bill.

    `unpriced` calls are in the ledger without a cost, `unsure` ones with one that the provider did not report.
    """

    day: str
    model: str
    ledger_nanousd: int
    bill_nanousd: int
    unpriced: int
    unsure: int

    @property
    def nanousd(self) -> int:
        """What the bill has more than the ledger."""
        return self.bill_nanousd - self.ledger_nanousd


class UnknownProvider(Exception):
    """Nobody knows the provider whose bill it is said to be. The text says who is known."""

    def __init__(self, provider: str, first: str, last: str, known: Sequence[str]) -> None:
        text = f"no provider {provider!r} is configured, and the ledger has no call of it from {first} to {last}"
        near = did_you_mean(provider, known)
        super().__init__(f"{text}; known: {', '.join(known)}" + (f"; {near}" if near else ""))


class _Kept(msgspec.Struct):
    nanousd: int = 0
    unpriced: int = 0
    unsure: int = 0


async def reconcile(
    records: RecordStore, providers: Iterable[str], bill: Bill, configured: Collection[str]
) -> list[Difference]:
    """Every day and model of the ledger or the bill, in the days from the bill's first to its last. Of the ledger it is
    the calls of these providers, all together.

    Raises `UnknownProvider` for one that is neither `configured` nor in the ledger of these days.
    """
    days = [day for day, _ in bill.costs]
    first, last = min(days), max(days)
    since, until = _midnight(first), _midnight(last) + DAY_S
    kept: dict[Place, _Kept] = {}
    for provider in dict.fromkeys(providers):
        calls = await _ledger(records, provider, since, until)
        if not calls and provider not in configured:
            known = sorted({*configured, *await _providers(records, since, until)})
            raise UnknownProvider(provider, first, last, known)
        _add(kept, calls, bill.by_model)
    return [
        Difference(
            *place, ledger_nanousd=found.nanousd, bill_nanousd=billed, unpriced=found.unpriced, unsure=found.unsure
        )
        for place in sorted({*kept, *bill.costs})
        for found, billed in ((kept.get(place, _Kept()), bill.costs.get(place, 0)),)
    ]


def signed(nanousd: int) -> str:
    """Nano-dollars as dollars, with a sign where there is one."""
    return f"-{dollars(-nanousd)}" if nanousd < 0 else dollars(nanousd)


async def _providers(records: RecordStore, since: float, until: float) -> Iterator[str]:
    groups = await records.aggregate(TABLE, tenant=None, group_by=("provider",), since=since, until=until)
    return (name for group in groups for name in group.values if isinstance(name, str))


async def _ledger(records: RecordStore, provider: str, since: float, until: float) -> Sequence[Group]:
    return await records.aggregate(
        TABLE,
        tenant=None,
        group_by=(DAY, "target_model", "provenance"),
        sums=("cost_nanousd", "unpriced"),
        where={"provider": provider},
        since=since,
        until=until,
    )


def _add(kept: dict[Place, _Kept], calls: Iterable[Group], by_model: bool) -> None:
    for group in calls:
        day, model, provenance = group.values
        found = kept.setdefault((day, model if by_model else ""), _Kept())
        found.nanousd += group.sums[0]
        found.unpriced += group.sums[1]
        found.unsure += group.count if provenance != "reported" else 0


def _midnight(day: str) -> float:
    """When it begins, in seconds since the epoch."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
