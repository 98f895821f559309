"""Whom this process knows at present."""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from sentinel_core.keys import Principal
from sentinel_core.latest import Latest
from sentinel_core.services import Clock
from sentinel_plugins.auth.zion.account import Account

MAX_KNOWN = 10_000
Valid: TypeAlias = Latest[bytes, None]
"""The fingerprints of credentials that were somebody's when they were looked up last."""


class Known(msgspec.Struct, frozen=True):
    """A principal, and for how many seconds it may be believed. `account` is what Zion says of the user."""

    principal: Principal
    ttl_s: float
    account: Account | None = None


class Cache:
    """Those that were looked up, by the fingerprint of their whole credential. Whoever is unknown leaves nothing.

    Whoever is not believed any more stays known as a credential that was valid, until a look says otherwise.
    """

    def __init__(self, clock: Clock, valid: Valid) -> None:
        self._clock = clock
        self._valid = valid
        self._entries: Latest[bytes, tuple[Known, float]] = Latest(MAX_KNOWN)
        self.epoch = 0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, fingerprint: bytes) -> Known | None:
        """Whoever has this credential, while that may be believed."""
        entry = self._entries.get(fingerprint)
        return entry[0] if entry is not None and self._clock.monotonic() < entry[1] else None

    def was_valid(self, fingerprint: bytes) -> bool:
        """Whether this credential was somebody's when it was looked up last."""
        return fingerprint in self._valid

    def put(self, fingerprint: bytes, known: Known, epoch: int) -> None:
        """Remember what was looked up since `epoch`, unless somebody was forgotten meanwhile: it may be them."""
        if epoch != self.epoch:
            return
        self._entries[fingerprint] = (known, self._clock.monotonic() + known.ttl_s)
        self._valid[fingerprint] = None

    def drop(self, fingerprint: bytes) -> None:
        """This credential is nobody's."""
        self._entries.pop(fingerprint, None)
        self._valid.pop(fingerprint, None)

    def forget(self, tenant: str, id_: str | None = None) -> None:
        """Look up anew whoever this is: one principal, or everybody of a tenant."""
        self.epoch += 1
        for fingerprint, (known, _) in tuple(self._entries.items()):
            if known.principal.tenant == tenant and id_ in (None, known.principal.id):
                del self._entries[fingerprint]
