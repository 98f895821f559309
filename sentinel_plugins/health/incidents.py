"""Incidents: what went wrong and what mended it, kept in the record store and told to whoever listens."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args
from uuid import uuid4

import msgspec

from sentinel_core.records import Record, RecordStore
from sentinel_plugins.recording.moment import iso
from sentinel_plugins.recording.pages import newest
from sentinel_plugins.recording.reach import Reach

TABLE = "incidents"
KEPT = 500
"""The ring: how many incidents are kept. Those older than the oldest of them are forgotten."""

IncidentType: TypeAlias = Literal["outage", "failover_triggered", "recovery"]
INCIDENT_TYPES: tuple[str, ...] = get_args(IncidentType)


class Incident(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that happened to a provider.

    A `failover_triggered` also says where requests went (`to_provider`), and which one was the first (`trace_id`) to
    whoever may see that request. A `recovery` says how long the outage took (`duration_s`). `timestamp` is ISO 8601 in
    UTC.
    """

    id: str
    type: IncidentType
    timestamp: str
    provider: str
    message: str
    to_provider: str | None = None
    trace_id: str | None = None
    duration_s: float | None = None


class KeptIncident(Incident, frozen=True, kw_only=True, omit_defaults=True):
    """An incident as it is kept, and told among processes: it knows who asked the request that it names.

    `tenant` is None where it names none.
    """

    tenant: str | None = None
    principal: str | None = None
    key: str | None = None

    def shown(self, visible: Reach) -> Incident:
        """What somebody of this reach sees of it: everything but a request that is not theirs to see."""
        fields = {name: getattr(self, name) for name in Incident.__struct_fields__}
        if not visible.covers(self.tenant, {"principal": self.principal, "key": self.key}):
            del fields["trace_id"]
        return Incident(**fields)


def incident(
    kind: IncidentType,
    at: float,
    provider: str,
    message: str,
    **more: Any,  # Any: fields of the incident
) -> KeptIncident:
    """An incident of this moment, in seconds since the epoch."""
    return KeptIncident(id=uuid4().hex, type=kind, timestamp=iso(at), provider=provider, message=message, **more)


class Incidents:
    """The ring of incidents in a record store. They belong to the gateway, not to a tenant."""

    def __init__(self, records: RecordStore) -> None:
        self._records = records

    async def add(self, found: KeptIncident, at: float) -> None:
        """Keep one more, and forget what the ring has no room for. Incidents of one moment leave it together."""
        fields = msgspec.to_builtins(found)
        await self._records.append(TABLE, [Record(found.id, "", at, fields)])
        page = await newest(self._records, TABLE, KEPT, tenant="")
        if page.cursor is not None:
            await self._records.delete(TABLE, until=page.records[-1].at)

    async def latest(self, limit: int, kind: str | None = None) -> list[KeptIncident]:
        """Newest first, of one type or of all."""
        where = {"type": kind} if kind is not None else None
        page = await newest(self._records, TABLE, min(limit, KEPT), tenant="", where=where)
        return [msgspec.convert(record.fields, KeptIncident) for record in page.records]
