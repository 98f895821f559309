"""Whose rows a caller may see."""

from __future__ import annotations

from typing import NamedTuple

from sentinel_core.endpoints import ADMIN, HttpRequest
from sentinel_core.errors import Refusal
from sentinel_core.json_types import JsonMapping
from sentinel_core.keys import Principal
from sentinel_plugins.recording.asker import named

OF_TENANT = "keys"
"""The scope of those who administer a tenant."""
NOTHING: tuple[()] = ()
"""An empty list as JSON: no row has that in a field that one can ask for."""


class Reach(NamedTuple):
    """A tenant, None for all, and what the fields of a row must be besides."""

    tenant: str | None
    where: JsonMapping

    def covers(self, tenant: str | None, fields: JsonMapping) -> bool:
        """Whether a row of this tenant with these fields is within. A row of no tenant is an administrator's."""
        return self.tenant in (None, tenant) and all(fields.get(name) == value for name, value in self.where.items())


def reach(principal: Principal | None) -> Reach:
    """An administrator's is everything, a tenant administrator's the tenant, anybody else's their own."""
    if principal is not None and ADMIN in principal.scopes:
        return Reach(None, {})
    if principal is not None and OF_TENANT in principal.scopes:
        return Reach(principal.tenant, {})
    return own(principal)


def own(principal: Principal | None) -> Reach:
    """What they asked themselves.

    Without a stage that knows callers, all rows are nobody's, and anybody sees those.
    """
    if principal is None:
        return Reach("", {})
    who = named(principal)
    return Reach(principal.tenant, {"principal": who["principal"], "key": who["key"]})


def narrowed(request: HttpRequest, names: tuple[str, ...]) -> Reach:
    """Of what the caller may see, what the query's parameters of these names, and `tenant`, ask for."""
    tenant, where = reach(request.principal)
    asked = {name: request.query[name] for name in names if name in request.query}
    foreign = {name: NOTHING for name, value in asked.items() if where.get(name, value) != value}
    wanted = request.query.get("tenant")
    if wanted is not None and tenant not in (None, wanted):
        raise Refusal("not_found", "There is no such tenant.")
    return Reach(tenant if wanted is None else wanted, {**asked, **where, **foreign})
