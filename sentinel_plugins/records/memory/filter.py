"""Which rows a query asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentinel_core.records import Record

_ABSENT = object()


@dataclass(frozen=True, slots=True)
class Filter:
    """The conditions of one query; None means any. `since` is the first moment, `until` the first one after."""

    tenant: str | None
    where: Mapping[str, Any]  # JSON values
    since: float | None
    until: float | None

    def matches(self, record: Record) -> bool:
        """Whether the row meets every condition."""
        return (
            (self.tenant is None or record.tenant == self.tenant)
            and (self.since is None or record.at >= self.since)
            and (self.until is None or record.at < self.until)
            and all(_same(record.fields.get(name, _ABSENT), value) for name, value in self.where.items())
        )


def _same(found: Any, wanted: Any) -> bool:  # JSON values
    """Equal as JSON: for Python `True == 1`."""
    return bool(found == wanted) and isinstance(found, bool) is isinstance(wanted, bool)
