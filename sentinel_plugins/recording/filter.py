"""Which rows a query asks for."""

from __future__ import annotations

import re
from collections.abc import Iterable

from sentinel_core.json_types import JsonMapping
from sentinel_core.records import Record
from sentinel_plugins.recording.json_text import encode

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def checked(names: Iterable[str]) -> tuple[str, ...]:
    """Names of fields that can be asked for. ValueError for others: they come from code, and end up in paths."""
    found = tuple(names)
    for name in found:
        if not _NAME.fullmatch(name):
            raise ValueError(f"not the name of a field: {name!r}")
    return found


class Filter:
    """The conditions of one query; None means any. `since` is the first moment, `until` the first one after.

    `where` has the JSON text that each field must have.
    """

    __slots__ = ("since", "tenant", "until", "where")

    def __init__(self, tenant: str | None, where: JsonMapping | None, since: float | None, until: float | None) -> None:
        wanted = where or {}
        self.tenant = tenant
        self.where = {name: encode(wanted[name]) for name in checked(wanted)}
        self.since = since
        self.until = until

    def matches(self, record: Record) -> bool:
        """Whether the row meets every condition."""
        return (
            (self.tenant is None or record.tenant == self.tenant)
            and (self.since is None or record.at >= self.since)
            and (self.until is None or record.at < self.until)
            and self.suits(record.fields)
        )

    def suits(self, fields: JsonMapping) -> bool:
        """Whether the fields are as wanted."""
        return all(name in fields and encode(fields[name]) == text for name, text in self.where.items())
