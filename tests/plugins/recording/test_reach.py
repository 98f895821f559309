"""Whose rows a caller may see: their own, and nobody's who is called as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import pytest

from sentinel_core.context import Client
from sentinel_core.endpoints import HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal
from sentinel_core.records import Record, RecordStore
from sentinel_plugins.recording.reach import narrowed, reach

TABLE = "rows"
NAME = "billing"
KINDS: Mapping[str, Mapping[str, object]] = {
    "key": {"principal": NAME, "key": NAME},
    "user": {"principal": NAME, "key": None},
}
Kind = Literal["key", "user"]


def asking(kind: Kind, scopes: frozenset[str] = frozenset(), **query: str) -> HttpRequest:
    principal = Principal("acme", NAME, kind=kind, scopes=scopes)
    return HttpRequest("GET", "/v1/usage", {}, query, Client(), principal=principal)


async def found(records: RecordStore, request: HttpRequest) -> list[str]:
    """The ids of the rows that the request may see, in a store with one of a key's and one of a user's."""
    rows = [Record(kind, "acme", 1.0, fields) for kind, fields in KINDS.items()]
    await records.append(TABLE, rows)
    wanted = narrowed(request, ("key", "user"))
    page = await records.query(TABLE, tenant=wanted.tenant, where=wanted.where)
    return sorted(record.id for record in page.records)


@pytest.mark.parametrize("kind", ["key", "user"])
async def test_z05_a_user_and_a_key_of_one_name_see_nothing_of_each_other(records: RecordStore, kind: Kind) -> None:
    assert await found(records, asking(kind)) == [kind]


async def test_z05_a_user_who_asks_for_the_key_of_their_name_sees_nothing(records: RecordStore) -> None:
    assert await found(records, asking("user", key=NAME)) == []
    assert await found(records, asking("key", key=NAME)) == ["key"]
    assert await found(records, asking("key", key="other")) == []


ASKING: Mapping[str, Principal | None] = {
    "key": Principal("acme", NAME, "key"),
    "user": Principal("acme", NAME, "user"),
    "keeper": Principal("acme", NAME, "user", scopes=frozenset({"keys"})),
    "foreign keeper": Principal("other", NAME, "user", scopes=frozenset({"keys"})),
    "foreign": Principal("other", NAME, "key"),
    "administrator": Principal("other", NAME, "key", scopes=frozenset({"admin"})),
    "nobody": None,
}


@pytest.mark.parametrize("who", ASKING)
async def test_z05_a_reach_covers_the_rows_that_a_query_of_it_finds(records: RecordStore, who: str) -> None:
    rows = [Record(kind, "acme", 1.0, fields) for kind, fields in KINDS.items()]
    rows += [Record("foreign", "other", 1.0, KINDS["key"]), Record("nobody", "", 1.0, {"principal": "", "key": None})]
    await records.append(TABLE, rows)
    visible = reach(ASKING[who])
    page = await records.query(TABLE, tenant=visible.tenant, where=visible.where)
    covered = [row.id for row in rows if visible.covers(row.tenant, row.fields)]
    assert sorted(covered) == sorted(record.id for record in page.records)


async def test_who_administers_keys_asks_for_anybodys(records: RecordStore) -> None:
    keeper = frozenset({"keys"})
    assert await found(records, asking("user", keeper)) == ["key", "user"]
    assert await found(records, asking("user", keeper, key=NAME)) == ["key"]
    with pytest.raises(Refusal, match="no such tenant"):
        await found(records, asking("user", keeper, tenant="other"))
