"""What `/v1/audit` answers."""

from __future__ import annotations

import msgspec

from sentinel_core.costs import dollars
from sentinel_core.records import Record
from sentinel_plugins.audit.entry import Entry
from sentinel_plugins.recording.moment import iso


class ShownEntry(Entry, frozen=True, kw_only=True):
    """One request, as it is shown. `timestamp` is ISO 8601 in UTC; `cost_usd` is `cost_nanousd` in dollars, exactly.
    `injection_score` is for administrators only: who attacks must not learn how near they came."""

    timestamp: str
    tenant: str
    cost_usd: str | None
    writer: str
    seq: int


class AuditPage(msgspec.Struct, frozen=True):
    """Requests, newest first. `cursor` continues the list; null at its end."""

    data: list[ShownEntry]
    cursor: str | None = None


def shown(record: Record, *, scores: bool) -> ShownEntry:
    """A record as it is shown, with or without what guards found it worth."""
    cost = record.fields["cost_nanousd"]
    more: dict[str, object] = {
        "timestamp": iso(record.at),
        "tenant": record.tenant,
        "cost_usd": dollars(cost) if cost is not None else None,
    }
    if not scores:
        more["injection_score"] = None
    return msgspec.convert({**record.fields, **more}, ShownEntry)
