"""Who asked, as rows have it."""

from __future__ import annotations

from typing import TypedDict

from sentinel_core.addresses import network
from sentinel_core.context import Context
from sentinel_core.keys import PRINCIPAL, Principal


class Asker(TypedDict):
    """The fields of a row that say who asked: `principal` is an address where nobody is known."""

    principal: str
    key: str | None
    user: str | None


def asker(ctx: Context) -> Asker:
    """Who asks this."""
    principal = ctx.get(PRINCIPAL)
    if principal is None:
        return {"principal": network(ctx.client.address), "key": None, "user": None}
    return named(principal)


def named(principal: Principal) -> Asker:
    """Whoever is known. An id is one among keys or among users: who names users, such as an identity provider, knows no
    keys, and may name one."""
    return {
        "principal": principal.id,
        "key": principal.id if principal.kind == "key" else None,
        "user": principal.user,
    }
