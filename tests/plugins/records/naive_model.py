"""What a record store does, in the plainest words: a list that is sorted for every question."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime

from sentinel_core.json_types import JsonMapping, JsonValue
from sentinel_core.records import DAY, TENANT, Record


def text(value: JsonValue) -> str:
    """Equal texts are equal values."""
    return json.dumps(value, sort_keys=True)


def whole(record: Record) -> str:
    """A record as text."""
    return text([record.id, record.tenant, record.at, dict(record.fields)])


class NaiveModel:
    """One table."""

    def __init__(self) -> None:
        self.rows: dict[str, Record] = {}

    def append(self, records: Sequence[Record]) -> None:
        for record in records:
            self.rows.setdefault(record.id, record)

    def put(self, record: Record, expect: Record | None) -> bool:
        present = self.rows.get(record.id)
        if (present is None) != (expect is None):
            return False
        if present is not None and expect is not None and whole(present) != whole(expect):
            return False
        self.rows[record.id] = record
        return True

    def matching(
        self, tenant: str | None, where: JsonMapping, since: float | None, until: float | None
    ) -> list[Record]:
        """Newest first."""

        def wanted(record: Record) -> bool:
            return (
                tenant in (None, record.tenant)
                and (since is None or since <= record.at)
                and (until is None or record.at < until)
                and all(
                    name in record.fields and text(record.fields[name]) == text(value) for name, value in where.items()
                )
            )

        found = [record for record in self.rows.values() if wanted(record)]
        return sorted(found, key=lambda record: (record.at, record.id), reverse=True)

    def groups(self, records: Sequence[Record], group_by: Sequence[str], sums: Sequence[str]) -> dict[str, list[int]]:
        """Count and sums by the text of the groups' values."""
        found: dict[str, list[int]] = {}
        for record in records:
            totals = found.setdefault(text(list(_values(record, group_by))), [0] * (1 + len(sums)))
            totals[0] += 1
            for index, name in enumerate(sums, 1):
                value = record.fields.get(name)
                if isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63:
                    totals[index] += value
        return found

    def delete(self, until: float, ids: Collection[str] | None) -> int:
        old = [id_ for id_, record in self.rows.items() if record.at < until and (ids is None or id_ in ids)]
        for id_ in old:
            del self.rows[id_]
        return len(old)


def _values(record: Record, group_by: Sequence[str]) -> Iterator[JsonValue]:
    for name in group_by:
        if name == TENANT:
            yield record.tenant
        elif name == DAY:
            yield datetime.fromtimestamp(record.at, UTC).strftime("%Y-%m-%d")
        else:
            yield record.fields.get(name)
