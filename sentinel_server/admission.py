"""Who may call a declared route, decided before its body is read and on the path that is served (Z01, Z03)."""

from __future__ import annotations

from sentinel_core.context import Client
from sentinel_core.endpoints import ADMIN, Endpoint, Socket
from sentinel_core.errors import Refusal
from sentinel_core.gateway import Gateway
from sentinel_core.keys import Principal


async def admitted(gateway: Gateway, route: Endpoint | Socket, client: Client) -> Principal | None:
    """Who calls, None where nobody asks. Raises `Refusal`.

    An admin route does not exist for whoever is not known: where nothing authenticates, and for anonymous callers. It
    is refused to whoever is known and has neither the scope `admin` nor the route's own. Any other policy than those
    that are known is taken for it.
    """
    if route.policy == "public":
        return None
    principal = await gateway.authenticate(client)
    if route.policy != "caller":
        if principal is None or principal.kind == "anonymous":
            raise Refusal("not_found")
        if principal.scopes.isdisjoint((ADMIN, route.scope)):
            raise Refusal("route_not_allowed")
    return principal
