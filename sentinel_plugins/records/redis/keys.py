"""Names of what is kept in a server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class TenantKeys(NamedTuple):
    """What a tenant has in a table: rows by id, and ids by time."""

    rows: bytes
    times: bytes


class TableKeys:
    """The names of one table. They share its hash tag, so that one step can write rows of many tenants; each part is
    preceded by its length, so that no two tenants ever meet in one.
    """

    __slots__ = ("_prefix", "tenants", "times")

    def __init__(self, prefix: str, table: str) -> None:
        self._prefix = f"{prefix}records:{{{len(table)}:{table}}}:"
        self.tenants = encoded(f"{self._prefix}tenants")
        self.times = encoded(f"{self._prefix}times")

    def of(self, tenant: str) -> TenantKeys:
        """The names of one tenant."""
        part = f"{len(tenant)}:{tenant}"
        return TenantKeys(encoded(f"{self._prefix}rows:{part}"), encoded(f"{self._prefix}times:{part}"))

    def all(self, tenants: Iterable[str]) -> tuple[list[bytes], dict[str, int]]:
        """The names for a step over several tenants, and where those of each begin, counted from 1 as Lua does."""
        names = [self.tenants, self.times]
        places: dict[str, int] = {}
        for tenant in tenants:
            if tenant not in places:
                places[tenant] = len(names) + 1
                names += self.of(tenant)
        return names, places


def encoded(text: str) -> bytes:
    """Any string as bytes, and no two as the same ones."""
    return text.encode("utf-8", "surrogatepass")
