"""Rows counted and summed by what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date

import msgspec

from sentinel_core.json_types import JsonValue
from sentinel_core.records import DAY, TENANT, Group, Record
from sentinel_plugins.recording.filter import checked
from sentinel_plugins.recording.json_text import encode

DAY_S = 86_400
_MAX = 2**63
_EPOCH = date(1970, 1, 1).toordinal()

_decode = msgspec.json.Decoder().decode


def amount(value: JsonValue) -> int:
    """What a field adds to a sum: integers of 64 bits, nothing else."""
    return value if type(value) is int and -_MAX <= value < _MAX else 0


def day(number: int) -> str:
    """A day by its number since the epoch."""
    return date.fromordinal(_EPOCH + number).isoformat()


class Groups:
    """Groups that grow: by rows, or by parts that a store has counted itself.

    A group is known by the JSON texts of its values, so `1`, `1.0` and `true` are three.
    """

    def __init__(self, group_by: Sequence[str], sums: Sequence[str]) -> None:
        checked(name for name in group_by if name not in (TENANT, DAY))
        self.group_by = tuple(group_by)
        self.sums = checked(sums)
        self._values = tuple(_reader(name) for name in group_by)
        self._found: dict[tuple[bytes, ...], list[int]] = {}

    def add(self, records: Iterable[Record]) -> None:
        """Count rows."""
        for record in records:
            fields = record.fields
            self.merge([read(record) for read in self._values], 1, [amount(fields.get(name)) for name in self.sums])

    def merge(self, values: Iterable[JsonValue], count: int, sums: Sequence[int]) -> None:
        """Count rows that share these values."""
        totals = self._found.setdefault(tuple(map(encode, values)), [0] * (1 + len(self.sums)))
        for index, more in enumerate((count, *sums)):
            totals[index] += more

    def all(self) -> tuple[Group, ...]:
        """Every group."""
        return tuple(
            Group(tuple(map(_decode, texts)), count, tuple(sums)) for texts, (count, *sums) in self._found.items()
        )


def _reader(name: str) -> Callable[[Record], JsonValue]:
    if name == TENANT:
        return lambda record: record.tenant
    if name == DAY:
        return lambda record: day(int(record.at / DAY_S))
    return lambda record: record.fields.get(name)
