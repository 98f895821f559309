"""One table on the server: what is written, read and forgotten there, a step at a time."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

from sentinel_core.records import Record, Stored
from sentinel_plugins.recording import row as rows
from sentinel_plugins.recording.cursor import Position
from sentinel_plugins.recording.filter import Filter
from sentinel_plugins.recording.json_text import same
from sentinel_plugins.recording.row import Row
from sentinel_plugins.records.redis.keys import TableKeys, TenantKeys, encoded
from sentinel_plugins.records.redis.server import APPEND, FITTING, FORGET, OLDEST, PAGE, PUT, Server
from sentinel_plugins.redis.command import Argument

STEP = 500
"""Rows of one step, so that none keeps the server from others for longer than about a millisecond."""
STEP_BYTES = 2**20
"""What is enough for one answer, so that it comes in time: rows may have contents. One row may be larger."""


Place: TypeAlias = tuple[bytes, bytes]
"""Where a row stands in the table: its time, then its id."""


class Slice(NamedTuple):
    """Rows that follow each other, newest first, and the position behind the last one; None at the end of the table.

    Rows that were forgotten meanwhile are left out.
    """

    records: list[Record]
    behind: Position | None


class RedisTable:
    """A table by its name."""

    __slots__ = ("_keys", "_server")

    def __init__(self, server: Server, prefix: str, name: str) -> None:
        self._server = server
        self._keys = TableKeys(prefix, name)

    async def append(self, batch: Sequence[Row]) -> None:
        """Add rows whose ids are not there, in one step."""
        keys, places = self._keys.all(row.tenant for row in batch)
        arguments: list[Argument] = []
        for row in batch:
            arguments += (encoded(row.id), encoded(row.tenant), places[row.tenant], repr(row.at), row.text)
        await self._server.run(APPEND, keys, *arguments)

    async def put(self, row: Row, expect: Record | None) -> bool:
        """Write a row in the place of another, or of none."""
        keys, _ = self._keys.all([row.tenant])
        arguments: list[Argument] = [encoded(row.id), encoded(row.tenant), repr(row.at), row.text]
        if expect is not None:
            text = await self._text(row.tenant, row.id)
            if text is None or not same(rows.decode(text), expect):
                return False
            arguments.append(text)
        return bool(await self._server.run(PUT, keys, *arguments))

    async def get(self, tenant: str | None, id_: str) -> Record | None:
        """One row by its id, of this tenant or of whoever has it."""
        if tenant is None:
            owner = await self._server.look("HGET", self._keys.tenants, encoded(id_), key=self._keys.tenants)
            if owner is None:
                return None
            tenant = decoded(owner)
        text = await self._text(tenant, id_)
        return rows.decode(text) if text is not None else None

    async def slice(self, wanted: Filter, before: Position | None, most: int) -> Slice:
        """At most so many rows behind a position, or so much of them; those before `until` only, by whatever else they
        are."""
        own = self._keys.of(wanted.tenant) if wanted.tenant is not None else None
        keys = [own.times, own.rows] if own is not None else [self._keys.times, self._keys.tenants]
        bound = repr(wanted.until) if wanted.until is not None else ""
        at, id_ = (repr(before[0]), encoded(before[1])) if before is not None else ("", b"")
        ids, times, known = await self._server.run(PAGE, keys, most, bound, at, id_, STEP_BYTES)
        texts = known if own is not None else await self._texts(ids, known)
        records = [rows.decode(text) for text in texts if text is not None]
        last = _last(ids, texts, most)
        return Slice(records, (float(times[last]), decoded(ids[last])) if last is not None else None)

    async def scan(self, behind: Place | None) -> tuple[list[Stored], Place | None]:
        """Some rows, newest first, and the place behind the last one: its time and id; None at the end of the table.

        Rows that nobody finds by their id are left out: they were forgotten meanwhile, or somebody took them out.
        """
        keys = [self._keys.times, self._keys.tenants]
        ids, times, owners = await self._server.run(PAGE, keys, STEP, "", *(behind or ("", b"")), STEP_BYTES)
        own = await self._of_owners("ZMSCORE", lambda keys: keys.times, ids, owners)
        texts = await self._texts(ids, owners)
        found = [
            rows.stored(_shown(id_), _shown(owner), _agreed(time, at), text)
            for id_, owner, time, at, text in zip(ids, owners, times, own, texts, strict=False)
            if owner is not None and text is not None
        ]
        last = _last(ids, texts, STEP)
        return found, (times[last], ids[last]) if last is not None else None

    async def forget(self, until: float) -> tuple[int, bool]:
        """Forget some of the rows older than `until`: how many, and whether there may be more."""
        keys = [self._keys.times, self._keys.tenants]
        ids, owners = await self._server.run(OLDEST, keys, repr(until), STEP)
        tenants = [decoded(owner or b"") for owner in owners]
        return await self._forget(until, ids, tenants), len(ids) == STEP

    async def forget_these(self, until: float, ids: Sequence[str]) -> int:
        """Forget those of so many rows that are older than `until`: how many."""
        names = [encoded(id_) for id_ in ids]
        owners = await self._server.look("HMGET", self._keys.tenants, *names, key=self._keys.tenants)
        there = {name: decoded(owner) for name, owner in zip(names, owners, strict=True) if owner is not None}
        return await self._forget(until, [*there], [*there.values()])

    async def _forget(self, until: float, ids: Sequence[bytes], tenants: Sequence[str]) -> int:
        if not ids:
            return 0
        names, places = self._keys.all(tenants)
        arguments: list[Argument] = [repr(until)]
        for id_, tenant in zip(ids, tenants, strict=True):
            arguments += (id_, places[tenant])
        count: int = await self._server.run(FORGET, names, *arguments)
        return count

    async def _text(self, tenant: str, id_: str) -> bytes | None:
        rows_key = self._keys.of(tenant).rows
        text: bytes | None = await self._server.look("HGET", rows_key, encoded(id_), key=rows_key)
        return text

    async def _texts(self, ids: Sequence[bytes], owners: Sequence[bytes | None]) -> list[bytes | None]:
        """The first rows of several tenants, in the order of their ids, as many as are enough."""
        if not ids:
            return []
        keys, places = self._keys.all(decoded(owner) for owner in owners if owner is not None)
        arguments: list[Argument] = [STEP_BYTES]
        for id_, owner in zip(ids, owners, strict=True):
            arguments += (id_, places[decoded(owner)] if owner is not None else 0)
        count = await self._server.run(FITTING, keys, *arguments)
        return await self._of_owners("HMGET", lambda keys: keys.rows, ids[:count], owners[:count])

    async def _of_owners(
        self, command: str, key_of: Callable[[TenantKeys], bytes], ids: Sequence[bytes], owners: Sequence[bytes | None]
    ) -> list[bytes | None]:
        """What the keys of several tenants have under ids, in their order; None for what is nobody's."""
        by_tenant: dict[bytes, list[bytes]] = {}
        for id_, owner in zip(ids, owners, strict=True):
            if owner is not None:
                by_tenant.setdefault(owner, []).append(id_)
        keys = [key_of(self._keys.of(decoded(owner))) for owner in by_tenant]
        calls = (
            self._server.look(command, key, *some, key=key) for key, some in zip(keys, by_tenant.values(), strict=True)
        )
        found: dict[bytes, bytes | None] = {}
        for some, answers in zip(by_tenant.values(), await asyncio.gather(*calls), strict=True):
            found.update(zip(some, answers, strict=True))
        return [found.get(id_) for id_ in ids]


def decoded(name: bytes) -> str:
    """The string that `encoded` made bytes of."""
    return name.decode("utf-8", "surrogatepass")


def _last(ids: Sequence[bytes], texts: Sequence[bytes | None], most: int) -> int | None:
    """Which id is that of the last row that was read; None if none is behind it."""
    return len(texts) - 1 if len(ids) == most or len(texts) < len(ids) else None


def _shown(name: bytes) -> str:
    """The same, of bytes that need not be a string."""
    return name.decode("utf-8", "replace")


def _agreed(time: bytes, own: bytes | None) -> float:
    """The time of a row in its table and at its tenant; NaN if these are two."""
    return float(time) if own is not None and float(own) == float(time) else math.nan
