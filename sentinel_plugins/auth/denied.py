"""`Denied`: whoever is known and may not use a route."""

from __future__ import annotations

from sentinel_core.errors import Refusal
from sentinel_core.keys import Principal


class Denied(Refusal):
    """route_not_allowed, and to whom: where the head alone decides it, observers learn from this who asked."""

    def __init__(self, principal: Principal) -> None:
        super().__init__("route_not_allowed")
        self.principal = principal
