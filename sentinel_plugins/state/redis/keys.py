"""Names of what is kept in a server."""

from __future__ import annotations

from collections.abc import Iterator

from sentinel_core.state import Budget, Claim, Lease, Window
from sentinel_core.state_key import tenant_part


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
        names = (f"reservation:{reservation}", f"clock:{tenant_part(reservation)}")
        return [encoded(self._prefix + name) for name in names]

    def claim(self, claim: Claim) -> Iterator[bytes]:
        """What a claim counts in."""
        match claim:
            case Window():
                yield encoded(f"{self._prefix}{claim.algorithm}:{claim.key}:{float(claim.period_s)!r}")
            case Lease():
                yield encoded(f"{self._prefix}lease:{claim.key}")
                yield encoded(f"{self._prefix}holders:{claim.key}")
            case Budget():
                place = f"{len(claim.key)}:{claim.key}:{claim.period}"
                yield encoded(f"{self._prefix}budget:{place}")
                yield encoded(f"{self._prefix}held:{place}")


def encoded(text: str) -> bytes:
    """Any string as bytes, and no two as the same ones."""
    return text.encode("utf-8", "surrogatepass")
