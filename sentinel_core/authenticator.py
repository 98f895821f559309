"""Who asks: what the stage that authenticates offers, to the chain and to every other route."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from sentinel_core.context import Client
from sentinel_core.keys import PRINCIPAL, Key, Principal
from sentinel_core.stage import Stage


@runtime_checkable
class Authenticator(Protocol):
    """A stage that writes the principal (`says_who`) and has this method answers for endpoints as well: one chain, one
    idea of who is who."""

    async def authenticate(self, client: Client) -> Principal:
        """Who this is, and that they may use `client.route`. No principal is ever built empty.

        Raises `Refusal`: invalid_api_key where the credential is known to be wrong, route_not_allowed, and
        state_unavailable where nothing can be known. Where nobody has to say who they are, the principal's kind is
        `anonymous`.
        """
        ...


class HeadCheck:
    """What the head of a request told about its caller: what the doorkeeper `found`, in its own terms, or the `error`
    because of which nobody reads the body."""

    __slots__ = ("_found", "error")

    def __init__(self, found: object = None, error: BaseException | None = None) -> None:
        self._found = found
        self.error = error

    @property
    def found(self) -> object:
        """What was found. Raises what the doorkeeper raised."""
        if self.error is not None:
            raise self.error
        return self._found


@runtime_checkable
class Doorkeeper(Protocol):
    """A stage that writes the principal and decides by the head alone. Where only observers stand before it, a server
    asks it before it reads a body, and its `on_request` goes by `ctx[HEAD_CHECK].found`; elsewhere, and for calls in
    process, there is none."""

    async def admit(self, client: Client) -> object:
        """What `on_request` will want to know. Raises what `on_request` is to raise."""
        ...


HEAD_CHECK: Key[HeadCheck] = Key("head_check")
"""What was found out before the body was read; written by the server, absent where nobody looked."""


def says_who(kind: type[Stage]) -> bool:
    """Whether a stage says who calls: it writes the principal on the way in. The name of a method says nothing."""
    written = kind.writes.get("on_request", ()) if isinstance(kind.writes, Mapping) else kind.writes
    return PRINCIPAL in written
