"""The ledger beside a provider's bill."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime

import msgspec

from sentinel_core.config import did_you_mean
from sentinel_core.costs import dollars
from sentinel_core.records import DAY, Group, RecordStore
from sentinel_plugins.recording.groups import DAY_S
from sentinel_plugins.usage.bill import Bill, Place
from sentinel_plugins.usage.row import TABLE

_SNAPSHOT = re.compile(r"(.+)-(?:\d{4}-\d{2}-\d{2}|20\d{6})", re.ASCII)
"""`gpt-4o-2024-08-06` is one of `gpt-4o`, `claude-sonnet-4-5-20250929` one of `claude-sonnet-4-5`."""


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

    Dated snapshots on the bill stand with the model that they are of, where the ledger has that one and the bill does
    not name it on that day: what was called as `gpt-4o` is billed as `gpt-4o-2024-08-06`. One that the ledger has too
    keeps its own line, unless it is there alone: then it was called by either name.

    Raises `UnknownProvider` for one that is neither `configured` nor in the ledger of these days.
    """
    days = [day for day, _ in bill.costs]
    first, last = min(days), max(days)
    since, until = _midnight(first), _midnight(last) + DAY_S
    calls: list[Group] = []
    for provider in dict.fromkeys(providers):
        found = await _ledger(records, provider, since, until)
        if not found and provider not in configured:
            known = sorted({*configured, *await _providers(records, since, until)})
            raise UnknownProvider(provider, first, last, known)
        calls += found
    stands = _stands({str(call.values[1]) for call in calls}, bill)
    kept, billed = _kept(calls, bill.by_model, stands), _billed(bill, stands)
    return [_difference(place, kept.get(place, _Kept()), billed.get(place, 0)) for place in sorted({*kept, *billed})]


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


def _difference(place: Place, found: _Kept, billed: int) -> Difference:
    return Difference(
        *place, ledger_nanousd=found.nanousd, bill_nanousd=billed, unpriced=found.unpriced, unsure=found.unsure
    )


def _stands(called: Collection[str], bill: Bill) -> Mapping[Place, Place]:
    """Where a snapshot of the bill stands that has no line of its own, with what the ledger has of it."""
    snapshots: dict[Place, list[str]] = {}
    for day, name in bill.costs:
        found = _SNAPSHOT.fullmatch(name)
        if found is not None and found[1] in called and (day, found[1]) not in bill.costs:
            snapshots.setdefault((day, found[1]), []).append(name)
    stands: dict[Place, Place] = {}
    for place, names in snapshots.items():
        uncalled = [name for name in names if name not in called]
        stands |= {(place[0], name): place for name in uncalled or names}
    return stands


def _kept(calls: Iterable[Group], by_model: bool, stands: Mapping[Place, Place]) -> dict[Place, _Kept]:
    kept: dict[Place, _Kept] = {}
    for group in calls:
        day, model, provenance = group.values
        place = (day, model if by_model else "")
        found = kept.setdefault(stands.get(place, place), _Kept())
        found.nanousd += group.sums[0]
        found.unpriced += group.sums[1]
        found.unsure += group.count if provenance != "reported" else 0
    return kept


def _billed(bill: Bill, stands: Mapping[Place, Place]) -> dict[Place, int]:
    billed: dict[Place, int] = {}
    for line, nanousd in bill.costs.items():
        place = stands.get(line, line)
        billed[place] = billed.get(place, 0) + nanousd
    return billed


def _midnight(day: str) -> float:
    """When it begins, in seconds since the epoch."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
