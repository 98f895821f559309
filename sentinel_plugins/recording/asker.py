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
    return named_or_seen(ctx.get(PRINCIPAL), ctx.client.address)


def named_or_seen(principal: Principal | None, address: str) -> Asker:
    """Whoever is known, or the address of whoever is not."""
    return named(principal) if principal is not None else {"principal": network(address), "key": None, "user": None}


def named(principal: Principal) -> Asker:
    """Whoever is known. An id is one among keys or among users: who names users, such as an identity provider, knows no
    keys, and may name one."""
    return {
        "principal": principal.id,
        "key": principal.id if principal.kind == "key" else None,
        "user": principal.user,
    }
