"""Names of what is kept in a server."""

from __future__ import annotations

from functools import lru_cache

from sentinel_core.state import Claim
from sentinel_core.state_key import tenant_part

REMEMBERED = 16_384
"""Names of what claims count in: a caller asks for the same ones each time."""


class Keys:
    """One per prefix. Different things never share a name: `state_key` sees to what callers bring, and what is put
    around that can be told apart again. Each has the hash tag of its tenant, or none.
    """

    __slots__ = ("_prefix",)

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix

    def value(self, key: str) -> bytes:
        """A value or a counter."""
        return encoded(f"{self._prefix}value:{key}")

    def channel(self, channel: str) -> bytes:
        """A channel: these are no keys."""
        return encoded(f"{self._prefix}{channel}")

    def reservation(self, reservation: str) -> list[bytes]:
        """A reservation's record, and the clock of its tenant."""
        return [encoded(f"{self._prefix}reservation:{reservation}"), _clock(self._prefix, tenant_part(reservation))]

    def claim(self, claim: Claim) -> tuple[bytes, ...]:
        """What a claim counts in."""
        return _places(self._prefix, *claim.place)


@lru_cache(REMEMBERED)
def _clock(prefix: str, tenant: str) -> bytes:
    return encoded(f"{prefix}clock:{tenant}")


@lru_cache(REMEMBERED)
def _places(prefix: str, kind: str, key: str, of: float | str | None) -> tuple[bytes, ...]:
    """Of a window, a lease or a budget: as `place` tells them apart."""
    names: tuple[str, ...]
    match kind:
        case "lease":
            names = (f"lease:{key}", f"holders:{key}")
        case "budget":
            names = (f"budget:{len(key)}:{key}:{of}", f"held:{len(key)}:{key}:{of}")
        case _:
            names = (f"{kind}:{key}:{float(of or 0.0)!r}",)
    return tuple([encoded(prefix + name) for name in names])


def encoded(text: str) -> bytes:
    """Any string as bytes, and no two as the same ones."""
    return text.encode("utf-8", "surrogatepass")
