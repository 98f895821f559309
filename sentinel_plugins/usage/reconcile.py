"""The ledger beside a provider's bill."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
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

    Dated snapshots stand with the model that they are of, where the ledger has that one and the bill does not name it:
    what was called as `gpt-4o` is billed as `gpt-4o-2024-08-06`.

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
    model_of = _called({str(call.values[1]) for call in calls} - {model for _, model in bill.costs})
    kept = _kept(calls, model_of if bill.by_model else lambda _: "")
    billed = _billed(bill, model_of)
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


def _called(models: Collection[str]) -> Callable[[str], str]:
    """The model that a snapshot is of, if it is one of these; any other is its own."""

    def model_of(name: str) -> str:
        snapshot = _SNAPSHOT.fullmatch(name)
        return snapshot[1] if snapshot is not None and snapshot[1] in models else name

    return model_of


def _kept(calls: Iterable[Group], model_of: Callable[[str], str]) -> dict[Place, _Kept]:
    kept: dict[Place, _Kept] = {}
    for group in calls:
        day, model, provenance = group.values
        found = kept.setdefault((day, model_of(model)), _Kept())
        found.nanousd += group.sums[0]
        found.unpriced += group.sums[1]
        found.unsure += group.count if provenance != "reported" else 0
    return kept


def _billed(bill: Bill, model_of: Callable[[str], str]) -> dict[Place, int]:
    billed: dict[Place, int] = {}
    for (day, model), nanousd in bill.costs.items():
        place = (day, model_of(model))
        billed[place] = billed.get(place, 0) + nanousd
    return billed


def _midnight(day: str) -> float:
    """When it begins, in seconds since the epoch."""
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()
