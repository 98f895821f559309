"""Who asks: what the stage that authenticates offers, to the chain and to every other route."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from sentinel_core.context import Client
from sentinel_core.keys import Principal


@runtime_checkable
class Authenticator(Protocol):
    """A stage that has this method answers for endpoints as well: one chain, one idea of who is who."""

    async def authenticate(self, client: Client) -> Principal:
        """Who this is, and that they may use `client.route`. No principal is ever built empty.

        Raises `Refusal`: invalid_api_key where the credential is known to be wrong, route_not_allowed, and
        state_unavailable where nothing can be known. Where nobody has to say who they are, the principal's kind is
        `anonymous`.
        """
        ...
